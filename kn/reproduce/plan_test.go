package reproduce_test

import (
	"context"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

func TestPlan(t *testing.T) {
	p := reproduce.Plan{Step: 3600, Example: 36, Stages: []reproduce.Planned{{What: "learn", Steps: 2}, {What: "look", Steps: 1, Examples: 50}}}
	if got := p.Hours(p.Stages...); got != 2+1.5 {
		t.Errorf("%v hours", got)
	}
	if text := p.String(); !strings.HasPrefix(text, "3.50 hours in all") || !strings.Contains(text, "    2.00 h  learn\n") || !strings.Contains(text, "    1.50 h  look\n") {
		t.Errorf("%s", text)
	}
}

// TestPlanTrainings: as many steps and examples are planned as a training takes
// and is measured on, whose held-out parts differ in size.
func TestPlanTrainings(t *testing.T) {
	data := finetune.MustBuiltIn("true", facts.Known(mini.MustFacts()), finetune.Sizes{Train: 8, Dev: 3, Test: 5})
	sizes := map[string]int{"dev": 3, "test": 5}
	for _, every := range []int{2, 3, -1} {
		c := finetune.Config{Model: mini.Name, Data: data, Out: t.TempDir(), Batch: 4, Steps: 3, Evaluate: []string{"dev"}, EvaluateEvery: every}
		record, err := finetune.Run(t.Context(), c, nil)
		if err != nil {
			t.Fatal(err)
		}
		want := reproduce.Planned{What: "learn twice", Steps: 2 * record.Steps}
		for _, e := range record.History.Evaluations {
			want.Examples += 2 * sizes[e.Part]
		}
		for part := range record.Evaluations {
			want.Examples += 2 * sizes[part]
		}
		if got := reproduce.PlanTrainings("learn twice", []finetune.Config{c, c}); got != want {
			t.Errorf("evaluated every %d steps: %+v, want %+v", every, got, want)
		}
	}
}

// TestAnnounce: a step is measured before the first stage that is computed, be
// it that an option changed, and not if all results are kept.
func TestAnnounce(t *testing.T) {
	dir := t.TempDir()
	data := finetune.MustBuiltIn("true", facts.Known(mini.MustFacts()), finetune.Sizes{Train: 8, Dev: 4, Test: 4})
	c := finetune.Config{Model: mini.Name, Data: data, Batch: 4, Steps: 1000, Checkpoints: []int{0, 500}}
	for _, run := range []struct {
		second string // key
		told   string
	}{
		{"b", "plan, one, two"},
		{"b", "one kept, two kept"},
		{"c", "one kept, plan, two"},
	} {
		var told []string
		watch := reproduce.Watch{
			Plan: func(p reproduce.Plan) {
				told = append(told, "plan")
				if !(p.Step > 0 && p.Step < 60 && p.Example > 0 && p.Example < p.Step) {
					t.Errorf("%+v", p)
				}
			},
			Stage: func(_, _ int, what string, kept bool) {
				if kept {
					what += " kept"
				}
				told = append(told, what)
			},
		}
		r, err := reproduce.Open(dir, 2, watch)
		if err != nil {
			t.Fatal(err)
		}
		r.Announce(c, []reproduce.Planned{{What: "all", Steps: 1000}})
		for _, s := range [][2]string{{"one", "a"}, {"two", run.second}} {
			if _, err := reproduce.Stage(t.Context(), r, s[0], s[0], s[1], func(context.Context, kn.Progress) (*number, error) { return &number{1}, nil }); err != nil {
				t.Fatal(err)
			}
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(told, ", "); got != run.told {
			t.Errorf("the second stage's key being %s, told %q, want %q", run.second, got, run.told)
		}
	}
}

// TestAnnounceFails: a training that cannot be measured is an error of the first
// stage, which is not computed.
func TestAnnounceFails(t *testing.T) {
	r, err := reproduce.Open(t.TempDir(), 1, reproduce.Watch{Plan: func(p reproduce.Plan) { t.Errorf("%+v", p) }})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	r.Announce(finetune.Config{Model: mini.Name, Data: &finetune.Data{Name: "nothing"}}, nil)
	for range 2 {
		_, err := reproduce.Stage(t.Context(), r, "one", "one", "key", func(context.Context, kn.Progress) (*number, error) {
			t.Error("computed")
			return &number{1}, nil
		})
		if err == nil || !strings.Contains(err.Error(), `measuring a training step: finetune: nothing has no part "train"`) {
			t.Errorf("error is %v", err)
		}
	}
}
