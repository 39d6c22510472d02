package dynamics

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/cache"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/notebook"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// FollowOptions are what [Follow] takes. The zero value is the default.
type FollowOptions struct {
	Options
	// Recipe says which neurons hold a fact. Zero: the adaptive rule to a
	// hundredth of the largest score, t = 0.2, p = 0.7 and at least 3 prompts.
	Recipe kn.Recipe
	// Control are prompts whose answers are no fact's, such as [MaskedWords]
	// makes: what fine-tuning takes from all words alike. Only the answer's
	// probability is measured.
	Control []kn.Query
	// Resamples of the intervals. 0: 2000.
	Resamples int
	// Seed of the resampling.
	Seed uint64
}

func (o FollowOptions) filled() FollowOptions {
	if o.Recipe == (kn.Recipe{}) {
		o.Recipe = kn.Recipe{Attribute: kn.AttributeOptions{Tolerance: 0.01}, Threshold: kn.DefaultThreshold, Share: kn.DefaultShare, MinPrompts: 3}
	}
	return o
}

// Follow follows facts and their knowledge neurons through fine-tuning. Every
// checkpoint's encoder gets the head of the start, see [Graft], and is asked
// for the facts: with which probability it gives the answer, which neurons the
// answer is attributed to, and how many of them are those of the start. The
// start is step 0, and stands for a checkpoint of that step.
func Follow(ctx context.Context, start string, checkpoints []Checkpoint, bags []facts.Bag, o FollowOptions) (*KnowledgeBySteps, error) {
	o = o.filled()
	if err := checkFollow(checkpoints, bags); err != nil {
		return nil, err
	}
	checkpoints = slices.DeleteFunc(slices.Clone(checkpoints), func(c Checkpoint) bool { return c.Step == 0 })
	names := []string{start}
	for _, c := range checkpoints {
		names = append(names, c.Model)
	}
	sources, err := openAll(ctx, names)
	if err != nil {
		return nil, err
	}
	if o.Progress == nil {
		o.Progress = notebook.Step()
	}
	f := follower{start: start, checkpoints: checkpoints, bags: bags, options: o}
	for _, s := range sources {
		f.digests = append(f.digests, s.digest)
	}
	key, err := cache.Key("dynamics follow", names, f.digests, checkpoints, bags, o.Recipe, o.Control, o.Resamples, o.Seed)
	if err != nil {
		return nil, err
	}
	var store cache.Cache
	if !o.NoCache {
		store = cache.Default()
	}
	r := new(KnowledgeBySteps)
	if store.Get(key, r) {
		return r, nil
	}
	if r, err = f.follow(ctx); err != nil {
		return nil, err
	}
	if err := store.Put(key, r); err != nil {
		fmt.Fprintln(os.Stderr, "warning:", err) // the result is there all the same
	}
	return r, nil
}

// MustFollow is [Follow] for notebook cells: it panics instead of returning an error.
func MustFollow(ctx context.Context, start string, checkpoints []Checkpoint, bags []facts.Bag, o FollowOptions) *KnowledgeBySteps {
	return kn.Must(Follow(ctx, start, checkpoints, bags, o))
}

func checkFollow(checkpoints []Checkpoint, bags []facts.Bag) error {
	if len(bags) == 0 {
		return errors.New("dynamics: there is no fact to follow")
	}
	seen := map[string]bool{}
	for _, b := range bags {
		if len(b.Prompts) == 0 || seen[b.Key()] {
			return fmt.Errorf("dynamics: the fact %s has no prompt, or comes twice", b)
		}
		seen[b.Key()] = true
	}
	return inOrder(checkpoints)
}

// follower asks one model after another for the facts.
type follower struct {
	start       string
	checkpoints []Checkpoint
	bags        []facts.Bag
	options     FollowOptions
	digests     []string
}

// known is what a model knows of a fact.
type known struct {
	probability []float64 // of the answer, by prompt
	first       []float64 // 1 where the answer is ranked first
	neurons     []kn.Neuron
}

func (f *follower) follow(ctx context.Context) (*KnowledgeBySteps, error) {
	m, err := kn.Load(f.start, kn.WithContext(ctx), kn.WithCache("off"))
	if err != nil {
		return nil, err
	}
	r := &KnowledgeBySteps{
		Start: f.start, Facts: len(f.bags), Neurons: make([]int, m.Config().Layers),
		Provenance: kn.Provenance{
			Model: f.start, Digest: f.digests[0], Version: kn.Version, Seed: f.options.Seed,
			Options: map[string]any{"measure": "follow", "recipe": f.options.Recipe, "checkpoints": f.digests[1:]},
		},
	}
	atStart, control, err := f.ask(m, 0)
	if err != nil {
		return nil, err
	}
	r.ControlPrompts = len(f.options.Control)
	for i := range f.bags {
		r.Prompts += len(f.bags[i].Prompts)
		for _, n := range atStart[i].neurons {
			r.Neurons[n.Layer]++
		}
	}
	if r.relations(f.bags); !slices.ContainsFunc(r.Neurons, func(n int) bool { return n > 0 }) {
		return nil, fmt.Errorf("dynamics: none of the %d facts has a knowledge neuron at the start; take other facts, more prompts, or a lower share", len(f.bags))
	}
	f.add(r, 0, atStart, atStart, control)
	for i, c := range f.checkpoints {
		now, control, err := f.askGrafted(ctx, c.Model, i+1)
		if err != nil {
			return nil, err
		}
		f.add(r, c.Step, atStart, now, control)
	}
	return r, nil
}

