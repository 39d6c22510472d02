package checkpoint

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// family is how transformers stores the models of one kind: what their
// config.json leaves unsaid, and what it and their tensors call things. All
// else in this package works for every family, on a [Config] and on the
// names of [Config.Expected].
type family struct {
	modelType string // model_type in config.json
	class     string // how the names of transformers' classes begin: "Roberta"
	lm        string // the class that is read and written: "RobertaForMaskedLM"
	// decoder is the architecture of a causal model; nil for encoders.
	decoder func(c Config) Architecture

	// Of config.json.
	defaults func() Config     // those of transformers' configuration class
	keys     map[string]string // its names for Config's fields, by BERT's, where they differ
	unsaid   []string          // BERT's names of fields that it does not have: the default holds
	// firstPosition is the row of the position embeddings that a text's first
	// token has; nil stands for 0.
	firstPosition func(c Config) int
	headAct       string // activation function of the head; "" stands for the layers'
	// windows says whether the attention of a layer has the window that
	// SlidingWindow gives; nil: none has.
	windows func(c Config) bool
	nulls   []string // fields that are written as null where they have no value, since a default would hold

	// Of the tensors.
	names *strings.Replacer // BERT's names to those that are stored; nil: they are the same
	// layout says how a tensor is stored, see [slot]; nil: as it is.
	layout func(e Expected) (transposed bool, part, of int)
	bare   *regexp.Regexp // stored names of a model without a head, which lack the encoder's
	prefix string         // the encoder's name, which they then lack: "roberta."
	// biasTwin is a second name under which the head's bias is stored, "" for none.
	biasTwin string
	extras   []string // stored tensors that the masked language model has no use for, see [Extras]
}

// families are those that are served, by their model_type.
var families = map[string]*family{}

func init() {
	for _, f := range []*family{&bertFamily, &distilBERT, &roberta, &electra, &gpt2, &llama, &qwen2, &qwen3, &mistral} {
		families[f.modelType] = f
	}
}

// family is that of the configuration; BERT's if it is none that is served,
// which [Config.Validate] refuses.
func (c Config) family() *family {
	if f := families[c.ModelType]; f != nil {
		return f
	}
	return &bertFamily
}

// familyOf finds a configuration's family. Those of 2019 name the class only.
func familyOf(modelType string, architectures []string) (f *family, ok bool) {
	if modelType != "" {
		f, ok = families[modelType]
		return f, ok
	}
	for _, f := range families {
		if slices.ContainsFunc(architectures, func(a string) bool { return strings.HasPrefix(a, f.class) }) {
			return f, true
		}
	}
	return nil, false
}

// checkFamily refuses a configuration of another family than those served.
func (c Config) checkFamily() error {
	f := families[c.ModelType]
	if f == nil {
		served := slices.Sorted(func(yield func(string) bool) {
			for name := range families {
				if !yield(fmt.Sprintf("%q", name)) {
					return
				}
			}
		})
		list := strings.Join(served[:len(served)-1], ", ") + " and " + served[len(served)-1]
		return fmt.Errorf("model_type is %q; only %s are supported: choose a checkpoint of one of these", c.ModelType, list)
	}
	if f == &bertFamily {
		return nil
	}
	if c.Classifies() {
		return fmt.Errorf("a classifier is asked for, but model_type is %q; only BERT's classifiers are supported", c.ModelType)
	}
	isOther := func(a string) bool { return a != f.lm && strings.Contains(a, "For") }
	if i := slices.IndexFunc(c.Architectures, isOther); i >= 0 && !slices.Contains(c.Architectures, f.lm) {
		return fmt.Errorf("architectures names %s, which has no head that predicts %s; choose a checkpoint of %s", c.Architectures[i], f.predicts(), f.lm)
	}
	return nil
}

// predicts says what the family's models do.
func (f *family) predicts() string {
	if f.decoder != nil {
		return "the next token"
	}
	return "a masked token"
}

// key is the name in config.json of what BERT's calls name.
func (f *family) key(name string) string {
	if own, ok := f.keys[name]; ok {
		return own
	}
	return name
}

// toBERT gives config.json the names of BERT's.
func (f *family) toBERT(data []byte) ([]byte, error) {
	if f.keys == nil && f.unsaid == nil {
		return data, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	said := map[string]json.RawMessage{}
	for name, own := range f.keys {
		if value, ok := fields[own]; ok {
			said[name] = value
		}
		delete(fields, own)
		delete(fields, name) // means nothing here
	}
	for _, name := range f.unsaid {
		delete(fields, name)
	}
	for name, value := range fields {
		said[name] = value
	}
	for _, name := range nullable {
		if f.decoder != nil && string(said[name]) == "null" {
			said[name] = json.RawMessage("0")
		}
	}
	return json.Marshal(said)
}

// fromBERT undoes toBERT.
func (f *family) fromBERT(data []byte) ([]byte, error) {
	if f.keys == nil && f.unsaid == nil {
		return data, nil
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(data, &fields); err != nil {
		return nil, err
	}
	for _, name := range f.unsaid {
		delete(fields, name)
	}
	for name, own := range f.keys {
		if value, ok := fields[name]; ok {
			fields[own] = value
			delete(fields, name)
		}
	}
	for _, name := range f.nulls {
		if _, ok := fields[name]; !ok {
			fields[name] = json.RawMessage("null")
		}
	}
	return json.Marshal(fields)
}

// inItsWords names the field of a JSON error as config.json does.
func (f *family) inItsWords(err error) error {
	if wrong := (*json.UnmarshalTypeError)(nil); errors.As(err, &wrong) {
		wrong.Field = f.key(strings.TrimPrefix(wrong.Field, "DecoderConfig."))
	}
	return err
}

// stored is the name in the weights' files of the tensor that Config.Expected
// calls name.
func (f *family) stored(name string) string {
	if f.names == nil {
		return name
	}
	return f.names.Replace(name)
}

// oldNorms are the names that LayerNorms had before 2019.
var oldNorms = strings.NewReplacer("LayerNorm.gamma", "LayerNorm.weight", "LayerNorm.beta", "LayerNorm.bias")

// today turns the names of older checkpoints (gamma, beta, no "bert." in
// front) into today's.
func (f *family) today(name string) string {
	if f.bare.MatchString(name) {
		name = f.prefix + name
	}
	return oldNorms.Replace(name)
}
