package checkpoint

import "regexp"

// bertFamily is BERT (Devlin et al., 2019, https://arxiv.org/abs/1810.04805).
// Its names are those that this package uses for all families.
var bertFamily = family{
	modelType: "bert", class: "Bert", lm: MaskedLM,
	defaults: DefaultConfig,
	bare:     regexp.MustCompile(`^(embeddings|encoder|pooler)\.`),
	prefix:   "bert.",
	biasTwin: decoderBias,
	extras:   Extras,
}

// Extras are the names of tensors that published BERT checkpoints hold besides
// those of the masked language model, and that are passed over: the pooler and
// the next-sentence head of BertForPreTraining, and buffers of counted numbers
// that old versions of transformers stored. A star stands for anything. A
// classifier's pooler is among its own tensors. Other families have their own,
// of the same kinds.
var Extras = []string{
	"bert.pooler.dense.*",
	"cls.seq_relationship.*",
	"bert.embeddings.position_ids",
	"bert.embeddings.token_type_ids",
}
