package train

import (
	"context"
	"time"
)

// Loop takes the steps of a training that are left. It saves the training's state
// from time to time and when it is cancelled, and tells how it gets on.
type Loop struct {
	Steps     int
	SaveEvery time.Duration
	// Taken and Seconds are the training's: the steps taken so far, which Take
	// raises, and the time that they took, which the loop adds to.
	Taken   *int
	Seconds *float64

	Take     func(ctx context.Context) error // takes a step
	Evaluate func(ctx context.Context) error // measures where it led, which takes no time of the training's; may be nil
	Tell     func(rate float64)              // steps a second since the loop began
	Save     func() error
}

// Run takes the steps. When ctx is cancelled it saves and returns ctx's error; in
// the middle of a step or a measurement the last saving counts.
func (l Loop) Run(ctx context.Context) error {
	first, saved, spent := *l.Taken, time.Now(), 0.0
	for *l.Taken < l.Steps {
		if ctx.Err() != nil {
			return JoinSave(ctx.Err(), l.Save())
		}
		start := time.Now()
		if err := l.Take(ctx); err != nil {
			return cancelledOr(ctx, err)
		}
		seconds := time.Since(start).Seconds()
		spent, *l.Seconds = spent+seconds, *l.Seconds+seconds
		if l.Evaluate != nil {
			if err := l.Evaluate(ctx); err != nil {
				return cancelledOr(ctx, err)
			}
		}
		l.Tell(float64(*l.Taken-first) / spent)
		// The first saving comes early: a folder that cannot be written to
		// should not cost a night.
		if time.Since(saved) > l.SaveEvery || *l.Taken == first+10 && *l.Taken < l.Steps {
			if err := l.Save(); err != nil {
				return err
			}
			saved = time.Now()
		}
	}
	return nil
}

// cancelledOr is why a training was cancelled, if it was, and else err.
func cancelledOr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Left is the time that the steps left take at a rate in steps a second.
func Left(taken, steps int, rate float64) time.Duration {
	return time.Duration(float64(steps-taken) / rate * float64(time.Second))
}
