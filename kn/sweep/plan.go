package sweep

import (
	"context"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// plan is what a sweep has to attribute.
type plan struct {
	Options
	header   Header
	selected facts.Source // of all shards

	facts, prompts int // of all shards
	inShard        int // prompts of this one
	leftOut        []facts.LeftOut
}

// newPlan runs the data set through once to count it and to list what is left
// out.
func newPlan(ctx context.Context, model *kn.Model, source facts.Source, o Options) (*plan, error) {
	o, err := o.filled()
	if err != nil {
		return nil, err
	}
	p := &plan{Options: o}
	if p.header, err = newHeader(model, o); err != nil {
		return nil, err
	}
	asked := cancelled(ctx, facts.OfRelations(source, o.Relations...))
	usable := facts.Usable(asked, model.Tokenizer(), model.Config().MaxPositions, func(l facts.LeftOut) { p.leftOut = append(p.leftOut, l) })
	for _, err := range usable {
		if err != nil {
			return nil, err
		}
	}
	p.selected = facts.Draw(usable, o.Limit, o.Seed)
	for bag, err := range p.selected {
		if err != nil {
			return nil, err
		}
		p.facts++
		p.prompts += len(bag.Prompts)
		if p.mine(bag) {
			p.inShard += len(bag.Prompts)
		}
	}
	return p, nil
}

// mine says whether a fact is of the plan's shard.
func (p *plan) mine(bag facts.Bag) bool { return shardOf(bag.Key(), p.Shards) == p.Shard }

// cancelled ends a source when the context is cancelled.
func cancelled(ctx context.Context, source facts.Source) facts.Source {
	return func(yield func(facts.Bag, error) bool) {
		for b, err := range source {
			if err == nil {
				err = ctx.Err()
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
}

// mostInBatch bounds the prompts of a fact that are attributed and written
// together, and so what a kill can lose.
const mostInBatch = 8

// batchOf returns the batch that a prompt of a fact of n prompts is in, and
// which prompts are in it: from <= index < to. The last digits of a score
// depend on the batch, so batches depend on the fact alone.
func batchOf(index, n int) (batch, from, to int) {
	batches := (n + mostInBatch - 1) / mostInBatch
	batch = ((index+1)*batches - 1) / n
	return batch, batch * n / batches, (batch + 1) * n / batches
}
