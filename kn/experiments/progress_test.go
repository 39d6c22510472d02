package experiments_test

import (
	"context"
	"sync"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
)

// TestProgressIsOfTheWhole: parts that run side by side do not report each its
// own progress through the model.
func TestProgressIsOfTheWhole(t *testing.T) {
	plain := loadMini(t)
	all := gathered(t, plain, 1).Facts
	var mutex sync.Mutex
	ofParts := ""
	m := plain.WithProgress(func(_, _ int, what string) {
		mutex.Lock()
		defer mutex.Unlock()
		ofParts = what
	})
	for name, run := range map[string]func(ctx context.Context, progress kn.Progress) error{
		"intervene": func(ctx context.Context, progress kn.Progress) error {
			_, err := experiments.Intervene(ctx, m, all, experiments.InterveneOptions{Draws: 1, Resamples: 10}, progress)
			return err
		},
		"recipes": func(ctx context.Context, progress kn.Progress) error {
			_, err := experiments.DiffRecipes(ctx, m, all, experiments.DiffOptions{Facts: 1, Resamples: 10}, progress)
			return err
		},
		"convergence": func(ctx context.Context, progress kn.Progress) error {
			_, err := experiments.Convergence(ctx, m, all, experiments.ConvergenceOptions{Prompts: 1, Nodes: []int{4}, Tolerances: []float64{0.1}, Reference: 0.01, Resamples: 10}, progress)
			return err
		},
		"exactness": func(ctx context.Context, progress kn.Progress) error {
			_, err := experiments.Exactness(ctx, m, all, experiments.ExactnessOptions{Prompts: 2, Tolerances: []float64{0.1}, Reference: 0.01}, progress)
			return err
		},
	} {
		ofParts = ""
		last := 0
		err := run(t.Context(), func(done, total int, _ string) {
			if done != last+1 || done > total {
				t.Errorf("%s: %d of %d after %d", name, done, total, last)
			}
			last = done
		})
		if err != nil || last == 0 {
			t.Errorf("%s: %v, progress %d", name, err, last)
		}
		if ofParts != "" {
			t.Errorf("%s: a part reports %q", name, ofParts)
		}
	}
}
