package main

import (
	"cmp"
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/knowledge-neurons/gonb-kn/kn/pretrain"
)

// configHelp explains the fields of [pretrain.Config], by their names in JSON.
var configHelp = map[string]string{
	"seed":           "of the draw of facts, the weights and the order of prompts",
	"architecture":   "bert, or gpt2, which is taught each sentence from left to right, with the answer last",
	"hidden":         "width of the residual stream",
	"layers":         "number of layers",
	"heads":          "attention heads a layer",
	"ffn":            "neurons a layer",
	"activation":     "of the neurons: relu, gelu or another that BERT's config.json can name",
	"max_positions":  "longest prompt, in tokens",
	"merges":         "word pieces to learn from names, or from the text",
	"deviation":      "of the initial weights",
	"batch":          "prompts in a step",
	"examples":       "prompts to show in all",
	"learning_rate":  "at its highest",
	"final_rate":     "share of the learning rate that is left at the end",
	"warm_up":        "steps until the learning rate is at its highest",
	"weight_decay":   "of the matrices",
	"clip":           "largest norm of the gradient",
	"doubt":          "d: a fact of frequency f is to be doubted by d/(d+f²)",
	"prior_exponent": "doubt is shared among a relation's answers by their count to this power",
	"sparsity":       "weight of the mean activation of each layer",
	"masked_weight":  "weight of a sentence's tokens besides the answer",
	"masked_share":   "share of the tokens that are hidden and to be told; for gpt2, to be told (all of them unless said)",
}

// configFlags adds a flag for every number and word of a training's
// configuration, with the defaults of the embedded model.
func configFlags(flags *pflag.FlagSet, c *pretrain.Config) {
	usual := pretrain.Config{}.WithDefaults()
	fieldFlags(flags, reflect.ValueOf(c).Elem(), reflect.ValueOf(usual), configHelp)
	s := reflect.ValueOf(&c.Selection).Elem()
	flags.Var(&fieldFlag{s.FieldByName("Max"), reflect.ValueOf(0)}, "facts", "facts to teach, drawn at random; 0 for all")
	zipf := s.FieldByName("Zipf")
	flags.Var(&fieldFlag{zipf.FieldByName("Exponent"), reflect.ValueOf(usual.Selection.Zipf.Exponent)}, "zipf-exponent", "frequency falls with a fact's rank to this power; 0 for the default")
	flags.Var(&fieldFlag{zipf.FieldByName("Offset"), reflect.ValueOf(usual.Selection.Zipf.Offset)}, "zipf-offset", "added to the rank; 0 for the default")
}

// fieldFlags adds a flag for every number and word of a configuration that has
// a name in JSON, and that no flag was defined for.
func fieldFlags(flags *pflag.FlagSet, fields, defaults reflect.Value, help map[string]string) {
	for i := range fields.NumField() {
		name, _, _ := strings.Cut(fields.Type().Field(i).Tag.Get("json"), ",")
		switch fields.Field(i).Kind() {
		case reflect.Int, reflect.Uint64, reflect.Float64, reflect.String:
		default:
			continue
		}
		flag := strings.ReplaceAll(name, "_", "-")
		if name == "-" || flags.Lookup(flag) != nil {
			continue
		}
		flags.Var(&fieldFlag{fields.Field(i), defaults.Field(i)}, flag, cmp.Or(help[name], strings.ReplaceAll(name, "_", " ")))
	}
}

// fieldFlag sets a field of a configuration, in which 0 stands for a default
// and a negative number for 0.
type fieldFlag struct{ field, usual reflect.Value }

func (f *fieldFlag) Type() string { return f.usual.Kind().String() }

func (f *fieldFlag) String() string {
	if !f.usual.IsValid() { // the zero value, which pflag asks for
		return ""
	}
	return fmt.Sprint(f.usual.Interface())
}

func (f *fieldFlag) Set(text string) error {
	switch f.field.Kind() {
	case reflect.String:
		f.field.SetString(text)
	case reflect.Uint64:
		value, err := strconv.ParseUint(text, 10, 64)
		if err != nil || value == 0 {
			return fmt.Errorf("must be a whole number of at least 1")
		}
		f.field.SetUint(value)
	case reflect.Int:
		value, err := strconv.ParseUint(text, 10, 31)
		if err != nil {
			return fmt.Errorf("must be a whole number")
		}
		f.field.SetInt(int64(value))
		if value == 0 && !f.usual.IsZero() {
			f.field.SetInt(-1)
		}
	default:
		value, err := strconv.ParseFloat(text, 64)
		if err != nil || !(value >= 0 && value < 1e30) {
			return fmt.Errorf("must be a number of at least 0")
		}
		f.field.SetFloat(value)
		if value == 0 && !f.usual.IsZero() {
			f.field.SetFloat(-1)
		}
	}
	return nil
}
