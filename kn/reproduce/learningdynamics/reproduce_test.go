package learningdynamics_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/report/reporttest"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce/learningdynamics"
)

// quick is a reproduction of trainings of two steps.
var quick = learningdynamics.Options{
	Tasks: []string{"true", "relation"}, Seeds: 2, Command: "kn reproduce",
	Sizes: learningdynamics.Sizes{Steps: 2, Batch: 4, Dev: 10, Facts: 3, Prompts: 3},
}

func reproduced(t *testing.T, dir string, o learningdynamics.Options) (*reproduce.Outcome, map[string]bool) {
	t.Helper()
	kept := map[string]bool{}
	watch := reproduce.Watch{Stage: func(_, _ int, what string, again bool) { kept[what] = again }}
	outcome, err := learningdynamics.Reproduce(t.Context(), kn.MustLoad(mini.Name, kn.WithCache("off")), dir, o, watch)
	if err != nil {
		t.Fatal(err)
	}
	return outcome, kept
}

// TestReproduce makes a whole report, traces its numbers, and goes on after a
// stage was lost.
func TestReproduce(t *testing.T) {
	dir := t.TempDir()
	outcome, kept := reproduced(t, dir, quick)
	for stage, again := range kept {
		if again {
			t.Errorf("stage %q was found in an empty folder", stage)
		}
	}
	if len(kept) != 4*(3+3)+2+1 {
		t.Errorf("%d stages: %v", len(kept), kept)
	}
	if n := reporttest.Traced(t, dir); n < 120 {
		t.Errorf("only %d numbers are traced to result files", n)
	}
	if len(outcome.Claims) != 5 {
		t.Errorf("claims %+v", outcome.Claims)
	}
	for _, c := range outcome.Claims { // four trainings are too few
		if c.Verdict != report.Unknown || c.Evidence == "" || c.Rule == "" || len(c.Sources) == 0 {
			t.Errorf("claim %+v", c)
		}
	}
	if figure, err := os.ReadFile(filepath.Join(dir, report.FiguresDir, "attention-steps.svg")); err != nil || !strings.Contains(string(figure), "20 texts") {
		t.Errorf("the figure of both tasks does not count the 10 texts of each once (%v)", err)
	}
	if err := os.Remove(filepath.Join(dir, report.ResultsDir, "pairs.json")); err != nil {
		t.Fatal(err)
	}
	_, kept = reproduced(t, dir, quick)
	for stage, again := range kept {
		if lost := strings.Contains(stage, "from each other") || stage == "write the report"; again == lost {
			t.Errorf("stage %q kept: %v", stage, again)
		}
	}
}

func TestBadOptions(t *testing.T) {
	m := kn.MustLoad(mini.Name, kn.WithCache("off"))
	for want, o := range map[string]learningdynamics.Options{
		"two or more different": {Tasks: []string{"true", "true"}},
		"seeds":                 {Seeds: 1},
		"are made of facts":     {Sizes: learningdynamics.Sizes{MaxLength: 64}},
		"none of the tasks":     {Tasks: []string{"true", "truth"}},
		"positive":              {Sizes: learningdynamics.Sizes{Steps: 1}},
	} {
		dir := filepath.Join(t.TempDir(), "report")
		if _, err := learningdynamics.Reproduce(t.Context(), m, dir, o, reproduce.Watch{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
		if _, err := os.Stat(dir); err == nil {
			t.Errorf("%+v left a folder", o)
		}
	}
}
