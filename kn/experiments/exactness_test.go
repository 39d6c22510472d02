package experiments_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// loadGolden is the small reference model, whose weights are random.
func loadGolden(t *testing.T, cache string) *kn.Model {
	t.Helper()
	m, err := kn.Load(filepath.Join(sharedtest.Goldens(t)[0], "model"), kn.WithCache(cache))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// asked are facts of one relation more than there are prompts of the last:
// four of P36 in three prompts each, two of P19 in two, one of P6 in one.
func asked() (all []experiments.Fact) {
	add := func(relation, answer string, prompts ...string) {
		all = append(all, experiments.Fact{Bag: facts.Bag{Relation: relation, Answer: answer, Prompts: prompts}})
	}
	for _, country := range []string{"France", "Italy", "Germany", "Ireland"} {
		add("P36", "Paris", "The capital of "+country+" is [MASK] .", country+" has the capital [MASK] .", "[MASK] is the capital of "+country+" .")
	}
	for _, person := range []string{"Mary", "the city"} {
		add("P19", "London", person+" is from [MASK] .", person+" was in [MASK] .")
	}
	add("P6", "Rome", "The city of [MASK] .")
	return all
}

// wantConsistent checks what holds for every table.
func wantConsistent(t *testing.T, x *experiments.ExactnessTable) {
	t.Helper()
	checked := 0
	for _, p := range x.Each {
		if p.Check != nil {
			checked++
		}
		if p.Largest <= 0 || p.Reference.Estimate > x.Reference.Estimate || p.Reference.Nodes < 1 || len(p.By) != len(x.Tolerances) {
			t.Errorf("%+v", p)
		}
	}
	if x.Prompts != len(x.Each) || x.Check.Prompts != checked || x.Check.Median > x.Check.Difference {
		t.Errorf("%d prompts, check %+v; %d and %d in the list", x.Prompts, x.Check, len(x.Each), checked)
	}
	for k, r := range x.Tolerances {
		within, off, reported := 0, 0, 0
		for _, p := range x.Each {
			a := p.By[k]
			if a.Error <= r.Tolerance {
				within++
			} else {
				off++
			}
			if a.NotConverged {
				reported++
			} else if a.Estimate > 1.01*r.Tolerance {
				t.Errorf("to %g: %q is estimated as %v and not reported", r.Tolerance, p.Prompt, a.Estimate)
			}
		}
		if r.Prompts != x.Prompts || r.Layers != x.Prompts*x.Layers || r.Within != within || r.Within+off != r.Prompts || r.NotConverged != reported {
			t.Errorf("to %g: %+v, while %d are within, %d off and %d reported", r.Tolerance, r, within, off, reported)
		}
		if s := r.Share; s.Mean != float64(within)/float64(r.Prompts) || s.Low > s.Mean || s.High < s.Mean || s.Low < 0 || s.High > 1 {
			t.Errorf("to %g: share %+v", r.Tolerance, s)
		}
		if r.BelowSeen > r.Below || r.Below > r.Layers || r.AsReference > r.Layers || r.WorstConverged > r.Worst {
			t.Errorf("to %g: %+v", r.Tolerance, r)
		}
		if len(r.WorstPrompts) != min(5, r.Prompts) || !near(r.WorstPrompts[0].Error, r.Worst*r.Tolerance) {
			t.Errorf("to %g: the worst is off by %v tolerances, the list has %+v", r.Tolerance, r.Worst, r.WorstPrompts)
		}
		for i := 1; i < len(r.WorstPrompts); i++ {
			if r.WorstPrompts[i].Error > r.WorstPrompts[i-1].Error {
				t.Errorf("to %g: the worst prompts are not in order: %+v", r.Tolerance, r.WorstPrompts)
			}
		}
	}
}

func near(a, b float64) bool { return a-b < 1e-12 && b-a < 1e-12 }

// TestExactnessOfGolden: with a smooth activation function the promise is
// kept, and the reference is what Gauss-Legendre nodes give.
func TestExactnessOfGolden(t *testing.T) {
	x, err := experiments.Exactness(t.Context(), loadGolden(t, "off"), asked(), experiments.ExactnessOptions{CheckEvery: 1, Seed: 1}, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantConsistent(t, x)
	if x.Prompts != 17 || x.Relations != 3 || x.Layers != 2 || x.Activation != "gelu" || len(x.Tolerances) != 2 {
		t.Errorf("%d prompts, %d relations, %d layers, %s, %d tolerances", x.Prompts, x.Relations, x.Layers, x.Activation, len(x.Tolerances))
	}
	if x.Check.Nodes != 64 || x.Check.Prompts != 17 || x.Check.Difference > 1e-5 {
		t.Errorf("the reference is off: %+v", x.Check)
	}
	for _, r := range x.Tolerances {
		if r.Verdict != experiments.PromiseKept {
			t.Errorf("to %g: %+v", r.Tolerance, r)
		}
	}
	if rough, fine := x.Tolerances[0], x.Tolerances[1]; rough.Tolerance != 1e-2 || fine.Tolerance != 1e-3 || rough.Nodes > fine.Nodes || fine.Nodes > x.Reference.Nodes {
		t.Errorf("%v nodes to %g, %v to %g, the reference %v", rough.Nodes, rough.Tolerance, fine.Nodes, fine.Tolerance, x.Reference.Nodes)
	}
}

// TestExactnessOfMini: the reference is as exact as 256 Gauss-Legendre nodes.
func TestExactnessOfMini(t *testing.T) {
	m := loadMini(t)
	o := experiments.ExactnessOptions{Prompts: 4, Tolerances: []float64{0.1, 0.01}, Reference: 1e-4, CheckNodes: 256, CheckEvery: 2, Seed: 1}
	x, err := experiments.Exactness(t.Context(), m, gathered(t, m, 1).Facts, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	wantConsistent(t, x)
	if x.Prompts != 4 || x.Relations != 3 || x.Activation != "gelu" || x.Check.Prompts != 2 || x.Check.Difference > 1e-4 { // the reference's tolerance
		t.Errorf("%+v", x)
	}
	// One by one, the attributions are off by what the table says.
	for _, p := range x.Each {
		exact := m.MustAttribute(p.Prompt, p.Answer, kn.AttributeOptions{Tolerance: 1e-4, Nodes: 4096})
		rough := m.MustAttribute(p.Prompt, p.Answer, kn.AttributeOptions{Tolerance: 0.1})
		worst, layer := 0.0, 0
		for l, row := range exact.Scores {
			for i, s := range row {
				if d := max(s-rough.Scores[l][i], rough.Scores[l][i]-s) / p.Largest; d > worst {
					worst, layer = d, l
				}
			}
		}
		if got := p.By[0]; got.Error != worst || got.Layer != layer || got.Estimate != rough.EstimatedError[layer]/p.Largest {
			t.Errorf("%q: %+v, one by one %v in layer %d", p.Prompt, got, worst, layer)
		}
	}
}

// TestExactnessDraw: relations take turns, and facts within them, and nothing
// is drawn twice.
func TestExactnessDraw(t *testing.T) {
	m := loadGolden(t, "off")
	draw := func(n int, seed uint64) (prompts []string, count map[string]int) {
		o := experiments.ExactnessOptions{Prompts: n, Tolerances: []float64{0.5}, Reference: 0.05, CheckEvery: 100, Seed: seed}
		x, err := experiments.Exactness(t.Context(), m, asked(), o, nil)
		if err != nil {
			t.Fatal(err)
		}
		count = map[string]int{}
		for _, p := range x.Each {
			prompts = append(prompts, p.Prompt)
			count[p.Relation]++
		}
		return prompts, count
	}
	for n, want := range map[int]map[string]int{
		3: {"P36": 1, "P19": 1, "P6": 1}, 9: {"P36": 4, "P19": 4, "P6": 1}, 12: {"P36": 7, "P19": 4, "P6": 1}, 99: {"P36": 12, "P19": 4, "P6": 1},
	} {
		prompts, count := draw(n, 1)
		if !reflect.DeepEqual(count, want) {
			t.Errorf("of %d prompts the relations have %v, want %v", n, count, want)
		}
		seen := map[string]bool{}
		for _, p := range prompts {
			seen[p] = true
		}
		if len(seen) != len(prompts) {
			t.Errorf("drawn twice: %q", prompts)
		}
		for _, country := range []string{"France", "Italy", "Germany", "Ireland"} {
			if n == 9 && strings.Count(strings.Join(prompts, "\n"), country) != 1 {
				t.Errorf("of four prompts of P36 not each is of another fact: %q", prompts)
			}
		}
	}
	first, _ := draw(6, 1)
	again, _ := draw(6, 1)
	other, _ := draw(6, 2)
	if !reflect.DeepEqual(first, again) || reflect.DeepEqual(first, other) {
		t.Errorf("seed 1 gives %q and %q, seed 2 %q", first, again, other)
	}
}

// TestExactnessGoesOn: what a cancelled run attributed is found in the cache,
// and the result is that of a run that was not cancelled.
func TestExactnessGoesOn(t *testing.T) {
	dir := t.TempDir()
	o := experiments.ExactnessOptions{Prompts: 8, Seed: 1}
	kept := func() (n int) {
		err := fs.WalkDir(os.DirFS(dir), ".", func(_ string, entry fs.DirEntry, err error) error {
			if err == nil && !entry.IsDir() {
				n++
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	_, err := experiments.Exactness(ctx, loadGolden(t, dir), asked(), o, func(done, _ int, _ string) {
		if done == 2 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("cancelled: %v", err)
	}
	const all = 8*3 + 1 // the reference and two tolerances each, and a check
	if n := kept(); n < 2*3 || n >= all {
		t.Errorf("the cancelled run left %d attributions of %d", n, all)
	}
	resumed, err := experiments.Exactness(t.Context(), loadGolden(t, dir), asked(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := experiments.Exactness(t.Context(), loadGolden(t, "off"), asked(), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n := kept(); n != all || !reflect.DeepEqual(resumed, whole) {
		t.Errorf("%d attributions were kept, want %d; resumed %+v, in one go %+v", n, all, resumed, whole)
	}
}

func TestBadExactness(t *testing.T) {
	m := loadGolden(t, "off")
	for words, o := range map[string]experiments.ExactnessOptions{
		"a tenth":            {Tolerances: []float64{1e-2, 1e-5}},
		"-1 prompts":         {Prompts: -1},
		"reference to -0.01": {Reference: -0.01},
	} {
		if _, err := experiments.Exactness(t.Context(), m, asked(), o, nil); err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("%+v: %v, want %q", o, err, words)
		}
	}
	if _, err := experiments.Exactness(t.Context(), m, nil, experiments.ExactnessOptions{}, nil); err == nil || !strings.Contains(err.Error(), "no facts") {
		t.Errorf("without facts: %v", err)
	}
}
