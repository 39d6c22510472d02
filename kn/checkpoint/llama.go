package checkpoint

import "regexp"

// llama is Llama (Touvron et al., 2023, https://arxiv.org/abs/2302.13971) in
// all its versions, and what is built like it, such as SmolLM. Its names are
// those that this package uses for all causal models.
var llama = family{
	modelType: "llama", class: "Llama", lm: "LlamaForCausalLM",
	decoder: func(c Config) Architecture {
		return Architecture{
			Causal: true, RMSNorm: true, Rotary: true, Gated: true,
			QueryBias: c.AttentionBias, OutputBias: c.AttentionBias, FFNBias: c.MLPBias,
		}
	},
	defaults: func() Config {
		c := decoderDefaults()
		c.ModelType, c.VocabSize, c.IntermediateSize, c.MaxPositions = "llama", 32000, 11008, 2048
		return c
	},
	keys:   llamaKeys,
	unsaid: append([]string{"sliding_window", "use_sliding_window", "max_window_layers", "layer_types", "hidden_dropout_prob"}, encodersOnly...),
	bare:   llamaBare,
	prefix: "model.",
	extras: llamaExtras,
}

// What all causal models but GPT-2 have in common.
var (
	llamaKeys = map[string]string{"layer_norm_eps": "rms_norm_eps", "attention_probs_dropout_prob": "attention_dropout"}
	llamaBare = regexp.MustCompile(`^(embed_tokens|layers|norm)\.`)
	// Frequencies of the rotary positions, which older versions stored.
	llamaExtras = []string{"model.rotary_emb.inv_freq", "model.layers.*.self_attn.rotary_emb.inv_freq"}
)

// decoderDefaults are those that most configuration classes of causal models share.
func decoderDefaults() Config {
	return Config{
		HiddenAct: "silu", HiddenSize: 4096, Layers: 32, Heads: 32, LayerNormEps: 1e-6, InitializerRange: 0.02,
		DecoderConfig: DecoderConfig{RopeTheta: 10000},
	}
}

// encodersOnly are fields of config.json that mean nothing to a causal model.
var encodersOnly = []string{"type_vocab_size", "pad_token_id", "position_embedding_type", "embedding_size"}
