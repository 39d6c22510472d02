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

// TestAnnounce: a step is measured once, before there are results, and leaves
// none behind.
func TestAnnounce(t *testing.T) {
	dir := t.TempDir()
	var plans []reproduce.Plan
	run, err := reproduce.Open(dir, 2, reproduce.Watch{Plan: func(p reproduce.Plan) { plans = append(plans, p) }})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	data := finetune.MustBuiltIn("true", facts.Known(mini.MustFacts()), finetune.Sizes{Train: 8, Dev: 4, Test: 4})
	c := finetune.Config{Model: mini.Name, Data: data, Batch: 4, Steps: 1000, Checkpoints: []int{0, 500}}
	for range 2 {
		if err := run.Announce(t.Context(), c, []reproduce.Planned{{What: "all", Steps: 1000}}); err != nil {
			t.Fatal(err)
		}
		if len(plans) != 1 || !(plans[0].Step > 0 && plans[0].Step < 60 && plans[0].Example > 0 && plans[0].Example < plans[0].Step) {
			t.Errorf("%+v", plans)
		}
		if _, err := reproduce.Stage(t.Context(), run, "all", "all", "key", func(context.Context, kn.Progress) (*number, error) { return &number{1}, nil }); err != nil {
			t.Fatal(err)
		}
	}
}
