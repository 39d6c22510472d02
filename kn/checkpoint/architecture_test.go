package checkpoint

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

// TestDecoderConfigs: what a causal model's config.json says, in the forms of
// transformers 4 and 5, and what it leaves out.
func TestDecoderConfigs(t *testing.T) {
	type facts struct {
		V, H, L, A, KV, D, F, Positions int
		Eps, Theta                      float64
		Act                             string
		Tied                            bool
	}
	llama3 := &RopeScaling{"llama3", 32, 1, 4, 8192}
	for _, c := range []struct {
		text    string
		want    facts
		scaling *RopeScaling
	}{
		{`{"model_type": "gpt2"}`, facts{50257, 768, 12, 12, 12, 64, 3072, 1024, 1e-5, 0, "gelu_new", true}, nil},
		{
			`{"architectures": ["GPT2LMHeadModel"], "n_embd": 64, "n_layer": 2, "n_head": 4, "n_inner": null, "n_positions": 32, "activation_function": "relu"}`,
			facts{50257, 64, 2, 4, 4, 16, 256, 32, 1e-5, 0, "relu", true},
			nil,
		},
		{`{"model_type": "llama"}`, facts{32000, 4096, 32, 32, 32, 128, 11008, 2048, 1e-6, 10000, "silu", false}, nil},
		{
			`{"model_type": "llama", "hidden_size": 2048, "num_key_value_heads": 8, "rope_theta": 5e5, "tie_word_embeddings": true, "pad_token_id": null,
			"rope_scaling": {"rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}}`,
			facts{32000, 2048, 32, 32, 8, 64, 11008, 2048, 1e-6, 5e5, "silu", true},
			llama3,
		},
		{
			`{"model_type": "llama", "hidden_size": 2048, "num_key_value_heads": 8, "dtype": "bfloat16", "rope_parameters":
			{"rope_theta": 5e5, "rope_type": "llama3", "factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0, "original_max_position_embeddings": 8192}}`,
			facts{32000, 2048, 32, 32, 8, 64, 11008, 2048, 1e-6, 5e5, "silu", false},
			llama3,
		},
		{
			`{"model_type": "llama", "rope_scaling": {"type": "linear", "factor": 2}, "pretraining_tp": 2, "head_dim": 32, "pad_token_id": -1}`,
			facts{32000, 4096, 32, 32, 32, 32, 11008, 2048, 1e-6, 10000, "silu", false},
			&RopeScaling{Type: "linear", Factor: 2},
		},
		{
			`{"model_type": "llama", "rope_parameters": {"rope_theta": 7, "rope_type": "default"}, "num_key_value_heads": null, "head_dim": null}`,
			facts{32000, 4096, 32, 32, 32, 128, 11008, 2048, 1e-6, 7, "silu", false},
			nil,
		},
		{`{"model_type": "qwen2"}`, facts{151936, 4096, 32, 32, 32, 128, 22016, 32768, 1e-6, 10000, "silu", false}, nil},
		{`{"model_type": "qwen2", "use_sliding_window": false, "sliding_window": 64, "max_window_layers": 0}`, facts{151936, 4096, 32, 32, 32, 128, 22016, 32768, 1e-6, 10000, "silu", false}, nil},
		{`{"model_type": "qwen2", "use_sliding_window": true, "sliding_window": 64}`, facts{151936, 4096, 32, 32, 32, 128, 22016, 64, 1e-6, 10000, "silu", false}, nil},
		{`{"model_type": "qwen2", "use_sliding_window": true, "sliding_window": 64, "max_window_layers": 32}`, facts{151936, 4096, 32, 32, 32, 128, 22016, 32768, 1e-6, 10000, "silu", false}, nil},
		{`{"model_type": "qwen3"}`, facts{151936, 4096, 32, 32, 32, 128, 22016, 32768, 1e-6, 10000, "silu", false}, nil},
		{
			`{"model_type": "qwen3", "hidden_size": 1024, "num_attention_heads": 16, "num_key_value_heads": 8, "sliding_window": null, "layer_types": ["sliding_attention"]}`,
			facts{151936, 1024, 32, 16, 8, 128, 22016, 32768, 1e-6, 10000, "silu", false},
			nil,
		},
		{`{"model_type": "mistral"}`, facts{32000, 4096, 32, 32, 8, 128, 14336, 4096, 1e-6, 10000, "silu", false}, nil},
		{
			`{"model_type": "mistral", "sliding_window": null, "max_position_embeddings": 32768, "rms_norm_eps": 1e-5}`,
			facts{32000, 4096, 32, 32, 8, 128, 14336, 32768, 1e-5, 10000, "silu", false},
			nil,
		},
	} {
		var got Config
		if err := json.Unmarshal([]byte(c.text), &got); err != nil {
			t.Fatal(err)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%s: %v", c.text, err)
		}
		read := facts{
			got.VocabSize, got.HiddenSize, got.Layers, got.Heads, got.KeyValueHeads, got.HeadSize, got.IntermediateSize, got.MaxPositions,
			got.LayerNormEps, got.RopeTheta, got.HiddenAct, got.TieWordEmbeddings,
		}
		if read != c.want || !reflect.DeepEqual(got.RopeScaling, c.scaling) || !got.Causal() {
			t.Errorf("%s: %+v, %+v", c.text, read, got.RopeScaling)
		}
		file, err := got.file()
		if err != nil {
			t.Fatal(err)
		}
		var again Config
		if err := json.Unmarshal(file, &again); err != nil || !reflect.DeepEqual(again, got) {
			t.Errorf("%s: %+v was written and %+v read: %v", c.text, got, again, err)
		}
		for _, field := range []string{"type_vocab_size", "position_embedding_type", "hidden_dropout_prob", "layer_norm_eps", "pad_token_id"} {
			if strings.Contains(string(file), `"`+field+`"`) {
				t.Errorf("%s: %s was written, which means nothing there", c.text, field)
			}
		}
		if a := got.Architecture(); a.Rotary && !regexp.MustCompile(`"rope_theta":[\d.e+]*[.e]`).Match(file) || c.scaling != nil && !regexp.MustCompile(`"factor":\d+\.0`).Match(file) {
			t.Errorf("%s: numbers without a point in %s", c.text, file)
		}
	}
}

