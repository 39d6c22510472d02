package sweep

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// Run attributes the prompts of a data set's facts, or of a shard of them,
// that are not in the folder yet, and appends each one's record to the shard's
// file as soon as it is there. An unsharded sweep is merged at its end, so that
// [Read] can read it; shards are merged by [Merge]. Facts that the model cannot
// be asked about are listed in the summary.
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
	if r.side == 1 {
		r.model = r.model.WithProgress(r.within)
	}
	r.rate.start(p.inShard, len(s.done), r.side)
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
	side     int // prompts attributed side by side
	begun    time.Time

	mutex        sync.Mutex
	rate         rate
	notConverged int
}

// sideBySide is the number of prompts to attribute at a time: small graphs
// leave cores idle, large ones use all of them.
func sideBySide(model *kn.Model) int {
	if !backend.Large(model.Config().Parameters()) {
		return runtime.GOMAXPROCS(0)
	}
	return 1
}

// all attributes what is missing. The first prompt has all cores, so that even
// a short run gets it done; the others are attributed side by side.
func (r *run) all(ctx context.Context) error {
	group, going := errgroup.WithContext(ctx)
	group.SetLimit(r.side)
	first := true
	for bag, index := range r.missing {
		if going.Err() != nil {
			break
		}
		if first {
			first = false
			if err := r.prompt(ctx, bag, index); err != nil {
				return err
			}
			continue
		}
		group.Go(func() error { return r.prompt(ctx, bag, index) })
	}
	if err := group.Wait(); err != nil {
		return err
	}
	return ctx.Err()
}

// missing yields the prompts of the shard that are not in its file: their
// facts, and their places there.
func (r *run) missing(yield func(bag facts.Bag, index int) bool) {
	for _, bag := range r.facts {
		if !r.mine(bag) {
			continue
		}
		for i := range bag.Prompts {
			if !r.shard.done[promptID{bag.Key(), i}] && !yield(bag, i) {
				return
			}
		}
	}
}

// prompt attributes a prompt of a fact and writes its record. It is attributed
// by itself, since the last digits of a score depend on what is computed
// together: so they are the same however often the sweep was killed.
func (r *run) prompt(ctx context.Context, bag facts.Bag, index int) error {
	begun := time.Now()
	ctx, compiling := backend.CountCompiling(ctx)
	a, err := r.model.WithContext(ctx).Attribute(bag.Prompts[index], bag.Answer, r.Attribute)
	if err != nil {
		return err
	}
	if err := r.shard.append(newRecord(r.header, bag, index, a)); err != nil {
		return err
	}
	took := time.Since(begun) - compiling.Took()
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if len(a.NotConverged) > 0 {
		r.notConverged++
	}
	if measured := r.rate.add(took); measured && r.Projected != nil {
		r.Projected(r.rate.projection(r.prompts))
	}
	r.tell("")
	return nil
}

// within tells how far the prompt is that is being attributed.
func (r *run) within(done, total int, what string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.tell(fmt.Sprintf(", %d of %d %s", done, total, what))
}

// tell reports progress, with news at its end.
func (r *run) tell(news string) {
	if r.progress != nil {
		r.progress(r.rate.found+r.rate.computed, r.inShard, "prompts attributed"+r.rate.words()+news)
	}
}
