package checkpoint

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// familyModel is the folder of a small model of a family, see
// kn/testdata/families.
func familyModel(family string) string {
	return filepath.Join("..", "testdata", "families", family, "model")
}

// TestFamilyDefaults: what config.json leaves out has the default that the
// family's configuration class has in transformers 4.57.
func TestFamilyDefaults(t *testing.T) {
	type facts struct {
		Class                                          string
		V, E, H, L, A, F, Positions, First, Types, Pad int
		Eps                                            float64
		HiddenAct, HeadAct                             string
		Tied                                           bool
	}
	for text, want := range map[string]facts{
		`{"model_type": "bert"}`:       {"BertForMaskedLM", 30522, 768, 768, 12, 12, 3072, 512, 0, 2, 0, 1e-12, "gelu", "gelu", true},
		`{"model_type": "distilbert"}`: {"DistilBertForMaskedLM", 30522, 768, 768, 6, 12, 3072, 512, 0, 0, 0, 1e-12, "gelu", "gelu", true},
		`{"model_type": "electra"}`:    {"ElectraForMaskedLM", 30522, 128, 256, 12, 4, 1024, 512, 0, 2, 0, 1e-12, "gelu", "gelu", true},
		`{"model_type": "roberta"}`:    {"RobertaForMaskedLM", 50265, 768, 768, 12, 12, 3072, 510, 2, 2, 1, 1e-12, "gelu", "gelu", true},
		// As roberta-base has it; its head's activation function is fixed.
		`{"architectures": ["RobertaForMaskedLM"], "type_vocab_size": 1, "max_position_embeddings": 514, "layer_norm_eps": 1e-5, "hidden_act": "relu", "pad_token_id": 1}`: {
			"RobertaForMaskedLM", 50265, 768, 768, 12, 12, 3072, 512, 2, 1, 1, 1e-5, "relu", "gelu", true,
		},
		// Files of 2019 name the class only.
		`{"architectures": ["DistilBertForMaskedLM"], "dim": 96, "n_layers": 3, "n_heads": 6, "hidden_dim": 40, "activation": "relu", "tie_word_embeddings": false}`: {
			"DistilBertForMaskedLM", 30522, 96, 96, 3, 6, 40, 512, 0, 0, 0, 1e-12, "relu", "relu", false,
		},
		// What BERT calls them means nothing to a DistilBERT.
		`{"model_type": "distilbert", "hidden_act": "relu", "layer_norm_eps": 1e-5, "type_vocab_size": 2}`: {
			"DistilBertForMaskedLM", 30522, 768, 768, 6, 12, 3072, 512, 0, 0, 0, 1e-12, "gelu", "gelu", true,
		},
		`{"model_type": "electra", "hidden_act": "relu", "embedding_size": 256}`: {
			"ElectraForMaskedLM", 30522, 256, 256, 12, 4, 1024, 512, 0, 2, 0, 1e-12, "relu", "gelu", true,
		},
	} {
		var c Config
		if err := json.Unmarshal([]byte(text), &c); err != nil {
			t.Fatal(err)
		}
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", text, err)
		}
		got := facts{
			c.class(), c.VocabSize, c.EmbeddingWidth(), c.HiddenSize, c.Layers, c.Heads, c.IntermediateSize, c.MaxPositions, c.FirstPosition(),
			c.TypeVocabSize, c.PadTokenID, c.LayerNormEps, c.HiddenAct, c.HeadAct(), c.TieWordEmbeddings,
		}
		if got != want {
			t.Errorf("%s: %+v, want %+v", text, got, want)
		}
		file, err := c.file()
		if err != nil {
			t.Fatal(err)
		}
		var again Config
		if err := json.Unmarshal(file, &again); err != nil || !reflect.DeepEqual(again, c) {
			t.Errorf("%s: %+v was written and %+v read: %v", text, c, again, err)
		}
	}
}

