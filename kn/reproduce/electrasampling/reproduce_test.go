package electrasampling_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/report/reporttest"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce/electrasampling"
)

// quick is a reproduction of two seeds that learn nothing.
var quick = electrasampling.Options{Seeds: 2, Steps: 20, Relations: []string{"P36", "P1376"}, Facts: 60, Batch: 4, HeldOut: 4, Hidden: 8, Draws: 2, Train: 10, Epochs: 1, Command: "kn reproduce"}

// TestReproduce makes a whole report, traces its numbers, and makes it again
// from what is kept.
func TestReproduce(t *testing.T) {
	t.Setenv("KN_CACHE", t.TempDir())
	dir := t.TempDir()
	run := func() (*reproduce.Outcome, int) {
		t.Helper()
		kept := 0
		o, err := electrasampling.Reproduce(t.Context(), mini.Name, dir, quick, reproduce.Watch{Stage: func(_, _ int, _ string, again bool) {
			if again {
				kept++
			}
		}})
		if err != nil {
			t.Fatal(err)
		}
		return o, kept
	}
	first, kept := run()
	if kept != 0 {
		t.Errorf("%d stages were found in an empty folder", kept)
	}
	if n := reporttest.Traced(t, dir); n < 650 {
		t.Errorf("only %d numbers are traced to result files", n)
	}
	verdicts := map[string]report.Verdict{}
	for _, c := range first.Claims {
		verdicts[c.ID] = c.Verdict
	}
	// Of two seeds only what differs much can be told.
	if len(verdicts) != 5 {
		t.Errorf("verdicts %v", verdicts)
	}
	for _, id := range []string{"downstream-steps", "downstream-time"} {
		if v := verdicts[id]; v != report.Unknown && v != report.Fails {
			t.Errorf("of models that learned nothing, %s: %q", id, v)
		}
	}
	page, err := os.ReadFile(first.Markdown)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"2 of a window's 16 tokens masked", "with 8 masked tokens and 2 draws", "on 10 examples for one epoch, on 10 others",
		"\n| (always the commonest answer of the examples learned from) | 50.0 % |", "Above that of ELECTRA with focal loss: HP\\_Loss ", " points \\[", "in all, dealt out equally to stages that ran side by side (",
	} {
		if !strings.Contains(string(page), text) {
			t.Errorf("the report lacks %q", text)
		}
	}
	if err := os.Remove(filepath.Join(dir, report.ResultsDir, "finetune-plain-2.json")); err != nil {
		t.Fatal(err)
	}
	again, kept := run()
	if kept != 23 {
		t.Errorf("%d stages of 24 were kept, want all but one", kept)
	}
	if repeated, err := os.ReadFile(again.Markdown); err != nil || len(repeated) < len(page)*9/10 || len(again.Claims) != 5 {
		t.Errorf("another report: %d bytes, not %d, %v", len(repeated), len(page), err)
	}
	if _, err := electrasampling.Reproduce(t.Context(), mini.Name, dir, electrasampling.Options{Seeds: 1}, reproduce.Watch{}); err == nil {
		t.Error("one seed is taken")
	}
	strange := quick
	strange.Relations = []string{"P36", "P9999"}
	if _, err := electrasampling.Reproduce(t.Context(), mini.Name, t.TempDir(), strange, reproduce.Watch{}); err == nil || !strings.Contains(err.Error(), "P9999") {
		t.Errorf("facts of a relation that was not taught: %v", err)
	}
}
