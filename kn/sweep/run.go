package sweep

import (
	"context"
	"errors"
	"io/fs"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
)

// Run attributes the prompts of a data set's facts, or of a shard of them,
// that are not in the folder yet, and appends them to the shard's file. An
// unsharded sweep is merged at its end, so that [Read] can read it; shards
// are merged by [Merge]. Facts that the model cannot be asked about are
// listed in the summary.
//
// The results do not go into the model's cache, nor are they looked up there.
// It is an error if another process writes the same file, or if the folder
// holds a sweep of another model or with other options.
func Run(ctx context.Context, model *kn.Model, source facts.Source, dir string, options Options, progress kn.Progress) (*Summary, error) {
	p, err := newPlan(ctx, model, source, options)
	if err != nil {
		return nil, err
	}
	s, err := openShard(dir, p)
	if err != nil {
		return nil, err
	}
	r := &run{
		plan: p, shard: s, progress: progress,
		model: model.WithContext(ctx).WithProgress(nil).WithCache("off"),
		side:  sideBySide(model),
		begun: time.Now(),
	}
	r.rate.start(p.inShard, s.prompts, r.side)
	err = r.all(ctx)
	if closed := s.close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	if p.Shards == 1 {
		if _, err := merge(ctx, p, dir, []string{dir}, nil); err != nil {
			return nil, err
		}
	}
	return r.summary(), nil
}

// Check returns what a sweep amounts to without attributing anything, and the
// errors that Run has before its first prompt, such as for a folder that holds
// another sweep.
func Check(ctx context.Context, model *kn.Model, source facts.Source, dir string, options Options) (*Summary, error) {
	p, err := newPlan(ctx, model, source, options)
	if err != nil {
		return nil, err
	}
	if err := checkOthers(dir, p); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return p.summary(), nil
}

// run is one run of a sweep.
type run struct {
	*plan
	shard    *shard
	model    *kn.Model
	progress kn.Progress
	side     int // batches attributed side by side
	begun    time.Time

	mutex        sync.Mutex
	rate         rate
	notConverged int
}

// sideBySide is the number of batches to attribute at a time: small graphs
// leave cores idle, large ones use all of them.
func sideBySide(model *kn.Model) int {
	if engine.Parameters(model.Config()) < backend.LargeModel {
		return runtime.GOMAXPROCS(0)
	}
	return 1
}

// all attributes what is missing.
func (r *run) all(ctx context.Context) error {
	group, going := errgroup.WithContext(ctx)
	group.SetLimit(r.side)
	// The first error of reading ends the loop; the group's comes first, since it
	// is what cancelled the context.
	err := r.missing(going, func(bag facts.Bag, from, to int) {
		group.Go(func() error { return r.batch(ctx, bag, from, to) })
	})
	if failed := group.Wait(); failed != nil {
		return failed
	}
	return err
}

// missing calls do with the batches of the shard that are not in its file.
func (r *run) missing(ctx context.Context, do func(bag facts.Bag, from, to int)) error {
	for bag, err := range r.selected {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if !r.mine(bag) {
			continue
		}
		for i := 0; i < len(bag.Prompts); {
			batch, from, to := batchOf(i, len(bag.Prompts))
			if !r.shard.done[batchID{bag.Key(), batch}] {
				do(bag, from, to)
			}
			i = to
		}
	}
	return nil
}

// batch attributes some prompts of a fact and writes their records.
func (r *run) batch(ctx context.Context, bag facts.Bag, from, to int) error {
	begun := time.Now()
	ctx, compiling := backend.CountCompiling(ctx)
	var queries []kn.Query
	for _, prompt := range bag.Prompts[from:to] {
		queries = append(queries, kn.Query{Prompt: prompt, Answer: bag.Answer})
	}
	attributions, err := r.model.WithContext(ctx).AttributeAll(queries, r.Attribute)
	if err != nil {
		return err
	}
	records := make([]Record, len(attributions))
	failed := 0
	for k, a := range attributions {
		records[k] = newRecord(r.header, bag, from+k, a)
		if len(a.NotConverged) > 0 {
			failed++
		}
	}
	if err := r.shard.append(records); err != nil {
		return err
	}
	took := time.Since(begun) - compiling.Took()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.notConverged += failed
	measured := r.rate.add(len(records), took)
	if measured && r.Projected != nil {
		r.Projected(r.rate.projection(r.prompts))
	}
	if r.progress != nil {
		r.progress(r.rate.found+r.rate.computed, r.inShard, "prompts attributed"+r.rate.words())
	}
	return nil
}
