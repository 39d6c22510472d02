package checkpoint

import (
	"regexp"
	"strings"
)

// roberta is RoBERTa (Liu et al., 2019, https://arxiv.org/abs/1907.11692):
// BERT's layers, read in byte-level BPE. Positions are counted from behind the
// padding token's id, so that a table of 514 positions takes 512 tokens.
var roberta = family{
	modelType: "roberta", class: "Roberta", lm: "RobertaForMaskedLM",
	defaults: func() Config {
		c := DefaultConfig()
		c.ModelType, c.VocabSize, c.PadTokenID = "roberta", 50265, 1
		return c
	},
	firstPosition: func(c Config) int { return c.PadTokenID + 1 },
	headAct:       "gelu",
	names: strings.NewReplacer(
		"cls.predictions.transform.dense", "lm_head.dense",
		"cls.predictions.transform.LayerNorm", "lm_head.layer_norm",
		"cls.predictions.decoder.", "lm_head.decoder.",
		"cls.predictions.bias", "lm_head.bias",
		"bert.", "roberta.",
	),
	bare:     regexp.MustCompile(`^(embeddings|encoder|pooler)\.`),
	prefix:   "roberta.",
	biasTwin: "lm_head.decoder.bias",
	extras: []string{
		"roberta.pooler.dense.*",
		"roberta.embeddings.position_ids",
		"roberta.embeddings.token_type_ids",
	},
}
