package checkpoint

// mistral is Mistral (Jiang et al., 2023, https://arxiv.org/abs/2310.06825):
// Llama without biases, and with a window in the attention of its first version.
var mistral = family{
	modelType: "mistral", class: "Mistral", lm: "MistralForCausalLM",
	decoder: func(Config) Architecture {
		return Architecture{Causal: true, RMSNorm: true, Rotary: true, Gated: true}
	},
	defaults: func() Config {
		c := decoderDefaults()
		c.ModelType, c.VocabSize, c.IntermediateSize, c.MaxPositions = "mistral", 32000, 14336, 131072
		c.KeyValueHeads, c.SlidingWindow = 8, 4096
		return c
	},
	windows: func(Config) bool { return true },
	keys:    llamaKeys,
	unsaid:  append([]string{"attention_bias", "mlp_bias", "use_sliding_window", "max_window_layers", "layer_types", "hidden_dropout_prob"}, encodersOnly...),
	nulls:   []string{"sliding_window"},
	bare:    llamaBare,
	prefix:  "model.",
	extras:  llamaExtras,
}
