package checkpoint

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Config is config.json, as far as a BERT's forward pass needs it. Marshalled
// to JSON it has Hugging Face's names; what a file leaves out has BertConfig's
// default, as in transformers.
type Config struct {
	Architectures     []string `json:"architectures,omitempty"`
	ModelType         string   `json:"model_type"`              // "bert"
	HiddenAct         string   `json:"hidden_act"`              // activation of the FFN and the head: "gelu", "relu", ...
	VocabSize         int      `json:"vocab_size"`              // V
	HiddenSize        int      `json:"hidden_size"`             // H
	Layers            int      `json:"num_hidden_layers"`       // L
	Heads             int      `json:"num_attention_heads"`     // divides H
	IntermediateSize  int      `json:"intermediate_size"`       // F, the FFN's neurons in each layer
	MaxPositions      int      `json:"max_position_embeddings"` // longest text in tokens
	TypeVocabSize     int      `json:"type_vocab_size"`
	PadTokenID        int      `json:"pad_token_id"`
	LayerNormEps      float64  `json:"layer_norm_eps"`
	TieWordEmbeddings bool     `json:"tie_word_embeddings"` // the decoder is the word embeddings

	HiddenDropout    float64 `json:"hidden_dropout_prob"`          // used in training only
	AttentionDropout float64 `json:"attention_probs_dropout_prob"` // used in training only
	InitializerRange float64 `json:"initializer_range"`

	PositionEmbedding string `json:"position_embedding_type"` // "absolute"
	IsDecoder         bool   `json:"is_decoder,omitempty"`
	CrossAttention    bool   `json:"add_cross_attention,omitempty"`

	ClassifierConfig
}

// DefaultConfig is BertConfig's default: BERT-base, uncased.
func DefaultConfig() Config {
	return Config{
		Architectures: []string{"BertForMaskedLM"}, ModelType: "bert", HiddenAct: "gelu", VocabSize: 30522,
		HiddenSize: 768, Layers: 12, Heads: 12, IntermediateSize: 3072, MaxPositions: 512, TypeVocabSize: 2,
		LayerNormEps: 1e-12, TieWordEmbeddings: true, HiddenDropout: 0.1, AttentionDropout: 0.1,
		InitializerRange: 0.02, PositionEmbedding: "absolute",
	}
}

// Activations are the values of HiddenAct that the BERT graph knows.
var Activations = []string{"gelu", "gelu_new", "gelu_10", "quick_gelu", "relu", "relu6", "relu2", "leaky_relu", "silu", "mish", "tanh", "sigmoid", "linear"}

// activationNames are transformers' other names of some.
var activationNames = map[string]string{
	"gelu_python": "gelu", "gelu_pytorch_tanh": "gelu_new", "gelu_python_tanh": "gelu_new", "gelu_fast": "gelu_new", "gelu_accurate": "gelu_new", "swish": "silu",
}

// UnmarshalJSON starts from the defaults; only the model type has none.
func (c *Config) UnmarshalJSON(data []byte) error {
	type plain Config
	p := plain(DefaultConfig())
	p.ModelType, p.Architectures = "", nil
	if err := json.Unmarshal(data, &p); err != nil {
		return err
	}
	if Config(p).Classifies() {
		p.defaultLabels()
	} else {
		p.ClassifierConfig = ClassifierConfig{} // says nothing about a model without a classifier
	}
	if p.ModelType == "" && slices.ContainsFunc(p.Architectures, func(a string) bool { return strings.HasPrefix(a, "Bert") }) {
		p.ModelType = "bert" // configurations of 2019 name the class only
	}
	if name, ok := activationNames[p.HiddenAct]; ok {
		p.HiddenAct = name
	}
	*c = Config(p)
	return nil
}

// Validate reports the first thing that makes the configuration one that this
// package cannot read or that no BERT can have.
func (c Config) Validate() error {
	if c.ModelType != "bert" {
		return fmt.Errorf("model_type is %q; only \"bert\" is supported: choose a checkpoint of a BERT", c.ModelType)
	}
	if c.PositionEmbedding != "absolute" {
		return fmt.Errorf("position_embedding_type is %q; only \"absolute\" is supported", c.PositionEmbedding)
	}
	if c.IsDecoder || c.CrossAttention {
		return fmt.Errorf("is_decoder or add_cross_attention is set; only BERT as an encoder is supported")
	}
	if !slices.Contains(Activations, c.HiddenAct) {
		return fmt.Errorf("hidden_act is %q; supported are %s", c.HiddenAct, strings.Join(Activations, ", "))
	}
	const most = 1 << 24 // far above any BERT, and no product of two overflows
	for _, f := range []struct {
		name  string
		value int
	}{
		{"vocab_size", c.VocabSize},
		{"hidden_size", c.HiddenSize},
		{"num_hidden_layers", c.Layers},
		{"num_attention_heads", c.Heads},
		{"intermediate_size", c.IntermediateSize},
		{"max_position_embeddings", c.MaxPositions},
		{"type_vocab_size", c.TypeVocabSize},
	} {
		if f.value < 1 || f.value > most {
			return fmt.Errorf("%s is %d; it must be between 1 and %d", f.name, f.value, most)
		}
	}
	if c.Layers > maxLayers {
		return fmt.Errorf("num_hidden_layers is %d; at most %d are supported", c.Layers, maxLayers)
	}
	if c.HiddenSize%c.Heads != 0 {
		return fmt.Errorf("hidden_size %d is not a multiple of num_attention_heads %d", c.HiddenSize, c.Heads)
	}
	if !(c.LayerNormEps > 0 && c.LayerNormEps < 1) {
		return fmt.Errorf("layer_norm_eps is %v; it must be above 0 and below 1", c.LayerNormEps)
	}
	if c.Classifies() {
		return c.validate()
	}
	return nil
}

// maxLayers bounds the list of tensors that a hostile configuration asks for.
const maxLayers = 1024

// parseConfig reads and validates config.json.
func parseConfig(data []byte) (Config, error) {
	var c Config
	err := json.Unmarshal(data, &c)
	if err == nil {
		err = c.Validate()
	} else {
		err = fmt.Errorf("%w; get the file again", err)
	}
	return c, err
}