// TestBadDecoderConfigs: what this package cannot compute is refused by name.
func TestBadDecoderConfigs(t *testing.T) {
	for text, want := range map[string]string{
		`{"model_type": "gpt2", "n_head": 7}`:                                                                                        "n_embd 768 is not a multiple of n_head 7",
		`{"model_type": "gpt2", "n_positions": 0}`:                                                                                   "n_positions is 0",
		`{"model_type": "gpt2", "layer_norm_epsilon": 1}`:                                                                            "layer_norm_epsilon is 1",
		`{"model_type": "gpt2", "scale_attn_weights": false}`:                                                                        "scale_attn_weights is false",
		`{"model_type": "gpt2", "scale_attn_by_inverse_layer_idx": true}`:                                                            "scale_attn_by_inverse_layer_idx is true",
		`{"model_type": "gpt2", "add_cross_attention": true}`:                                                                        "add_cross_attention is set",
		`{"model_type": "gpt2", "architectures": ["GPT2ForSequenceClassification"]}`:                                                 "GPT2ForSequenceClassification, which has no head that predicts the next token; choose a checkpoint of GPT2LMHeadModel",
		`{"model_type": "llama", "architectures": ["LlamaForTokenClassification"]}`:                                                  "choose a checkpoint of LlamaForCausalLM",
		`{"model_type": "llama", "architectures": ["BertForSequenceClassification"]}`:                                                "only BERT's classifiers",
		`{"model_type": "llama", "num_key_value_heads": 5}`:                                                                          "num_attention_heads 32 is not a multiple of num_key_value_heads 5",
		`{"model_type": "llama", "num_key_value_heads": -1}`:                                                                         "num_key_value_heads is -1",
		`{"model_type": "llama", "head_dim": 3}`:                                                                                     "the heads are 3 wide; rotary positions need an even number",
		`{"model_type": "llama", "head_dim": 16777216}`:                                                                              "are too many",
		`{"model_type": "llama", "rope_theta": 0}`:                                                                                   "rope_theta is 0",
		`{"model_type": "llama", "rms_norm_eps": 0}`:                                                                                 "rms_norm_eps is 0",
		`{"model_type": "llama", "intermediate_size": null}`:                                                                         "intermediate_size is 0",
		`{"model_type": "llama", "rope_scaling": {"type": "yarn", "factor": 4}}`:                                                     `rope_scaling is of type "yarn"; only "linear" and "llama3"`,
		`{"model_type": "llama", "rope_scaling": {"factor": 4}}`:                                                                     `rope_scaling is of type ""`,
		`{"model_type": "llama", "rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4}}`:                                    `rope_scaling is of type "dynamic"`,
		`{"model_type": "llama", "rope_scaling": {"type": "linear", "factor": 0.5}}`:                                                 "has the factor 0.5",
		`{"model_type": "llama", "rope_scaling": {"rope_type": "llama3", "factor": 8}}`:                                              "has low_freq_factor 0",
		`{"model_type": "llama", "rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4}}`: "has original_max_position_embeddings 0",
		`{"model_type": "llama", "partial_rotary_factor": 0.5}`:                                                                      "partial_rotary_factor is 0.5",
		`{"model_type": "llama", "rope_parameters": {"partial_rotary_factor": 0.25}}`:                                                "partial_rotary_factor is 0.25",
		`{"model_type": "llama", "rope_parameters": {"full_attention": {"rope_theta": 1e4}}}`:                                        "rope_parameters differ from layer to layer",
		`{"model_type": "llama", "quantization_config": {"quant_method": "gptq"}}`:                                                   "the weights are quantised",
		`{"model_type": "qwen2", "num_hidden_layers": 5000}`:                                                                         "num_hidden_layers is 5000",
		`{"model_type": "qwen3_moe"}`:                                                                                                `model_type is "qwen3_moe"; only "bert"`,
	} {
		if _, err := parseConfig([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", text, err, want)
		}
	}
}

// TestArchitectures: which tensors each kind of model has, by their names here.
func TestArchitectures(t *testing.T) {
	for text, want := range map[string]struct {
		a       Architecture
		tensors []string
	}{
		`{"model_type": "bert", "num_hidden_layers": 1}`: {Architecture{QueryBias: true, OutputBias: true, FFNBias: true}, nil},
		`{"model_type": "gpt2", "n_layer": 1, "vocab_size": 9, "n_embd": 4, "n_head": 2, "n_positions": 7}`: {
			Architecture{Causal: true, QueryBias: true, OutputBias: true, FFNBias: true},
			[]string{
				"model.embed_tokens.weight [9 4]", "model.embed_positions.weight [7 4]", "0.input_layernorm.weight [4]", "0.input_layernorm.bias [4]",
				"0.self_attn.q_proj.weight [4 4]", "0.self_attn.q_proj.bias [4]", "0.self_attn.k_proj.weight [4 4]", "0.self_attn.k_proj.bias [4]",
				"0.self_attn.v_proj.weight [4 4]", "0.self_attn.v_proj.bias [4]", "0.self_attn.o_proj.weight [4 4]", "0.self_attn.o_proj.bias [4]",
				"0.post_attention_layernorm.weight [4]", "0.post_attention_layernorm.bias [4]",
				"0.mlp.up_proj.weight [16 4]", "0.mlp.up_proj.bias [16]", "0.mlp.down_proj.weight [4 16]", "0.mlp.down_proj.bias [4]",
				"model.norm.weight [4]", "model.norm.bias [4]",
			},
		},
		`{"model_type": "qwen3", "num_hidden_layers": 1, "vocab_size": 9, "hidden_size": 4, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 6, "intermediate_size": 5}`: {
			Architecture{Causal: true, RMSNorm: true, Rotary: true, Gated: true, QueryKeyNorm: true},
			[]string{
				"model.embed_tokens.weight [9 4]", "0.input_layernorm.weight [4]", "0.self_attn.q_proj.weight [12 4]", "0.self_attn.k_proj.weight [6 4]",
				"0.self_attn.v_proj.weight [6 4]", "0.self_attn.q_norm.weight [6]", "0.self_attn.k_norm.weight [6]", "0.self_attn.o_proj.weight [4 12]",
				"0.post_attention_layernorm.weight [4]", "0.mlp.gate_proj.weight [5 4]", "0.mlp.up_proj.weight [5 4]", "0.mlp.down_proj.weight [4 5]",
				"model.norm.weight [4]", "lm_head.weight [9 4]",
			},
		},
		`{"model_type": "llama", "attention_bias": true, "mlp_bias": true, "num_hidden_layers": 0}`: {
			Architecture{Causal: true, RMSNorm: true, Rotary: true, Gated: true, QueryBias: true, OutputBias: true, FFNBias: true}, nil,
		},
		`{"model_type": "qwen2", "num_hidden_layers": 0}`:   {Architecture{Causal: true, RMSNorm: true, Rotary: true, Gated: true, QueryBias: true}, nil},
		`{"model_type": "mistral", "num_hidden_layers": 0}`: {Architecture{Causal: true, RMSNorm: true, Rotary: true, Gated: true}, nil},
	} {
		var c Config
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		if got := c.Architecture(); got != want.a {
			t.Errorf("%s: %+v", text, got)
		}
		var tensors []string
		names := map[string]bool{}
		for _, e := range c.Expected() {
			names[e.Name] = true
			tensors = append(tensors, strings.TrimPrefix(fmt.Sprint(e.Name, " ", e.Shape), "model.layers."))
		}
		if want.tensors != nil && !reflect.DeepEqual(tensors, want.tensors) {
			t.Errorf("%s: tensors %q", text, tensors)
		}
		if c.Layers == 0 {
			continue
		}
		if !names[c.WordEmbeddings()] || !names[c.ValueVectors(0)] || names[c.ValueVectors(1)] || c.ValueBias(0) != "" && !names[c.ValueBias(0)] {
			t.Errorf("%s: there are no %s, %s or %s", text, c.WordEmbeddings(), c.ValueVectors(0), c.ValueBias(0))
		}
	}
}
