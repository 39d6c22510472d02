package experiments

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// sideBySide runs n parts on all cores, since small graphs leave some idle.
func sideBySide(ctx context.Context, n int, what string, progress kn.Progress, run func(ctx context.Context, i int) error) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(runtime.GOMAXPROCS(0))
	var mutex sync.Mutex
	done := 0
	for i := range n {
		group.Go(func() error {
			if err := run(ctx, i); err != nil {
				return err
			}
			mutex.Lock()
			defer mutex.Unlock()
			if done++; progress != nil {
				progress(done, n, what)
			}
			return nil
		})
	}
	return group.Wait()
}

// silent is the model for one of several parts that run side by side: it is
// the parts that report progress.
func silent(ctx context.Context, m *kn.Model) *kn.Model { return m.WithContext(ctx).WithProgress(nil) }

// randomFor returns a generator of a fact's own, so that what is drawn for it
// does not depend on other facts.
func randomFor(f Fact, seed uint64) *rand.Rand {
	hash := fnv.New64a()
	fmt.Fprint(hash, f.Bag.Key())
	return rand.New(rand.NewPCG(seed, hash.Sum64()))
}

// jaccard is the share of two sorted sets' union that both have; 1 if both are empty.
func jaccard(a, b []kn.Neuron) float64 {
	common := 0
	for _, n := range a {
		if _, found := slices.BinarySearchFunc(b, n, kn.Neuron.Compare); found {
			common++
		}
	}
	if union := len(a) + len(b) - common; union > 0 {
		return float64(common) / float64(union)
	}
	return 1
}

// drawFacts draws n facts, in their order; all of them if there are fewer.
func drawFacts(facts []Fact, n int, seed uint64) []Fact {
	order := newRandom(seed).Perm(len(facts))
	order = order[:min(n, len(order))]
	slices.Sort(order)
	drawn := make([]Fact, len(order))
	for k, i := range order {
		drawn[k] = facts[i]
	}
	return drawn
}

// queries are the fact's prompts with its answer.
func (f Fact) queries() []kn.Query {
	queries := make([]kn.Query, len(f.Bag.Prompts))
	for i, prompt := range f.Bag.Prompts {
		queries[i] = kn.Query{Prompt: prompt, Answer: f.Bag.Answer}
	}
	return queries
}

// drawQueries draws one prompt each of n facts.
func drawQueries(facts []Fact, n int, seed uint64) []kn.Query {
	var queries []kn.Query
	for _, f := range drawFacts(facts, n, seed) {
		all := f.queries()
		queries = append(queries, all[randomFor(f, seed).IntN(len(all))])
	}
	return queries
}

func newRandom(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 0xd7a3)) }

// name is a fact in words, for messages.
func (f Fact) name() string {
	return fmt.Sprintf("%s(%s) = %s", f.Bag.Relation, f.Bag.Subject, f.Bag.Answer)
}
