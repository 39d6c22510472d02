package checkpoint

import (
	"regexp"
	"slices"
	"strings"
)

// gpt2 is GPT-2 (Radford et al., 2019,
// https://cdn.openai.com/better-language-models/language_models_are_unsupervised_multitask_learners.pdf)
// and DistilGPT-2: LayerNorms, embeddings of positions, biases everywhere. Its
// dense layers are stored [in, out], and those of queries, keys and values as one.
var gpt2 = family{
	modelType: "gpt2", class: "GPT2", lm: "GPT2LMHeadModel",
	decoder: func(Config) Architecture {
		return Architecture{Causal: true, QueryBias: true, OutputBias: true, FFNBias: true}
	},
	defaults: func() Config {
		c := decoderDefaults()
		c.ModelType, c.HiddenAct, c.VocabSize, c.HiddenSize, c.Layers, c.Heads = "gpt2", "gelu_new", 50257, 768, 12, 12
		c.MaxPositions, c.LayerNormEps, c.TieWordEmbeddings, c.HiddenDropout, c.AttentionDropout = 1024, 1e-5, true, 0.1, 0.1
		return c
	},
	keys: map[string]string{
		"hidden_act": "activation_function", "hidden_size": "n_embd", "num_hidden_layers": "n_layer", "num_attention_heads": "n_head",
		"intermediate_size": "n_inner", "max_position_embeddings": "n_positions", "layer_norm_eps": "layer_norm_epsilon",
		"hidden_dropout_prob": "resid_pdrop", "attention_probs_dropout_prob": "attn_pdrop",
	},
	unsaid: append([]string{
		"num_key_value_heads", "head_dim", "rope_theta", "rope_scaling", "attention_bias", "mlp_bias",
		"sliding_window", "use_sliding_window", "max_window_layers", "layer_types",
	}, encodersOnly...),
	names: strings.NewReplacer(
		"model.embed_tokens.", "transformer.wte.",
		"model.embed_positions.", "transformer.wpe.",
		"model.layers.", "transformer.h.",
		"input_layernorm.", "ln_1.",
		"self_attn.q_proj.", "attn.c_attn.",
		"self_attn.k_proj.", "attn.c_attn.",
		"self_attn.v_proj.", "attn.c_attn.",
		"self_attn.o_proj.", "attn.c_proj.",
		"post_attention_layernorm.", "ln_2.",
		"mlp.up_proj.", "mlp.c_fc.",
		"mlp.down_proj.", "mlp.c_proj.",
		"model.norm.", "transformer.ln_f.",
	),
	layout: func(e Expected) (transposed bool, part, of int) {
		transposed = strings.HasPrefix(e.Name, "model.layers.") && len(e.Shape) == 2
		part = slices.IndexFunc([]string{"q_proj", "k_proj", "v_proj"}, func(p string) bool { return strings.Contains(e.Name, p) })
		if part < 0 {
			return transposed, 0, 1
		}
		return transposed, part, 3
	},
	bare:   regexp.MustCompile(`^(wte|wpe|h|ln_f)\.`),
	prefix: "transformer.",
	extras: []string{ // the mask that hides what comes later, and what is put in its place
		"transformer.h.*.attn.bias",
		"transformer.h.*.attn.masked_bias",
	},
}
