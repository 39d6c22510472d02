// Package checkpoint reads and writes a BertForMaskedLM or a
// BertForSequenceClassification in Hugging Face's folder format as plain Go
// values: configuration, tokenizer and float32 tensors under their Hugging
// Face names.
//
//	OpenFolder, OpenFS, OpenHub      ->  *Folder      configuration and tokenizer, at once
//	(*Folder).Load                   ->  *Checkpoint  the weights, when they are needed
//	(*Folder).LoadForClassification  ->  *Checkpoint  the encoder, with a new classifier
//	(*Checkpoint).Save               ->  a folder that transformers loads
//
// A configuration is taken for a classifier's if its architectures name
// BertForSequenceClassification, and for a masked language model's otherwise.
//
// A folder holds config.json, the tokenizer (tokenizer.json, or vocab.txt with
// tokenizer_config.json) and the weights: model.safetensors, its shards with
// model.safetensors.index.json, pytorch_model.bin, or its shards.
//
// Nothing is guessed: every tensor that the configuration asks for must be
// there in its shape, anything else must be on a short list of known extras
// (see [Extras]), and no value may be infinite or NaN. A pytorch_model.bin is
// a pickle, a program; ours runs none of it but the handful of constructors
// that tensors are made of.
//
// Tied models keep one copy of the word embeddings: the tensor
// "cls.predictions.decoder.weight" is there only in untied ones.
package checkpoint
