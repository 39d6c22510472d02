package checkpoint

import "slices"

// qwen2 is Qwen2 and Qwen2.5 (Yang et al., 2024,
// https://arxiv.org/abs/2407.10671): Llama with biases for queries, keys and values.
var qwen2 = family{
	modelType: "qwen2", class: "Qwen2", lm: "Qwen2ForCausalLM",
	decoder: func(Config) Architecture {
		return Architecture{Causal: true, RMSNorm: true, Rotary: true, Gated: true, QueryBias: true}
	},
	defaults: func() Config {
		c := decoderDefaults()
		c.ModelType, c.VocabSize, c.IntermediateSize, c.MaxPositions, c.KeyValueHeads = "qwen2", 151936, 22016, 32768, 32
		c.SlidingWindow, c.MaxWindowLayers = 4096, new(28)
		return c
	},
	windows: qwenWindows,
	keys:    llamaKeys,
	unsaid:  append([]string{"attention_bias", "mlp_bias", "hidden_dropout_prob"}, encodersOnly...),
	bare:    llamaBare,
	prefix:  "model.",
	extras:  llamaExtras,
}

// qwen3 is the dense models of Qwen3 (Yang et al., 2025,
// https://arxiv.org/abs/2505.09388): queries and keys go through norms.
var qwen3 = family{
	modelType: "qwen3", class: "Qwen3", lm: "Qwen3ForCausalLM",
	decoder: func(c Config) Architecture {
		return Architecture{
			Causal: true, RMSNorm: true, Rotary: true, Gated: true, QueryKeyNorm: true,
			QueryBias: c.AttentionBias, OutputBias: c.AttentionBias,
		}
	},
	defaults: func() Config {
		c := qwen2.defaults()
		c.ModelType, c.HeadSize = "qwen3", 128
		return c
	},
	windows: qwenWindows,
	keys:    llamaKeys,
	unsaid:  append([]string{"mlp_bias", "hidden_dropout_prob"}, encodersOnly...),
	bare:    llamaBare,
	prefix:  "model.",
	extras:  llamaExtras,
}

// qwenWindows says whether any layer's attention has a window.
func qwenWindows(c Config) bool {
	switch {
	case !c.UseSlidingWindow:
		return false
	case c.LayerTypes != nil:
		return slices.Contains(c.LayerTypes, "sliding_attention")
	}
	return c.MaxWindowLayers != nil && c.Layers > *c.MaxWindowLayers
}