// TestBadFamilyConfig: what is wrong in a configuration is named as it is
// called there.
func TestBadFamilyConfig(t *testing.T) {
	for _, c := range []struct{ family, old, new, wants string }{
		{"distilbert", `"dim": 24`, `"dim": 0`, "dim is 0; it must be between 1"},
		{"distilbert", `"dim": 24`, `"dim": "24"`, "field plain.dim"},
		{"distilbert", `"n_heads": 4`, `"n_heads": 5`, "dim 24 is not a multiple of n_heads 5"},
		{"distilbert", `"activation": "gelu"`, `"activation": "prelu"`, `activation is "prelu"`},
		{"distilbert", `"n_layers": 3`, `"n_layers": 5000`, "n_layers is 5000"},
		{"distilbert", "DistilBertForMaskedLM", "DistilBertForQuestionAnswering", "DistilBertForQuestionAnswering, which has no head that predicts a masked token; choose a checkpoint of DistilBertForMaskedLM"},
		{"roberta", `"max_position_embeddings": 42`, `"max_position_embeddings": 2`, "max_position_embeddings is 2; it must be between 3"},
		{"roberta", `"pad_token_id": 1`, `"pad_token_id": -5`, "pad_token_id is -5"},
		{"roberta", `"RobertaForMaskedLM"`, `"RobertaForSequenceClassification"`, "RobertaForSequenceClassification, which has no head"},
		{"roberta", `"type_vocab_size": 1`, `"is_decoder": true`, "is_decoder"},
		{"roberta", `"vocab_size": 362`, `"vocab_size": 3620`, "the vocabulary has 362 tokens"},
		{"electra", "ElectraForMaskedLM", "ElectraForPreTraining", "ElectraForPreTraining, which has no head that predicts a masked token; choose a checkpoint of ElectraForMaskedLM"},
		{"electra", `"embedding_size": 16`, `"embedding_size": -1`, "embedding_size is -1"},
		{"electra", `"type_vocab_size": 2`, `"type_vocab_size": 0`, "type_vocab_size is 0"},
		{"electra", `"ElectraForMaskedLM"`, `"BertForSequenceClassification"`, `model_type is "electra"; only BERT's classifiers`},
		{"gpt2", `"n_layer": 3`, `"n_layer": "3"`, "field plain.n_layer"},
		{"gpt2", `"vocab_size": 358`, `"vocab_size": 1358`, "the vocabulary has 358 tokens"},
		{"gpt2", `"gpt2"`, `"roberta"`, "the tokenizer has no mask token"},
		{"qwen3", `"head_dim": 8`, `"head_dim": 7`, "the heads are 7 wide"},
		{"mistral", `"sliding_window": 32`, `"sliding_window": "32"`, "field plain.sliding_window"},
	} {
		dir := copyAll(t, familyModel(c.family))
		config := string(read(t, dir, configFile))
		if !strings.Contains(config, c.old) {
			t.Fatalf("%s: config.json lacks %s", c.family, c.old)
		}
		write(t, []byte(strings.Replace(config, c.old, c.new, 1)), dir, configFile)
		expectLoadError(t, dir, c.wants, configFile)
	}
}

