// Package berteffectiveness reproduces Hao, Dong, Wei and Xu, Visualizing and
// Understanding the Effectiveness of BERT (EMNLP 2019,
// https://aclanthology.org/D19-1424), on tasks made of facts, GLUE's, or one's own:
// from a model to a report.
//
//	outcome, err := berteffectiveness.Reproduce(ctx, model, "report", berteffectiveness.Options{}, reproduce.Watch{})
//
// On each task and under each seed it trains the model five times: from its
// pre-trained weights; from weights drawn at random; both once more on other
// examples of the task, whose ends give planes their second direction; and from
// the pre-trained weights for several times as many steps. It measures loss and
// error along the lines and on the planes between starts and ends, how wide the
// regions of low loss are, whether training loss and generalization error
// agree, and what becomes of groups of layers that are reset. Each of the
// paper's findings is said to hold here or not to, by a rule that all trainings
// must agree on.
//
// The paper's second direction is the end of a training on another data set. Tasks
// can differ in their number of labels, and so in the shape of their
// classifiers; other examples of the same task have the same labels and,
// under the same seed, the very same start, and at (0, 1) stands a model that was
// trained for the task. That is a deviation; package landscape measures the plane
// towards another data set's encoder as well.
package berteffectiveness
