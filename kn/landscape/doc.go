// Package landscape evaluates the loss of classifiers along lines and on planes
// through the space of their parameters, after Hao, Dong, Wei and Xu, Visualizing
// and Understanding the Effectiveness of BERT (EMNLP 2019,
// https://aclanthology.org/D19-1424).
//
// With θ0 the start of a fine-tuning, θ1 its end, and θ2 the end of another one,
// on another data set or under another seed,
//
//	δ1 = θ1 - θ0, δ2 = θ2 - θ0
//	f(α)    = J(θ0 + α δ1)          see Curve
//	f(α, β) = J(θ0 + α δ1 + β δ2)   see Surface
//
// J is the mean cross-entropy over labelled examples (nats) or the error, 1 -
// accuracy: both are measured at once. On examples that were trained on, f is the
// training loss; on held-out ones, the generalization error.
//
// # Parameters
//
// Every parameter takes part: word, position and type embeddings, attention,
// feed-forward networks, biases, LayerNorms' scales and shifts, pooler and
// classifier. None is scaled or left in place. (Where only a group of them is to
// move, see [Options.Group]; for groups put back to their start one at a time,
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
// another data set. Its classifier then fits none of the examples, so δ2 is 0 in
// the classifier: the classifier at (α, β) is the one at (α, 0). At (0, 1) there
// is then not θ2 itself, but θ2 with θ0's classifier, and [Plane.EncoderOnly]
// says so.
//
// # Trajectories
//
// [Trajectory] projects a training's checkpoints θt onto the plane. Let d = θt -
// θ0. Its coordinates are those of least squares,
//
//	(α, β) = argmin |d - α δ1 - β δ2|²
//
// Where δ1 and δ2 are at right angles, these are the cosine projections
// |d| cos(d, δi) / |δi|. Where they are not, least squares still put θ1 at (1, 0)
// and θ2 at (0, 1); the projections do not. The share of |d|² that lies in the plane
// is part of the result: a point with a low share is not where the model was.
//
// # Flatness
//
// [Line.Width] and [Grid.Area] measure the region around the minimum in which the
// loss is at most so many times the minimum, so that "wider" is a number.
//
// # Our choices
//
// The paper gives the grid and the axes. It does not say how to project a
// trajectory when δ1 and δ2 are not orthogonal, or what to do with a classifier
// for another data set; what is described above is our choice.
package landscape
