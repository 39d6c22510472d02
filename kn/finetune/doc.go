// Package finetune fine-tunes a BERT to classify sentences, or pairs of
// sentences, and runs the classifiers that come out (Devlin et al. 2019,
// https://arxiv.org/abs/1810.04805, section 4.1).
//
// A classifier's logits are W₂·tanh(W₁·h + b₁) + b₂, with h the last layer's
// row at [CLS]; its loss is the mean cross-entropy of the labels. [Open] opens
// one that this package or transformers has made. [ReadTSV] reads labelled
// sentences, and [Classifier.Evaluate] measures loss and accuracy on them.
//
// For graphs of one's own, [Encode] and [Batches] make of examples what a graph
// on [Classifier.Model] takes; with [GraphInputs], bert.Weights.Classify,
// bert.CrossEntropy and bert.Errors the mean loss and error of a batch are a
// few lines, see the example of [Batches].
package finetune
