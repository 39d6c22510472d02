// Package learningdynamics reproduces Hao, Dong, Wei and Xu, Investigating
// Learning Dynamics of BERT Fine-Tuning (AACL 2020,
// https://aclanthology.org/2020.aacl-main.11), on tasks made of facts, GLUE's, or
// one's own: from a model to a report.
//
//	outcome, err := learningdynamics.Reproduce(ctx, model, "report", learningdynamics.Options{}, reproduce.Watch{})
//
// It fine-tunes the model on each task under several seeds, measures how far
// attention and hidden states of each layer move from the start, and how far
// the fine-tuned models are from each other; takes layers back to their start,
// freezes others; and, beyond the paper, follows facts and their knowledge
// neurons, beside words that are no fact's answer. Each of the paper's findings is said to hold here or not to, by a
// rule that all trainings must agree on.
//
// What the paper's text at hand does not confirm is marked [recall] in the
// report, as in package knowledgeneurons.
package learningdynamics
