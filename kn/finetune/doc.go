// Package finetune fine-tunes a BERT to classify sentences, or pairs of
// sentences, and runs the classifiers that come out (Devlin et al. 2019,
// https://arxiv.org/abs/1810.04805, section 4.1).
//
//	data := finetune.MustBuiltIn(finetune.RelationTask, known, finetune.Sizes{})
//	finetune.MustRun(ctx, finetune.Config{Model: mini.Name, Data: data, Out: "relations"}, nil)
//	classifier := finetune.MustOpen(ctx, "relations")
//	classifier.MustPredict(ctx, []finetune.Example{{Sentence1: "Ada Lovelace came into the world in London."}})
//
// # Data
//
// [ReadGLUE] reads MNLI, RTE, SST-2 and MRPC as GLUE publishes them, [ReadDir]
// and [ReadTSV] read your own files, and [BuiltIn] makes three tasks of facts
// that the embedded model was taught, in this project's own sentences: is a
// statement true, which relation does it state, do two statements say the same.
//
// # Training
//
// A classifier's logits are W₂·tanh(W₁·h + b₁) + b₂, with h the last layer's row
// at [CLS]; its loss is the mean cross-entropy of the labels. [Run] starts from a
// checkpoint, or from random weights with its configuration, and takes steps of
// AdamW with dropout, linear warm-up and decay. Examples of similar length share
// a batch, and each is used once a round. After chosen steps, the start among
// them, the classifier is written in Hugging Face format, which transformers
// loads as BertForSequenceClassification.
//
// Order, dropout and new weights depend on the seed and the step only, so that
// a training that was cancelled, or killed, ends with the same bytes as one
// that was not. [Record] holds its course, for a loss chart.
//
// # Classifiers
//
// [Open] opens one that this package or transformers has made;
// [Classifier.Predict] and [Classifier.Evaluate] run it. For your own graphs,
// [Encode] and [Batches] turn examples into what a graph on [Classifier.Model]
// takes. With [GraphInputs], transformer.Weights.Classify,
// transformer.CrossEntropy and transformer.Errors the mean loss and error of a
// batch take a few lines, see the example of [Batches].
package finetune
