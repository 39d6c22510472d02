package main

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/clitest"
)

// namedBench benches a model on disk.
func namedBench(t *testing.T, model string, args ...string) *benchmark {
	t.Helper()
	o := clitest.Finished(t, bench(t, append([]string{"--model", model, "--dir", t.TempDir(), "--repeats", "1", "--json"}, args...)...))
	var b benchmark
	if err := json.Unmarshal([]byte(o.Stdout), &b); err != nil || o.Code != 0 {
		t.Fatalf("%v: %+v", err, o)
	}
	return &b
}

// TestBenchNamedModel benches the reference checkpoint: it is named, asked for
// Paris, and attributed as exactly as promised.
func TestBenchNamedModel(t *testing.T) {
	b := namedBench(t, small(t), "--rows", "go-adaptive,go-20,sweep,cached")
	m := kn.MustLoad(small(t), kn.WithCache("off"))
	digest, err := m.Digest()
	if err != nil || b.Name != "model" || b.Model != small(t) || b.Digest != digest || b.Parameters != 10396 {
		t.Errorf("%+v, %v; want digest %s", b.benchSubject, err, digest)
	}
	if b.Prompt != benchPrompts[benchPrompt] || b.Answer != "Paris" || b.Fact != nil || math.Abs(b.Probability-m.MustProbability(b.Prompt, "Paris")) > 1e-6 {
		t.Errorf("%+v", b.benchQuestion)
	}
	errors := map[string]float64{"go-adaptive": kn.DefaultTolerance, "go-20": 0.2, "sweep": 0.01, "cached": kn.DefaultTolerance}
	for _, row := range b.Rows {
		i := slices.IndexFunc(row.Measures, func(m benchMeasure) bool { return m.Note == "" })
		if i < 0 || row.Measures[i].Error == nil || *row.Measures[i].Error > errors[row.Row] || row.Measures[i].Nodes == 0 {
			t.Errorf("%s: %+v", row.Row, row.Measures)
		}
	}
	if len(b.Rows) != len(errors) || b.Reference.Difference > 1e-5 {
		t.Errorf("%d rows, reference %+v", len(b.Rows), b.Reference)
	}
}