// TestBadFamilyWeights: every tensor that is not as asked is named as it is
// stored, and so are its shapes.
func TestBadFamilyWeights(t *testing.T) {
	for _, c := range []struct{ family, missing, misshapen, asked, head string }{
		{"distilbert", "distilbert.transformer.layer.1.ffn.lin1.bias [40]", "distilbert.transformer.layer.2.attention.q_lin.weight", "[24 24]", "vocab_"},
		{"roberta", "roberta.embeddings.token_type_embeddings.weight [1 24]", "roberta.embeddings.position_embeddings.weight", "[42 24]", "lm_head."},
		{"electra", "electra.embeddings_project.bias [24]", "electra.encoder.layer.0.output.dense.weight", "[24 32]", "generator_"},
		{"gpt2", "transformer.h.1.attn.c_attn.bias [72]", "transformer.h.2.attn.c_attn.weight", "[24 72]", ""},
		{"gpt2", "transformer.h.0.attn.c_attn.weight [24 72]", "transformer.h.2.mlp.c_fc.weight", "[24 96]", ""},
		{"gpt2", "transformer.wpe.weight [40 24]", "transformer.h.0.attn.c_proj.weight", "[24 24]", ""},
		{"llama", "model.layers.2.mlp.gate_proj.weight [40 32]", "model.layers.1.self_attn.k_proj.weight", "[16 32]", "lm_head."},
		{"qwen2", "model.layers.2.self_attn.v_proj.bias [12]", "model.norm.weight", "[24]", ""},
		{"qwen3", "model.layers.2.self_attn.k_norm.weight [8]", "model.layers.0.self_attn.o_proj.weight", "[24 32]", "lm_head."},
		{"mistral", "model.layers.0.input_layernorm.weight [24]", "model.layers.0.mlp.down_proj.weight", "[24 36]", "lm_head."},
	} {
		missing, _, _ := strings.Cut(c.missing, " ")
		load := func(change func(map[string]Tensor)) error {
			t.Helper()
			model := mustLoad(t, familyModel(c.family))
			stored := model.toStore()
			change(stored)
			dir := copyAll(t, familyModel(c.family))
			if err := os.RemoveAll(filepath.Join(dir, safetensorsIndex)); err != nil {
				t.Fatal(err)
			}
			if err := WriteTensors(filepath.Join(dir, safetensorsFile), stored, SaveOptions{}); err != nil {
				t.Fatal(err)
			}
			_, err := mustOpen(t, dir).Load(t.Context(), nil)
			return err
		}
		err := load(func(m map[string]Tensor) {
			delete(m, missing)
			m[c.misshapen] = Tensor{[]int{1, 2}, make([]float32, 2)}
			m["bert.embeddings.LayerNorm.weight"] = Tensor{[]int{3}, make([]float32, 3)}
			m["classifier.weight"] = Tensor{[]int{3}, make([]float32, 3)}
		})
		var wrong *WeightsError
		if !errors.As(err, &wrong) || len(wrong.Missing) != 1 || len(wrong.Misshapen) != 1 || len(wrong.Unexpected) != 2 {
			t.Fatalf("%s: %v", c.family, err)
		}
		class := families[c.family].lm
		for _, want := range []string{class, "missing (1): " + c.missing, "wrong shape (1): " + c.misshapen + " is [1 2], config.json asks for " + c.asked, "unexpected (2): bert.embeddings.LayerNorm.weight [3], classifier"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v lacks %q", c.family, err, want)
			}
		}
		f := families[c.family]
		if c.head != "" {
			err = load(func(m map[string]Tensor) {
				maps.DeleteFunc(m, func(name string, _ Tensor) bool { return strings.HasPrefix(name, c.head) })
			})
			if err == nil || !strings.HasSuffix(err.Error(), "the head that predicts "+f.predicts()+" is not stored: choose a checkpoint of "+class) {
				t.Errorf("%s without a head: %v", c.family, err)
			}
		}
		config := mustOpen(t, familyModel(c.family)).Config()
		output, words := f.stored(config.outputWeight()), f.stored(config.WordEmbeddings())
		if config.TieWordEmbeddings {
			if err := load(func(m map[string]Tensor) { m[output] = m[words] }); err != nil {
				t.Errorf("%s: a copy of the word embeddings is refused: %v", c.family, err)
			}
			if err := load(func(m map[string]Tensor) {
				m[output] = Tensor{m[words].Shape, make([]float32, len(m[words].Data))}
			}); err == nil || !strings.Contains(err.Error(), output+" differs from "+words+", but config.json ties them") {
				t.Errorf("%s: another decoder than the word embeddings: %v", c.family, err)
			}
		}
		if err := load(func(m map[string]Tensor) {
			for name, t := range m {
				if rest, ok := strings.CutPrefix(name, f.prefix); ok {
					delete(m, name)
					m[rest] = t
				}
			}
		}); err != nil {
			t.Errorf("%s: an encoder without its name in front is refused: %v", c.family, err)
		}
	}
}

// TestUntiedFamilies: an untied decoder is kept.
func TestUntiedFamilies(t *testing.T) {
	for name := range families {
		if name == "bert" {
			continue
		}
		c := mustLoad(t, familyModel(name))
		c.Config.TieWordEmbeddings = false
		words := c.Tensors[c.Config.WordEmbeddings()]
		c.Tensors[c.Config.outputWeight()] = Tensor{words.Shape, make([]float32, len(words.Data))}
		dir := t.TempDir()
		if err := c.Save(dir); err != nil {
			t.Fatal(err)
		}
		if again := mustLoad(t, dir); !reflect.DeepEqual(again.Tensors, c.Tensors) || again.Config.TieWordEmbeddings {
			t.Errorf("%s: another model was read than was saved", name)
		}
	}
}

// copyAll copies a model's folder.
func copyAll(t *testing.T, dir string) string {
	t.Helper()
	to := t.TempDir()
	if err := os.CopyFS(to, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return to
}
