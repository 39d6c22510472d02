package electra

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/cache"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// writeText writes sentences in the words of the small golden model.
func writeText(t testing.TB, dir string) string {
	t.Helper()
	var text strings.Builder
	for _, person := range []string{"Mary", "John", "Anna", "Peter", "Lucy"} {
		for _, place := range []string{"Paris", "London", "Rome", "Berlin", "Oslo", "Cairo"} {
			fmt.Fprintf(&text, "%s was born in %s .\n\n%s is the city of %s\n", person, place, place, person)
		}
	}
	path := filepath.Join(dir, "text.txt")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// tiny is a training of a second.
func tiny(t testing.TB, out string) Config {
	t.Helper()
	t.Setenv(cache.EnvVar, "off")
	return tinyAt(filepath.Join(sharedtest.Goldens(t)[0], "model"), writeText(t, t.TempDir()), out)
}

func tinyAt(model, text, out string) Config {
	return Config{
		Model: model, Text: text, Out: out, Sampler: HPLoss, Gamma: 1, Length: 12, Batch: 4, Steps: 12, GeneratorSize: 0.5,
		MeasureEvery: 5, Resamples: 3, Checkpoints: []int{0, 7}, Deviation: 0.2,
	}
}

// TestVariantsTrain trains each variant with one seed twice and with another
// once, and opens what comes out.
func TestVariantsTrain(t *testing.T) {
	digests := map[string]string{}
	for _, s := range Samplers {
		for _, gamma := range []float64{0, 1} {
			seeds := []uint64{1}
			if s == HPDist && gamma > 0 { // all that there is
				seeds = []uint64{1, 1, 2}
			}
			for i, seed := range seeds {
				c := tiny(t, t.TempDir())
				c.Sampler, c.Gamma, c.Seed, c.Steps, c.Checkpoints = s, gamma, seed, 4, nil
				r, err := Run(t.Context(), c, nil)
				if err != nil {
					t.Fatal(err)
				}
				key := fmt.Sprintf("%s, gamma %v, seed %d", s, gamma, seed)
				digest := kn.Must(digestOf(files(t, c.Out)))
				if was, ok := digests[key]; ok != (i == 1) || ok && was != digest {
					t.Errorf("%s: one seed gives two trainings", key)
				}
				for other, of := range digests {
					if other != key && of == digest {
						t.Errorf("%s trains like %s", key, other)
					}
				}
				digests[key] = digest
				checkMeasurement(t, key, s, r.Last())
				if _, err := OpenDetector(t.Context(), filepath.Join(c.Out, DiscriminatorDir)); err != nil {
					t.Error(err)
				}
				if _, err := os.Stat(filepath.Join(c.Out, GeneratorDir, HardnessFile)); (err == nil) != s.HasHead() {
					t.Errorf("%s: the head's file: %v", key, err)
				}
			}
		}
	}
}

func checkMeasurement(t *testing.T, key string, s Sampler, m Measurement) {
	t.Helper()
	for name, d := range map[string]Drawn{"own": m.Own, "plain": m.Plain} {
		if !(d.Correct >= 0 && d.Correct < 1) || !(d.Detection > 0) || !(d.Accuracy > 0.3 && d.Accuracy <= 1) || !(d.Variance > 0) || !(d.EffectiveShare > 0 && d.EffectiveShare <= 1+1e-6) {
			t.Errorf("%s: %s: %+v", key, name, d)
		}
	}
	if plain := m.Own == m.Plain; plain == s.HasHead() || math.Abs(m.Plain.EffectiveShare-1) > 1e-6 {
		t.Errorf("%s: own %+v, plain %+v", key, m.Own, m.Plain)
	}
	if !(m.Confidence > 0 && m.Confidence < 1) || !(m.CrossEntropy > 0) {
		t.Errorf("%s: %+v", key, m)
	}
}

// TestLearns trains until both models know the text.
func TestLearns(t *testing.T) {
	c := tiny(t, t.TempDir())
	c.Sampler, c.Gamma, c.Steps, c.Batch, c.LearningRate, c.Checkpoints = HPLoss, 0, 60, 8, 0.02, nil
	r, err := Run(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	first, last := r.Measurements[0], r.Last()
	if !(last.CrossEntropy < 0.7*first.CrossEntropy) || !(last.Plain.Detection < first.Plain.Detection) || !(last.Confidence > first.Confidence) {
		t.Errorf("from %+v to %+v", first, last)
	}
}

// TestDiverged: a training whose loss is no number ends with an error that
// names the step, the batch and the last sound models, which can be opened.
func TestDiverged(t *testing.T) {
	c := tiny(t, t.TempDir())
	c.LearningRate, c.WarmUp, c.Checkpoints, c.MeasureEvery = 1e30, -1, nil, -1
	_, err := Run(t.Context(), c, nil)
	var diverged *DivergedError
	if !errors.As(err, &diverged) || diverged.Good != "" || !strings.Contains(err.Error(), "lower the learning rate, which is 1e+30") {
		t.Fatalf("got %v", err)
	}
	var kept DivergedBatch
	data, err := os.ReadFile(diverged.Batch)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &kept); err != nil || kept.Step != diverged.Step || len(kept.Windows) != 4 || !strings.Contains(kept.Texts[3], "[MASK]") {
		t.Errorf("the batch is %+v, %v", kept, err)
	}
	c.SaveEvery = time.Nanosecond
	_, err = Run(t.Context(), c, nil)
	if !errors.As(err, &diverged) || diverged.Good == "" || diverged.GoodStep < 1 || !strings.Contains(err.Error(), diverged.Good) {
		t.Fatalf("got %v", err)
	}
	if _, err := OpenDetector(t.Context(), filepath.Join(diverged.Good, DiscriminatorDir)); err != nil {
		t.Errorf("the last good discriminator: %v", err)
	}
	if _, err := os.Stat(filepath.Join(c.Out, DiscriminatorDir)); err == nil {
		t.Error("a model was written as if nothing had happened")
	}
}

// TestBadConfig checks that each mistake is named.
func TestBadConfig(t *testing.T) {
	for want, change := range map[string]func(*Config){
		"no model to take":            func(c *Config) { c.Model = "" },
		"no folder to write":          func(c *Config) { c.Out = "" },
		`no sampler "best"`:           func(c *Config) { c.Sampler = "best" },
		`bounded by "hope"`:           func(c *Config) { c.Bounding = "hope" },
		"bounded by 0.5":              func(c *Config) { c.Bound = 0.5 },
		"gamma is 21":                 func(c *Config) { c.Gamma = 21 },
		"shares above 0, not 2":       func(c *Config) { c.MaskedShare = 2 },
		"is negative":                 func(c *Config) { c.Hidden = -1 },
		"not a multiple of the 3":     func(c *Config) { c.Hidden, c.Heads = 8, 3 },
		"at least 2, not 12, 4, 4, 1": func(c *Config) { c.Resamples = 1 },
		"-1 facts":                    func(c *Config) { c.Facts = -1 },
		"windows of 4 tokens":         func(c *Config) { c.Length = 4 },
		"learning rate, clip":         func(c *Config) { c.LearningRate = -1 },
		"beta1, beta2 and warm-up":    func(c *Config) { c.Beta1 = 2 },
		"after step 13 is asked":      func(c *Config) { c.Checkpoints = []int{13} },
		"give a longer text":          func(c *Config) { c.Batch = 64 },
		"no such file":                func(c *Config) { c.Text += "x" },
		"does not say what it was":    func(c *Config) { c.Text = "" },
	} {
		c := tiny(t, t.TempDir())
		change(&c)
		if _, err := Run(t.Context(), c, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestFineTune fine-tunes a classifier that starts from a discriminator.
func TestFineTune(t *testing.T) {
	c := tiny(t, t.TempDir())
	c.Steps, c.Checkpoints = 1, nil
	if _, err := Run(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	d, err := Open(t.Context(), filepath.Join(c.Out, DiscriminatorDir))
	if err != nil {
		t.Fatal(err)
	}
	encoder := filepath.Join(t.TempDir(), "encoder")
	if err := d.SaveEncoder(encoder, 1); err != nil {
		t.Fatal(err)
	}
	folder, err := checkpoint.OpenFolder(encoder)
	if err != nil {
		t.Fatal(err)
	}
	const name = "encoder.layer.1.attention.self.key.weight"
	if got := folder.MustLoad(t.Context(), nil).Tensors["bert."+name].Data; !reflect.DeepEqual(got, d.Tensors["electra."+name].Data) {
		t.Error("the encoder is not the discriminator's")
	}
	data := &finetune.Data{Name: "who", Labels: []string{"Mary", "John"}, Parts: []finetune.Part{{Name: "train"}, {Name: "dev"}}}
	for i := range data.Parts {
		data.Parts[i].Examples = []finetune.Example{{Sentence1: "Mary was born in Paris .", Label: 0}, {Sentence1: "John was born in Paris .", Label: 1}}
	}
	r, err := finetune.Run(t.Context(), finetune.Config{Model: encoder, Data: data, Out: t.TempDir(), Steps: 60, LearningRate: 0.01}, nil)
	if err != nil || r.Evaluations["dev"].Accuracy != 1 {
		t.Errorf("%+v, %v", r, err)
	}
	d.Config.EmbeddingSize++
	if err := d.SaveEncoder(encoder, 1); err == nil || !strings.Contains(err.Error(), "embeddings are") {
		t.Errorf("embeddings of another width: %v", err)
	}
}

// TestTrim leaves the tokens of the text alone in the tokenizer, and the text
// spelled as it was.
func TestTrim(t *testing.T) {
	c := tiny(t, t.TempDir())
	c.Trim, c.Steps, c.Checkpoints = true, 1, nil
	if _, err := Run(t.Context(), c, nil); err != nil {
		t.Fatal(err)
	}
	d, err := Open(t.Context(), filepath.Join(c.Out, DiscriminatorDir))
	if err != nil {
		t.Fatal(err)
	}
	whole, err := checkpoint.OpenFolder(c.Model)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(c.Text)
	if err != nil {
		t.Fatal(err)
	}
	got, want := d.Tokenizer.Tokenize(string(text)), whole.Tokenizer().Tokenize(string(text))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("spelled %q, want %q", got, want)
	}
	seen := map[string]bool{"[PAD]": true, "[UNK]": true, "[CLS]": true, "[SEP]": true, "[MASK]": true}
	for _, token := range want {
		seen[token] = true
	}
	if n := d.Tokenizer.Size(); n != len(seen) || d.Config.VocabSize != n {
		t.Errorf("%d tokens, %d in the configuration, want %d", n, d.Config.VocabSize, len(seen))
	}
}

// TestDrawFacts draws some facts of some relations, always the same ones.
func TestDrawFacts(t *testing.T) {
	var taught []facts.Taught
	for i := range 20 {
		for _, r := range []string{"P36", "P37", "P30"} {
			taught = append(taught, facts.Taught{Fact: facts.Fact{Relation: r, Subject: fmt.Sprint(i)}})
		}
	}
	drawn, err := DrawFacts(taught, 30, "P36", "P37")
	if err != nil || len(drawn) != 30 {
		t.Fatalf("%d facts, %v", len(drawn), err)
	}
	seen := map[string]int{}
	for _, f := range drawn {
		seen[f.Relation]++
		seen[f.Relation+f.Subject]++
		if seen[f.Relation+f.Subject] > 1 {
			t.Errorf("%v is drawn twice", f)
		}
	}
	if seen["P30"] > 0 || seen["P36"] < 5 || seen["P37"] < 5 {
		t.Errorf("drawn by relation: %v", seen)
	}
	if again, err := DrawFacts(taught, 30, "P36", "P37"); err != nil || !reflect.DeepEqual(again, drawn) {
		t.Errorf("drawn again they differ (%v)", err)
	}
	for n, want := range map[int]int{0: 20, 99: 20} {
		if all, err := DrawFacts(taught, n, "P37"); err != nil || len(all) != want {
			t.Errorf("%d asked for: %d, %v", n, len(all), err)
		}
	}
	if _, err := DrawFacts(taught, 1, "P36", "P9999"); err == nil || !strings.Contains(err.Error(), "P9999") {
		t.Errorf("got %v", err)
	}
}

// TestTokenizingIsTold: before the first step the text's tokens are counted.
func TestTokenizingIsTold(t *testing.T) {
	c := tiny(t, t.TempDir())
	c.Text = filepath.Join(t.TempDir(), "long.txt")
	if err := os.WriteFile(c.Text, []byte(strings.Repeat("Mary was born in Paris .\n", 2500)), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	var told []int
	_, err := Run(ctx, c, func(p Progress) {
		if p.Step > 0 {
			cancel()
			return
		}
		told = append(told, p.Tokenized)
	})
	if !errors.Is(err, context.Canceled) || !reflect.DeepEqual(told, []int{0, 7000, 14000}) {
		t.Errorf("told %v (%v)", told, err)
	}
}
