package checkpoint

import (
	"regexp"
	"strings"
)

// electra is the generators of ELECTRA (Clark et al., 2020,
// https://arxiv.org/abs/2003.10555): BERT's layers above embeddings that may
// be narrower, with a dense layer between the two, and a head that is as wide
// as the embeddings. Discriminators predict no tokens; package electra reads them.
var electra = family{
	modelType: "electra", class: "Electra", lm: "ElectraForMaskedLM",
	defaults: func() Config {
		c := DefaultConfig()
		c.ModelType, c.EmbeddingSize, c.HiddenSize, c.Heads, c.IntermediateSize = "electra", 128, 256, 4, 1024
		return c
	},
	headAct: "gelu",
	names: strings.NewReplacer(
		"bert.embeddings_project", "electra.embeddings_project",
		"cls.predictions.transform.", "generator_predictions.",
		"cls.predictions.decoder.weight", "generator_lm_head.weight",
		"cls.predictions.bias", "generator_lm_head.bias",
		"bert.", "electra.",
	),
	bare:   regexp.MustCompile(`^(embeddings|embeddings_project|encoder)\.`),
	prefix: "electra.",
	extras: []string{
		"electra.embeddings.position_ids",
		"electra.embeddings.token_type_ids",
	},
}
