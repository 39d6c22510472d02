package train

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
)

// diary is a training that writes down what happens to it.
type diary struct {
	taken   int
	seconds float64
	events  []string
	fail    map[string]error // by event and step
	cancel  func()           // after the third step
	rates   []float64
}

func (d *diary) event(name string) error {
	d.events = append(d.events, name)
	return d.fail[name]
}

func (d *diary) loop(steps int) Loop {
	return Loop{
		Steps: steps, SaveEvery: time.Hour, Taken: &d.taken, Seconds: &d.seconds,
		Take: func(context.Context) error {
			d.taken++
			time.Sleep(time.Millisecond)
			if d.cancel != nil && d.taken == 3 {
				d.cancel()
			}
			return d.event("take")
		},
		Evaluate: func(context.Context) error {
			time.Sleep(20 * time.Millisecond)
			return d.event("evaluate")
		},
		Tell: func(rate float64) { d.rates = append(d.rates, rate) },
		Save: func() error { return d.event("save") },
	}
}

func count(events []string, name string) int {
	n := 0
	for _, e := range events {
		if e == name {
			n++
		}
	}
	return n
}

func TestLoop(t *testing.T) {
	d := &diary{seconds: 100}
	if err := d.loop(12).Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	// One saving, after the tenth step; looking takes no time of the training's.
	if d.taken != 12 || count(d.events, "take") != 12 || count(d.events, "evaluate") != 12 || slices.Index(d.events, "save") != 20 || count(d.events, "save") != 1 {
		t.Errorf("%d steps: %v", d.taken, d.events)
	}
	if spent := d.seconds - 100; spent < 0.012 || spent > 12*0.020 || len(d.rates) != 12 || d.rates[11] > 1/0.001 {
		t.Errorf("%v s, rates %v", spent, d.rates)
	}
	if left := Left(2, 12, 5); left != 2*time.Second {
		t.Errorf("left: %v", left)
	}
	// What is done is not done again, nor saved.
	before := len(d.events)
	if err := d.loop(12).Run(t.Context()); err != nil || len(d.events) != before {
		t.Errorf("%v, %v", err, d.events[before:])
	}
}

func TestLoopSavesOften(t *testing.T) {
	d := &diary{}
	l := d.loop(5)
	l.SaveEvery = 0
	if err := l.Run(t.Context()); err != nil || count(d.events, "save") != 5 {
		t.Errorf("%v, %v", err, d.events)
	}
}

func TestLoopStops(t *testing.T) {
	broken := errors.New("broken")
	for _, name := range []string{"take", "evaluate", "save"} {
		d := &diary{fail: map[string]error{name: broken}}
		if err := d.loop(12).Run(t.Context()); !errors.Is(err, broken) || d.events[len(d.events)-1] != name {
			t.Errorf("%s: %v, %v", name, err, d.events)
		}
	}
	// Cancelled between two steps it saves, and says so if that fails.
	for _, fail := range []error{nil, broken} {
		ctx, cancel := context.WithCancel(t.Context())
		d := &diary{cancel: cancel, fail: map[string]error{"save": fail}}
		if err := d.loop(12).Run(ctx); !errors.Is(err, context.Canceled) || errors.Is(err, broken) != (fail != nil) || d.taken != 3 || d.events[len(d.events)-1] != "save" {
			t.Errorf("%v after %d steps, %v", err, d.taken, d.events)
		}
	}
	// In the middle of a step, or of a measurement, the last saving counts.
	for _, name := range []string{"take", "evaluate"} {
		ctx, cancel := context.WithCancel(t.Context())
		cancelled := &diary{fail: map[string]error{name: broken}}
		l := cancelled.loop(12)
		take := l.Take
		l.Take = func(ctx context.Context) error { cancel(); return take(ctx) }
		if err := l.Run(ctx); err != context.Canceled || count(cancelled.events, "save") != 0 {
			t.Errorf("%s: %v, %v", name, err, cancelled.events)
		}
	}
}
