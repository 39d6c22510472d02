package publishedneurons_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report/reporttest"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce/publishedneurons"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// TestWrite reports a comparison that was made up: of four facts that differ by
// exact integrals one does by the rule, one by rounding, and two for no known reason.
func TestWrite(t *testing.T) {
	differs := func(subject string, margin float64, here bool) experiments.PublishedDifference {
		return experiments.PublishedDifference{
			Relation: "P36", Subject: subject, Answer: "Paris", Prompts: 3, Published: []kn.Neuron{{Layer: 1, Index: 2}}, Here: []kn.Neuron{},
			Neurons: []experiments.MarginNeuron{{Neuron: kn.Neuron{Layer: 3, Index: 4}, Here: here, Margin: margin}}, Margin: margin,
		}
	}
	compared := func(facts, same int, share stats.Interval, differences ...experiments.PublishedDifference) *experiments.PublishedComparison {
		return &experiments.PublishedComparison{Facts: facts, Relations: 1, Prompts: 3 * facts, Identical: same, Share: share, Overlap: stats.Interval{Mean: 0.9, Low: 0.8, High: 1}, Differences: differences}
	}
	a, b, c, d := differs("rule", 0.02, true), differs("rounded", 0.0005, false), differs("odd", 0.5, false), differs("odder", 0.6, true)
	e := &experiments.ExactFirst{
		Recipe:    kn.EleutherAI2021,
		Exact:     compared(32, 28, stats.Interval{Mean: 0.875, Low: 0.71, High: 0.965}, d, c, a, b),
		Differing: compared(4, 1, stats.Interval{Mean: 0.25, Low: 0.006, High: 0.806}, d, c, b),
		Control:   compared(28, 28, stats.Interval{Mean: 1, Low: 0.8766, High: 1}),
		Share:     stats.Interval{Mean: 0.906, Low: 0.7, High: 1},
	}
	dir := t.TempDir()
	if err := publishedneurons.Write(dir, e, "sets.jsonl", "kn compare-neurons"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`| 28 | 84 | 28 | 100.0 % \[87.7, 100.0\] |`,
		"the sets are the same | 1 |", "of what decides | 1 |", "and by more | 2 |",
		"| P36 | rule | Paris | 1 | 0 | +3:4 | 2.00 % | the rule | – |",
		"| P36 | rounded | Paris | 1 | 0 | −3:4 | 0.05 % | rounding | 0.05 % |",
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the report lacks %q:\n%s", want, text)
		}
	}
	if n := reporttest.Traced(t, dir); n == 0 {
		t.Error("no number is traced")
	}
}

// TestWriteAlike: where all sets are the same there is nothing to explain.
func TestWriteAlike(t *testing.T) {
	all := &experiments.PublishedComparison{Facts: 3, Relations: 1, Prompts: 9, Identical: 3, Share: stats.Interval{Mean: 1, Low: 0.29, High: 1}, Overlap: stats.Interval{Mean: 1, Low: 1, High: 1}}
	dir := t.TempDir()
	if err := publishedneurons.Write(dir, &experiments.ExactFirst{Recipe: kn.EleutherAI2021, Exact: all, Control: all, Share: all.Share}, "sets.jsonl", "kn compare-neurons"); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(dir, "report.md"))
	if err != nil || strings.Contains(string(text), "those that differ by exact integrals |") || !strings.Contains(string(text), "and by more | 0 |") {
		t.Errorf("%v:\n%s", err, text)
	}
}
