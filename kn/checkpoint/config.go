package checkpoint

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
)

// Config is config.json, as far as the forward pass needs it. Its names are
// those of BertConfig, whatever the model's own configuration calls them; what
// a file leaves out has the default that it has in transformers.
type Config struct {
	Architectures     []string `json:"architectures,omitempty"`
	ModelType         string   `json:"model_type"`               // "bert", "roberta", "gpt2", "llama", ...: see the package's table
	HiddenAct         string   `json:"hidden_act"`               // activation of the FFN and the head: "gelu", "relu", ...
	VocabSize         int      `json:"vocab_size"`               // V
	HiddenSize        int      `json:"hidden_size"`              // H
	EmbeddingSize     int      `json:"embedding_size,omitempty"` // E, where the embeddings may have a width of their own; 0: H
	Layers            int      `json:"num_hidden_layers"`        // L
	Heads             int      `json:"num_attention_heads"`      // A; divides H, unless HeadSize says otherwise
	IntermediateSize  int      `json:"intermediate_size"`        // F, the FFN's neurons in each layer
	MaxPositions      int      `json:"max_position_embeddings"`  // longest text in tokens
	TypeVocabSize     int      `json:"type_vocab_size"`          // 0: the model has no token types
	PadTokenID        int      `json:"pad_token_id"`
	LayerNormEps      float64  `json:"layer_norm_eps"`      // of RMSNorms too
	TieWordEmbeddings bool     `json:"tie_word_embeddings"` // the decoder is the word embeddings

	HiddenDropout    float64 `json:"hidden_dropout_prob"`          // used in training only
	AttentionDropout float64 `json:"attention_probs_dropout_prob"` // used in training only
	InitializerRange float64 `json:"initializer_range"`

	PositionEmbedding string `json:"position_embedding_type"` // "absolute"
	IsDecoder         bool   `json:"is_decoder,omitempty"`
	CrossAttention    bool   `json:"add_cross_attention,omitempty"`

	ClassifierConfig
	DecoderConfig
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

// EmbeddingWidth is E, the width of the embeddings and of the head. Where it is
// not H, a dense layer stands between the embeddings and the first layer.
func (c Config) EmbeddingWidth() int { return cmp.Or(c.EmbeddingSize, c.HiddenSize) }

// FirstPosition is the row of the position embeddings that belongs to a text's
// first token.
func (c Config) FirstPosition() int {
	if first := c.family().firstPosition; first != nil {
		return first(c)
	}
	return 0
}

// PositionRows is the number of position embeddings, those before
// FirstPosition included, which no text uses.
func (c Config) PositionRows() int { return c.FirstPosition() + c.MaxPositions }

// HeadAct is the activation function of the masked-language-model head.
func (c Config) HeadAct() string { return cmp.Or(c.family().headAct, c.HiddenAct) }

// UnmarshalJSON starts from the defaults; only the model type has none.
func (c *Config) UnmarshalJSON(data []byte) error {
	var kind struct {
		ModelType     string   `json:"model_type"`
		Architectures []string `json:"architectures"`
	}
	if err := json.Unmarshal(data, &kind); err != nil {
		return err
	}
	f, served := familyOf(kind.ModelType, kind.Architectures)
	if !served {
		f = &bertFamily
	}
	own := data
	data, err := f.toBERT(data)
	if err != nil {
		return err
	}
	type plain Config
	p := plain(f.defaults())
	p.ModelType, p.Architectures = "", nil
	if err := json.Unmarshal(data, &p); err != nil {
		return f.inItsWords(err)
	}
	if served {
		p.ModelType = f.modelType
	}
	if Config(p).Classifies() {
		p.defaultLabels()
	} else {
		p.ClassifierConfig = ClassifierConfig{} // says nothing about a model without a classifier
	}
	if name, ok := activationNames[p.HiddenAct]; ok {
		p.HiddenAct = name
	}
	p.MaxPositions -= Config(p).FirstPosition() // the file counts rows
	*c = Config(p)
	if f.decoder != nil {
		return c.completeDecoder(own)
	}
	c.DecoderConfig = DecoderConfig{}
	return nil
}

// file is config.json in the family's names.
func (c Config) file() ([]byte, error) {
	f := c.family()
	c.MaxPositions = cmp.Or(c.positions, c.PositionRows())
	data, err := json.Marshal(c)
	if err == nil && f.decoder != nil {
		data, err = withPoints(data, "layer_norm_eps", "initializer_range", "hidden_dropout_prob", "attention_probs_dropout_prob", "rope_theta")
	}
	if err != nil {
		return nil, err
	}
	return f.fromBERT(data)
}

// Validate reports the first thing that makes the configuration one that this
// package cannot read or that no such model can have.
func (c Config) Validate() error {
	if err := c.checkFamily(); err != nil {
		return err
	}
	key := c.family().key
	if c.Causal() {
		c.TypeVocabSize, c.PadTokenID = 1, 0 // not there
	} else if c.PositionEmbedding != "absolute" {
		return fmt.Errorf("position_embedding_type is %q; only \"absolute\" is supported", c.PositionEmbedding)
	} else if c.IsDecoder {
		return fmt.Errorf("is_decoder is set; of %s only encoders are supported", c.ModelType)
	} else {
		c.KeyValueHeads, c.HeadSize = 1, 1 // not there
	}
	if c.CrossAttention {
		return fmt.Errorf("add_cross_attention is set; models that read another's output are not supported")
	}
	if !slices.Contains(Activations, c.HiddenAct) {
		return fmt.Errorf("%s is %q; supported are %s", key("hidden_act"), c.HiddenAct, strings.Join(Activations, ", "))
	}
	types := 1
	if slices.Contains(c.family().unsaid, "type_vocab_size") {
		types = 0
	}
	if c.FirstPosition() < 0 || c.FirstPosition() > largest {
		return fmt.Errorf("pad_token_id is %d; positions are counted from behind it, so it must be between 0 and %d", c.PadTokenID, largest)
	}
	for _, f := range []struct {
		name         string
		value, least int
	}{
		{"vocab_size", c.VocabSize, 1},
		{"hidden_size", c.HiddenSize, 1},
		{"embedding_size", c.EmbeddingWidth(), 1},
		{"num_hidden_layers", c.Layers, 1},
		{"num_attention_heads", c.Heads, 1},
		{"num_key_value_heads", c.KeyValueHeads, 1},
		{"head_dim", c.HeadSize, 1},
		{"intermediate_size", c.IntermediateSize, 1},
		{"max_position_embeddings", c.PositionRows(), c.FirstPosition() + 1},
		{"type_vocab_size", c.TypeVocabSize, types},
	} {
		if f.value < f.least || f.value > largest {
			return fmt.Errorf("%s is %d; it must be between %d and %d", key(f.name), f.value, f.least, largest)
		}
	}
	if c.Layers > maxLayers {
		return fmt.Errorf("%s is %d; at most %d are supported", key("num_hidden_layers"), c.Layers, maxLayers)
	}
	if !c.Causal() && c.HiddenSize%c.Heads != 0 {
		return fmt.Errorf("%s %d is not a multiple of %s %d", key("hidden_size"), c.HiddenSize, key("num_attention_heads"), c.Heads)
	}
	if !(c.LayerNormEps > 0 && c.LayerNormEps < 1) {
		return fmt.Errorf("%s is %v; it must be above 0 and below 1", key("layer_norm_eps"), c.LayerNormEps)
	}
	if c.Causal() {
		return c.validateDecoder(key)
	}
	if c.Classifies() {
		return c.validate()
	}
	return nil
}

// largest bounds the sizes: far above any such model, and no product of two
// overflows.
const largest = 1 << 24

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
