// Package landscape evaluates the loss of classifiers along lines and on planes
// through the space of their parameters, after Hao, Dong, Wei and Xu, Visualizing
// and Understanding the Effectiveness of BERT (EMNLP 2019,
// https://aclanthology.org/D19-1424).
//
// With θ0 the start of a fine-tuning, θ1 its end, and θ2 the end of another one,
// on another data set or under another seed,
//
//	δ1 = θ1 - θ0, δ2 = θ2 - θ0
//	f(α)    = J(θ0 + α δ1)          see [Curve]
//	f(α, β) = J(θ0 + α δ1 + β δ2)   see [Surface]
//
// J is the mean cross-entropy over labelled examples (nats) or the error, 1 -
// accuracy: both are measured at once. On examples that were trained on, f is the
// training loss; on held-out ones, the generalization error.
//
// # Parameters
//
// Every parameter takes part: word, position and type embeddings, attention,
// feed-forward networks, biases, LayerNorms' scales and shifts, pooler and
// classifier. None is scaled or left at its place. (Where only a group of them is
// to move, see [Options].Group; for groups put back to their start one at a time,
// [Reset].) A point is computed as
//
//	(1 - α - β) θ0 + α θ1 + β θ2
//
// tensor by tensor where the weights lie, in float32, and terms whose coefficient
// is 0 are left out. So (0, 0), (1, 0) and (0, 1) are the checkpoints
// themselves, bit by bit, and their losses exactly those of
// [finetune.Classifier.Evaluate].
//
// θ0 is a classifier as well: the start of the fine-tuning with its new, untrained
// pooler and classifier, not the masked language model that it came from. Let
// [finetune.Config].Checkpoints contain 0, and take the folder that
// [finetune.CheckpointDir] names. Two fine-tunings have one θ0 if they start from
// one model under one seed, for tasks with equally many labels; under another
// seed the plane still goes through all three points, but δ2 is not the way that
// θ2 was reached.
//
// θ2 may have another number of labels: the paper's second direction is that of
// another data set. Its classifier then fits none of the examples, and δ2 is that
// of all other parameters; in the classifier it is 0, so that the classifier at
// (α, β) is that at (α, 0). At (0, 1) stands then not θ2, but θ2 under θ0's
// classifier, and [Plane].EncoderOnly says so.
//
// # Trajectories
//
// [Trajectory] projects a training's checkpoints θt onto the plane. Let d = θt -
// θ0. Its coordinates are those of least squares,
//
//	(α, β) = argmin |d - α δ1 - β δ2|²
//
// which are the cosine projections |d| cos(d, δi) / |δi| where δ1 and δ2 are at
// right angles, and unlike these put θ1 at (1, 0) and θ2 at (0, 1) where they are
// not. The share of |d|² that lies in the plane is part of the result: what is
// drawn near a low share is not where the model was.
//
// # Flatness
//
// [Line.Width] and [Grid.Area] measure the region around the minimum in which
// the loss is at most a factor of it, so that "wider" is a number.
//
// # Reconstructed
//
// The grid and the axes are the paper's. How coordinates of a trajectory follow
// from the angles if δ1 and δ2 are far from orthogonal, and what becomes of
// classifiers in the direction of another data set, no text at hand confirms;
// both are settled here as said above.
package landscape