// askGrafted asks a checkpoint's encoder through the start's head.
func (f *follower) askGrafted(ctx context.Context, checkpoint string, i int) (facts []known, control []float64, err error) {
	dir, err := os.MkdirTemp("", "kn-follow-*")
	if err != nil {
		return nil, nil, fmt.Errorf("dynamics: %w", err)
	}
	defer os.RemoveAll(dir)
	model := filepath.Join(dir, "model")
	if err := Graft(ctx, checkpoint, f.start, model); err != nil {
		return nil, nil, err
	}
	m, err := kn.Load(model, kn.WithContext(ctx), kn.WithCache("off"))
	if err != nil {
		return nil, nil, err
	}
	if facts, control, err = f.ask(m, i); err != nil {
		return nil, nil, fmt.Errorf("dynamics: %s: %w", checkpoint, err)
	}
	return facts, control, nil
}

// ask asks the i-th of the models for all facts, and for the control's answers.
func (f *follower) ask(m *kn.Model, i int) (facts []known, control []float64, err error) {
	out := make([]known, len(f.bags))
	for k, b := range f.bags {
		var queries []kn.Query
		var trials []kn.Trial
		for _, p := range b.Prompts {
			q := kn.Query{Prompt: p, Answer: b.Answer}
			queries, trials = append(queries, q), append(trials, kn.Trial{Query: q})
		}
		attributions, err := m.AttributeAll(queries, f.options.Recipe.Attribute)
		if err != nil {
			return nil, nil, err
		}
		outcomes, err := m.Outcomes(trials)
		if err != nil {
			return nil, nil, err
		}
		for j, a := range attributions {
			first := 0.0
			if outcomes[j].Answer.Rank == 1 {
				first = 1
			}
			out[k].probability, out[k].first = append(out[k].probability, a.Probability), append(out[k].first, first)
		}
		_, out[k].neurons = f.options.Recipe.Choose(attributions)
		if f.options.Progress != nil {
			f.options.Progress(i*len(f.bags)+k+1, (len(f.checkpoints)+1)*len(f.bags), "following facts through checkpoints")
		}
	}
	var trials []kn.Trial
	for _, q := range f.options.Control {
		trials = append(trials, kn.Trial{Query: q})
	}
	outcomes, err := m.Outcomes(trials)
	if err != nil {
		return nil, nil, err
	}
	for _, o := range outcomes {
		control = append(control, o.Answer.Probability)
	}
	return out, control, nil
}

// relations lists the facts' relations.
func (r *KnowledgeBySteps) relations(bags []facts.Bag) {
	for _, b := range bags {
		i := slices.IndexFunc(r.ByRelation, func(x RelationBySteps) bool { return x.Relation == b.Relation })
		if i < 0 {
			i = len(r.ByRelation)
			r.ByRelation = append(r.ByRelation, RelationBySteps{Relation: b.Relation, Name: b.RelationName})
		}
		r.ByRelation[i].Facts++
	}
	slices.SortFunc(r.ByRelation, func(a, b RelationBySteps) int { return cmp.Compare(a.Relation, b.Relation) })
}

// add adds a step: what a model knows now beside what it knew at the start.
func (f *follower) add(r *KnowledgeBySteps, step int, start, now []known, control []float64) {
	probability, first := map[string][]float64{}, map[string][]float64{}
	perFact, overlap := map[string][]float64{}, map[string][]float64{}
	relation := map[string][]float64{}
	kept := make([]float64, len(r.Neurons))
	for i, b := range f.bags {
		key := b.Key()
		probability[key], first[key] = now[i].probability, now[i].first
		relation[b.Relation] = append(relation[b.Relation], now[i].probability...)
		perFact[key] = []float64{float64(len(now[i].neurons))}
		if len(start[i].neurons) > 0 {
			overlap[key] = []float64{jaccard(start[i].neurons, now[i].neurons)}
		}
		for _, n := range start[i].neurons {
			if slices.Contains(now[i].neurons, n) {
				kept[n.Layer]++
			}
		}
	}
	o := stats.Options{Resamples: f.options.Resamples, Seed: f.options.Seed}
	r.Steps = append(r.Steps, step)
	r.Probability, r.First = append(r.Probability, stats.Bootstrap(probability, o)), append(r.First, stats.Bootstrap(first, o))
	r.PerFact, r.Overlap = append(r.PerFact, stats.Bootstrap(perFact, o)), append(r.Overlap, stats.Bootstrap(overlap, o))
	if len(control) > 0 {
		prompts := map[int][]float64{}
		for i, p := range control {
			prompts[i] = []float64{p}
		}
		r.Control = append(r.Control, stats.Bootstrap(prompts, o))
	}
	shares := make([]*float64, len(kept))
	for l, n := range r.Neurons {
		if n > 0 {
			share := kept[l] / float64(n)
			shares[l] = &share
		}
	}
	r.Kept = append(r.Kept, shares)
	for i, x := range r.ByRelation {
		sum := 0.0
		for _, p := range relation[x.Relation] {
			sum += p
		}
		r.ByRelation[i].Probability = append(x.Probability, sum/float64(len(relation[x.Relation])))
	}
}

// jaccard is |A ∩ B| / |A ∪ B| of two sets, of which one is not empty.
func jaccard(a, b []kn.Neuron) float64 {
	both := 0
	for _, n := range a {
		if slices.Contains(b, n) {
			both++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}
