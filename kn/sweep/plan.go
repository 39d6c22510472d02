package sweep

import (
	"context"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// plan is what a sweep has to attribute.
type plan struct {
	Options
	header  Header
	facts   []facts.Bag // of all shards, in the data set's order
	prompts int         // of these facts
	inShard int         // prompts of this shard
	leftOut []facts.LeftOut
}

// newPlan reads the data set, and lists what is left out.
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
	reader := model.Reader()
	reader.AnswerTokens = o.AnswerTokens
	usable := facts.Usable(asked, reader, func(l facts.LeftOut) { p.leftOut = append(p.leftOut, l) })
	for bag, err := range facts.Draw(usable, o.Limit, o.Seed) {
		if err != nil {
			return nil, err
		}
		p.facts = append(p.facts, bag)
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
