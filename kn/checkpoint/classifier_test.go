package checkpoint

import (
	"context"
	"math"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

var tinyLabels = []string{"no", "yes", "maybe"}

// TestClassifierRoundTrip saves a classifier and reads it again.
func TestClassifierRoundTrip(t *testing.T) {
	c, err := mustOpen(t, tiny).LoadForClassification(context.Background(), tinyLabels, 7, nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	again := mustLoad(t, dir)
	if !reflect.DeepEqual(again.Tensors, c.Tensors) || !reflect.DeepEqual(again.Config, c.Config) {
		t.Error("another classifier was read than was saved")
	}
	if got := again.Config.LabelNames(); !slices.Equal(got, tinyLabels) || !again.Config.Classifies() {
		t.Errorf("the labels are %q", got)
	}
	if config := string(read(t, dir, configFile)); !strings.Contains(config, `"2": "maybe"`) || !strings.Contains(config, `"maybe": 2`) ||
		!strings.Contains(config, `"BertForSequenceClassification"`) {
		t.Errorf("config.json is %s", config)
	}
}

// TestLoadForClassification keeps the encoder of a masked language model and
// its pooler, and draws what is new from the seed.
func TestLoadForClassification(t *testing.T) {
	lm := mustLoad(t, tiny)
	dir := t.TempDir()
	if err := lm.Save(dir); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	load := func(seed uint64) *Checkpoint {
		t.Helper()
		c, err := mustOpen(t, dir).LoadForClassification(ctx, tinyLabels, seed, nil)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	first, other := load(1), load(2)
	if !reflect.DeepEqual(first.Tensors, load(1).Tensors) {
		t.Error("the same seed gives another classifier")
	}
	for _, e := range first.Config.Expected() {
		x := first.Tensors[e.Name].Data
		switch e.Name {
		case "bert.pooler.dense.weight", "classifier.weight":
			if slices.Equal(x, other.Tensors[e.Name].Data) {
				t.Errorf("%s does not depend on the seed", e.Name)
			}
		case "bert.pooler.dense.bias", "classifier.bias":
			if slices.Max(x) != 0 || slices.Min(x) != 0 {
				t.Errorf("%s is not 0", e.Name)
			}
		default:
			if !slices.Equal(x, lm.Tensors[e.Name].Data) {
				t.Errorf("%s was not kept", e.Name)
			}
		}
	}

	withPooler := map[string]Tensor{}
	for name, x := range lm.Tensors {
		withPooler[name] = x
	}
	pooled := Tensor{[]int{8, 8}, slices.Repeat([]float32{0.25}, 64)}
	withPooler["bert.pooler.dense.weight"], withPooler["bert.pooler.dense.bias"] = pooled, Tensor{[]int{8}, make([]float32, 8)}
	if err := WriteTensors(filepath.Join(dir, safetensorsFile), withPooler, SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	if got := load(1).Tensors["bert.pooler.dense.weight"]; !reflect.DeepEqual(got, pooled) {
		t.Error("the stored pooler was not kept")
	}
	delete(withPooler, "bert.pooler.dense.bias")
	if err := WriteTensors(filepath.Join(dir, safetensorsFile), withPooler, SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := mustOpen(t, dir).LoadForClassification(ctx, tinyLabels, 1, nil); err == nil || !strings.Contains(err.Error(), "missing (1): bert.pooler.dense.bias") {
		t.Errorf("half a pooler: %v", err)
	}
	if _, err := mustOpen(t, dir).LoadForClassification(ctx, []string{"a", "a"}, 1, nil); err == nil || !strings.Contains(err.Error(), "one name to several") {
		t.Errorf("one label twice: %v", err)
	}
}

// TestNewClassifier checks the distribution of random weights.
func TestNewClassifier(t *testing.T) {
	config := DefaultConfig()
	config.VocabSize, config.HiddenSize, config.Layers, config.Heads, config.IntermediateSize = 16, 64, 1, 2, 128
	c, err := NewClassifier(config, tinyLabels, mustLoad(t, tiny).Tokenizer, 3)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Save(t.TempDir()); err != nil {
		t.Fatal(err)
	}
	for name, x := range c.Tensors {
		sum, squares := 0.0, 0.0
		for _, v := range x.Data {
			sum, squares = sum+float64(v), squares+float64(v*v)
		}
		n := float64(len(x.Data))
		mean, deviation := sum/n, math.Sqrt(squares/n)
		switch {
		case strings.HasSuffix(name, "LayerNorm.weight"):
			if mean != 1 || deviation != 1 {
				t.Errorf("%s is not all 1", name)
			}
		case strings.HasSuffix(name, ".bias"):
			if deviation != 0 {
				t.Errorf("%s is not 0", name)
			}
		case n > 4000 && (math.Abs(mean) > 0.002 || math.Abs(deviation-0.02) > 0.001):
			t.Errorf("%s has mean %g and deviation %g", name, mean, deviation)
		}
	}
	if pad := c.Tensors[WordEmbeddings].Data[:64]; slices.Max(pad) != 0 || slices.Min(pad) != 0 {
		t.Error("the embedding of padding is not 0")
	}
}

// TestClassifierOfTransformers reads what transformers wrote, and refuses
// configurations that are not of a classifier as it is known here.
func TestClassifierOfTransformers(t *testing.T) {
	golden := filepath.Join(sharedtest.Goldens(t)[0], "classifier_0")
	c := mustLoad(t, golden)
	if got := c.Config.LabelNames(); !slices.Equal(got, []string{"LABEL_0", "LABEL_1", "LABEL_2"}) {
		t.Errorf("the labels are %q", got)
	}
	config := string(read(t, golden, configFile))
	for wants, change := range map[string][2]string{
		"lacks number 2":                                           {`"2": "LABEL_2"`, `"3": "LABEL_2"`},
		"one name to several of its 3":                             {`"2": "LABEL_2"`, `"2": "LABEL_1"`},
		`problem_type is "regression"`:                             {`"model_type"`, `"problem_type": "regression", "model_type"`},
		"classifier_dropout is 1":                                  {`"classifier_dropout": null`, `"classifier_dropout": 1`},
		"classifier.weight is [3 16], config.json asks for [2 16]": {"    \"1\": \"LABEL_1\",\n    \"2\": \"LABEL_2\"", `"1": "LABEL_1"`},
		"not those of the BertForMaskedLM":                         {"BertForSequenceClassification", "BertForMaskedLM"},
	} {
		if !strings.Contains(config, change[0]) {
			t.Fatalf("config.json lacks %q", change[0])
		}
		dir := copyFiles(t, golden, configFile, "vocab.txt", "tokenizer_config.json", safetensorsFile)
		write(t, []byte(strings.Replace(config, change[0], change[1], 1)), dir, configFile)
		expectLoadError(t, dir, wants)
	}
	lm := strings.Replace(string(read(t, tiny, configFile)), "BertForMaskedLM", SequenceClassification, 1)
	dir := copyFiles(t, tiny, append(slices.Clone(smallFiles), safetensorsFile)...)
	write(t, []byte(lm), dir, configFile)
	expectLoadError(t, dir, "missing (4): bert.pooler.dense.weight [8 8]", "unexpected (", "cls.predictions")
}
