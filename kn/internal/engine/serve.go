package engine

import (
	"context"
	"sync"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/worker"
)

// Handler serves an engine, which open makes at the first call.
//
// One call computes at a time, since each uses all cores. Notebooks take
// turns: whenever a call tells its progress or hands over a result, one that
// waits goes on. So a prediction does not wait for the end of another
// notebook's attribution. The calls of one notebook come one after the other,
// which bounds how many have begun and hold memory.
func Handler(open func(context.Context) (*Engine, error)) worker.Handler {
	s := &server{open: open, turn: make(turn, 1), notebooks: map[int]turn{}}
	return s.answer
}

type server struct {
	open   func(context.Context) (*Engine, error)
	turn   turn    // to compute
	engine *Engine // used by the call whose turn it is

	mutex     sync.Mutex
	notebooks map[int]turn // to begin a call, by kernel
}

// turn is a lock. Those that wait get it in the order in which they came, as
// senders to a channel do.
type turn chan struct{}

func (t turn) take(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (t turn) give() { <-t }

// pause gives the turn up while f runs.
func (t turn) pause(f func()) {
	t.give()
	defer func() { t <- struct{}{} }()
	f()
}

// notebook returns the turn of a kernel's calls.
func (s *server) notebook(kernel int) turn {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.notebooks[kernel] == nil {
		s.notebooks[kernel] = make(turn, 1)
	}
	return s.notebooks[kernel]
}

// answer computes a call when its turn comes.
func (s *server) answer(ctx context.Context, call worker.Call) error {
	for _, t := range []turn{s.notebook(call.Kernel), s.turn} {
		if err := t.take(ctx); err != nil {
			return err
		}
		defer t.give()
	}
	if s.engine == nil {
		var err error
		if s.engine, err = s.open(ctx); err != nil {
			return err
		}
	}
	var r Request
	if err := call.Decode(&r); err != nil {
		return err
	}
	return s.engine.Do(ctx, r, func(results []Result) (err error) {
		s.turn.pause(func() { err = call.Emit(results) })
		return err
	}, func(share float64) {
		s.turn.pause(func() { call.Progress(share) })
	})
}
