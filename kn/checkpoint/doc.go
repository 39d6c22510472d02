// Package checkpoint reads and writes masked and causal language models, and
// BERT's classifiers, in Hugging Face's folder format as plain Go values:
// configuration, tokenizer and float32 tensors.
//
//	OpenFolder, OpenFS, OpenHub      ->  *Folder      configuration and tokenizer, at once
//	(*Folder).Load                   ->  *Checkpoint  the weights, when they are needed
//	(*Folder).LoadForClassification  ->  *Checkpoint  the encoder, with a new classifier
//	(*Checkpoint).Save               ->  a folder that transformers loads
//
// The families that are served, by config.json's model_type:
//
//	bert        BertForMaskedLM, BertForSequenceClassification
//	distilbert  DistilBertForMaskedLM   no token types
//	roberta     RobertaForMaskedLM      positions from pad_token_id + 1 on; byte-level BPE
//	electra     ElectraForMaskedLM      a dense layer above embeddings of another width
//	gpt2        GPT2LMHeadModel         also DistilGPT-2; stored transposed, and q, k and v as one
//	llama       LlamaForCausalLM        also SmolLM, TinyLlama and others; "llama3" and "linear" scaling
//	qwen2       Qwen2ForCausalLM        also Qwen2.5; biases for q, k and v
//	qwen3       Qwen3ForCausalLM        the dense ones; norms of q and k
//	mistral     MistralForCausalLM      texts no longer than the attention's window
//
// Each has a file here with a table of what its configuration leaves unsaid,
// and of what it calls fields and tensors; bert.go is the plainest. Everywhere
// else fields have BERT's names. Tensors have BERT's in encoders: a DistilBERT's
// "distilbert.transformer.layer.0.ffn.lin2.weight" is the tensor
// "bert.encoder.layer.0.output.dense.weight". In causal models they have
// Llama's: a GPT-2's "transformer.h.0.mlp.c_proj.weight", which is [F, H], is the
// tensor "model.layers.0.mlp.down_proj.weight", which is [H, F]. What a model is
// made of is in its [Architecture]. Messages about files use the names and
// shapes that the files have.
//
// A configuration is taken for a classifier's if its architectures name
// BertForSequenceClassification, and for a language model's otherwise.
//
// A folder holds config.json, the tokenizer (tokenizer.json; or vocab.txt with
// tokenizer_config.json; or vocab.json with merges.txt) and the weights: model.safetensors, its shards with
// model.safetensors.index.json, pytorch_model.bin, or its shards.
//
// Nothing is guessed: every tensor that the configuration asks for must be
// there in its shape, anything else must be on a short list of known extras
// (see [Extras]), and no value may be infinite or NaN. A pytorch_model.bin is
// a pickle, a program; ours runs none of it but the handful of constructors
// that tensors are made of.
//
// Tied models keep one copy of the word embeddings: the tensor
// "cls.predictions.decoder.weight", or "lm_head.weight", is there only in untied
// ones.
package checkpoint
