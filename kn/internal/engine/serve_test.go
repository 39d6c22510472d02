package engine

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/worker"
	"github.com/knowledge-neurons/gonb-kn/kn/quadrature"
)

// handler serves a small engine.
func handler(t *testing.T) worker.Handler {
	t.Helper()
	e := deep(t)
	return Handler(func(context.Context) (*Engine, error) { return e, nil })
}

// callOf is a call of a kernel that nobody listens to.
func callOf(kernel int, r Request) worker.Call {
	return worker.Call{
		Method: string(r.Operation), Kernel: kernel,
		Decode:   func(into any) error { *into.(*Request) = r; return nil },
		Progress: func(float64) {},
		Emit:     func(any) error { return nil },
	}
}

var (
	someSamples = []Sample{
		{IDs: []int32{2, 9, 4, 11, 3}, Masks: []int{2}, Answers: []int32{7}},
		{IDs: []int32{2, 9, 4, 5, 11, 3}, Masks: []int{2}, Answers: []int32{8}},
		{IDs: []int32{2, 9, 4, 12, 3}, Masks: []int{2}, Answers: []int32{9}},
	}
	attribution = Request{Operation: Attribution, Rows: rowsOf(Edits{}, someSamples...), Options: fixed(quadrature.LeftRiemann(20))}
	prediction  = Request{Operation: Distribution, Rows: rowsOf(Edits{}, someSamples[0])}
)

// TestNotebooksTakeTurns: in the middle of a notebook's attribution, and
// between its results, another's prediction is computed, one of the same
// notebook is not, and the results are the same.
func TestNotebooksTakeTurns(t *testing.T) {
	handle := handler(t)
	var want, got []Result
	undisturbed := callOf(1, attribution)
	undisturbed.Emit = func(item any) error { want = append(want, item.([]Result)...); return nil }
	if err := handle(t.Context(), undisturbed); err != nil {
		t.Fatal(err)
	}
	predict := func(kernel int, limit time.Duration) error {
		ctx, cancel := context.WithTimeout(t.Context(), limit)
		defer cancel()
		err := handle(ctx, callOf(kernel, prediction))
		return err
	}
	told := 0
	disturbed := callOf(1, attribution)
	disturbed.Progress = func(share float64) {
		told++
		if err := predict(2, time.Minute); err != nil {
			t.Errorf("a prediction of another notebook at progress %v: %v", share, err)
		}
	}
	disturbed.Emit = func(item any) error {
		got = append(got, item.([]Result)...)
		if err := predict(2, time.Minute); err != nil {
			t.Errorf("a prediction of another notebook at result %d: %v", len(got), err)
		}
		if err := predict(1, 10*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a prediction of the same notebook: %v", err)
		}
		return nil
	}
	if err := handle(t.Context(), disturbed); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) || len(got) != len(someSamples) || told == 0 {
		t.Errorf("%d results, progress %d times; undisturbed they are others", len(got), told)
	}
	if err := predict(1, time.Minute); err != nil {
		t.Errorf("a prediction of the same notebook afterwards: %v", err)
	}
}

// TestCallsThatFail leave the turn to others: one that panics, one whose client
// is gone, one that was cancelled.
func TestCallsThatFail(t *testing.T) {
	handle := handler(t)
	panics, gone := callOf(1, attribution), callOf(1, attribution)
	panics.Emit = func(any) error { panic("upside down") }
	gone.Emit = func(any) error { return context.Canceled }
	func() {
		defer func() {
			if recover() == nil {
				t.Error("there was no panic")
			}
		}()
		handle(t.Context(), panics) //nolint:errcheck // panics
	}()
	if err := handle(t.Context(), gone); !errors.Is(err, context.Canceled) {
		t.Errorf("a client that is gone: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := callOf(1, attribution)
	cancelled.Progress = func(float64) { cancel() }
	if err := handle(ctx, cancelled); !errors.Is(err, context.Canceled) {
		t.Errorf("a call that was cancelled: %v", err)
	}
	if err := handle(t.Context(), callOf(1, Request{Operation: "nothing"})); err == nil {
		t.Error("there is an operation that is called nothing")
	}
	for _, kernel := range []int{1, 2} {
		if err := handle(t.Context(), callOf(kernel, prediction)); err != nil {
			t.Errorf("kernel %d afterwards: %v", kernel, err)
		}
	}
}

// TestOpenFails: the next call opens the engine.
func TestOpenFails(t *testing.T) {
	e, opened := deep(t), 0
	handle := Handler(func(context.Context) (*Engine, error) {
		if opened++; opened == 1 {
			return nil, errors.New("no weights")
		}
		return e, nil
	})
	for _, fails := range []bool{true, false, false} {
		if err := handle(t.Context(), callOf(1, prediction)); (err != nil) != fails {
			t.Errorf("opened %d times: %v", opened, err)
		}
	}
	if opened != 2 {
		t.Errorf("opened %d times", opened)
	}
}

// TestTurnIsFair: who waits gets the turn in order, and before the one who
// pauses gets it back.
func TestTurnIsFair(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn := make(turn, 1)
		if err := turn.take(t.Context()); err != nil {
			t.Fatal(err)
		}
		var order []int
		for i := range 5 {
			go func() {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if i == 2 {
					time.AfterFunc(time.Second, cancel)
				}
				if turn.take(ctx) == nil {
					order = append(order, i)
					turn.give()
				}
			}()
			synctest.Wait()
		}
		time.Sleep(2 * time.Second) // one gives up waiting
		turn.pause(func() {})
		order = append(order, 5)
		turn.give()
		if want := []int{0, 1, 3, 4, 5}; !slices.Equal(order, want) {
			t.Errorf("order %v, want %v", order, want)
		}
	})
}