// TestBenchHubModel: a model of the hub's cache keeps its name there.
func TestBenchHubModel(t *testing.T) {
	const commit = "0123456789012345678901234567890123456789"
	home := t.TempDir()
	repository := filepath.Join(home, "hub", "models--someone--model")
	if err := os.CopyFS(filepath.Join(repository, "snapshots", commit), os.DirFS(small(t))); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(repository, "refs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(repository, "refs", "main"), []byte(commit), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := bench(t, "--model", "someone/model", "--dir", t.TempDir(), "--repeats", "1", "--json", "--rows", "prediction")
	cmd.Env = append(cmd.Env, "HF_HOME="+home)
	o := clitest.Finished(t, cmd)
	var b benchmark
	if err := json.Unmarshal([]byte(o.Stdout), &b); err != nil || o.Code != 0 || b.Name != "someone/model" || filepath.Base(b.Model) != commit || b.Answer != "Paris" {
		t.Errorf("%v: %+v", err, o)
	}
}

// TestBenchQuestions: what is asked when the user chooses prompt or answer, of
// one prompt and of the nine.
func TestBenchQuestions(t *testing.T) {
	const born = "Mary was born in [MASK] ."
	builtIn := benchPrompts[benchPrompt]
	best := kn.MustLoad(small(t), kn.WithCache("off")).MustPredict(born, kn.PredictOptions{Top: 1}).Predictions[0].Token
	for _, c := range []struct {
		args           []string
		prompt, answer string
		fact           string // the nine prompts' answer, if they have one of their own
	}{
		{nil, builtIn, "Paris", ""},
		{[]string{"--answer", "London"}, builtIn, "London", ""},
		{[]string{"--prompt", born}, born, best, "Paris"},
		{[]string{"--prompt", born, "--answer", "Rome"}, born, "Rome", "Paris"},
		{[]string{"--prompt", builtIn, "--answer", "Rome"}, builtIn, "Rome", ""},
	} {
		b := namedBench(t, small(t), append(c.args, "--rows", "prediction,sweep")...)
		if b.Prompt != c.prompt || b.Answer != c.answer || b.Probability <= 0 || (b.Fact != nil) != (c.fact != "") {
			t.Errorf("%q: %+v, fact %+v", c.args, b.benchQuestion, b.Fact)
			continue
		}
		nine, other := &b.benchQuestion, (*benchReference)(nil)
		if b.Fact != nil {
			nine, other = b.Fact, b.Reference
		}
		if c.fact != "" && (nine.Answer != c.fact || nine.Prompt != builtIn || nine.Probability <= 0) || nine.Reference == nil || other != nil {
			t.Errorf("%q: the nine prompts are asked %+v; the prompt has the reference %+v", c.args, nine, other)
		}
		for _, row := range b.Rows {
			if m := row.Measures[len(row.Measures)-1]; row.Row == "sweep" && (m.Error == nil || *m.Error > 0.01) {
				t.Errorf("%q: %+v", c.args, m)
			}
		}
	}
}

// TestBenchLowerCase: the answer is the token of the vocabulary, which
// knowledge-neurons looks up as it stands.
func TestBenchLowerCase(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "uncased")
	if err := os.CopyFS(folder, os.DirFS(small(t))); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(folder, "tokenizer.json")); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(folder, "tokenizer_config.json"), []byte(`{"do_lower_case": true}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if b := namedBench(t, folder, "--rows", "prediction"); b.Answer != "paris" || b.Name != "uncased" || b.Reference != nil {
		t.Errorf("%+v, %+v", b.benchSubject, b.benchQuestion)
	}
}

// TestBenchSpread: the fastest, the median and the slowest prompt, by the
// medians of their repetitions; what was not measured keeps its note.
func TestBenchSpread(t *testing.T) {
	folder := tinyBench(t)
	b := &benchmark{}
	b.tokenizer = kn.MustLoad(folder).Tokenizer()
	prompts := []string{"The [MASK]", "The [MASK] is", "The [MASK] is in", "The [MASK] is in France"} // 4 to 7 tokens
	m := benchMeasure{Contender: "kn", Median: 9, Peak: 7}
	for _, seconds := range [][]float64{{3, 1, 9, 2}, {5, 1, 2, 2}, {4, 8, 1, 3}} {
		var taken []promptTaken
		for i, s := range seconds {
			taken = append(taken, promptTaken{s, float64(10 + i)})
		}
		m.recordPrompts(b, prompts, taken)
		m.recordPrompts(b, prompts, nil) // not told
	}
	r := benchRowResult{Measures: []benchMeasure{m}}
	r.spread()
	want := []benchMeasure{
		{Contender: "fastest, 5 tokens", Seconds: []float64{1, 1, 8}, Minimum: 1, Median: 1, Nodes: 11, Peak: 7},
		{Contender: "median, 6 tokens", Seconds: []float64{9, 2, 1}, Minimum: 1, Median: 2, Nodes: 12, Peak: 7},
		{Contender: "slowest, 4 tokens", Seconds: []float64{3, 5, 4}, Minimum: 3, Median: 4, Nodes: 10, Peak: 7},
	}
	got, err1 := json.Marshal(r.Measures)
	expected, err2 := json.Marshal(want)
	if err1 != nil || err2 != nil || string(got) != string(expected) {
		t.Errorf("%s\nwant\n%s", got, expected)
	}
	if len(r.ByPrompt) != 4 || r.ByPrompt[3].Prompt != prompts[3] || r.ByPrompt[3].Tokens != 7 || r.ByPrompt[3].Median != 2 {
		t.Errorf("%+v", r.ByPrompt)
	}
	r = benchRowResult{Measures: []benchMeasure{{Contender: "kn", Note: "no XLA"}}}
	if r.spread(); len(r.Measures) != 1 || r.Measures[0].Note != "no XLA" || r.ByPrompt != nil {
		t.Errorf("not measured: %+v", r)
	}
}
