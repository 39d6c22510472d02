package checkpoint

import (
	"regexp"
	"strings"
)

// distilBERT is DistilBERT (Sanh et al., 2019,
// https://arxiv.org/abs/1910.01108): BERT's layers without token types, under
// names of its own. Its LayerNorms' epsilon is fixed.
var distilBERT = family{
	modelType: "distilbert", class: "DistilBert", lm: "DistilBertForMaskedLM",
	defaults: func() Config {
		c := DefaultConfig()
		c.ModelType, c.Layers, c.TypeVocabSize = "distilbert", 6, 0
		return c
	},
	keys: map[string]string{
		"hidden_act": "activation", "hidden_size": "dim", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads",
		"intermediate_size": "hidden_dim", "hidden_dropout_prob": "dropout", "attention_probs_dropout_prob": "attention_dropout",
	},
	unsaid: []string{"type_vocab_size", "layer_norm_eps", "position_embedding_type"},
	names: strings.NewReplacer(
		"bert.embeddings.", "distilbert.embeddings.",
		"bert.encoder.layer.", "distilbert.transformer.layer.",
		"attention.self.query", "attention.q_lin",
		"attention.self.key", "attention.k_lin",
		"attention.self.value", "attention.v_lin",
		"attention.output.dense", "attention.out_lin",
		"attention.output.LayerNorm", "sa_layer_norm",
		"intermediate.dense", "ffn.lin1",
		"output.dense", "ffn.lin2",
		"output.LayerNorm", "output_layer_norm",
		"cls.predictions.transform.dense", "vocab_transform",
		"cls.predictions.transform.LayerNorm", "vocab_layer_norm",
		"cls.predictions.decoder.weight", "vocab_projector.weight",
		"cls.predictions.bias", "vocab_projector.bias",
	),
	bare:   regexp.MustCompile(`^(embeddings|transformer)\.`),
	prefix: "distilbert.",
	extras: []string{"distilbert.embeddings.position_ids"},
}
