package reproduce_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

func TestJobs(t *testing.T) {
	cores := min(runtime.NumCPU(), 8)
	for _, c := range []struct{ given, parameters, want int }{
		{0, 1_000_000, cores},
		{3, 1_000_000, 3},
		{-1, 1_000_000, cores}, // not without a bound, as errgroup would have it
		{0, 110_000_000, 1},
		{2, 110_000_000, 2},
	} {
		if got := reproduce.Jobs(c.given, c.parameters); got != c.want {
			t.Errorf("%d given, %d parameters: %d, want %d", c.given, c.parameters, got, c.want)
		}
	}
}

// TestSideBySide: results come in order, and no more than the jobs run at once.
func TestSideBySide(t *testing.T) {
	const jobs, n = 3, 20
	var mu sync.Mutex
	running, most := 0, 0
	count := func(by int) {
		mu.Lock()
		defer mu.Unlock()
		running += by
		most = max(most, running)
	}
	together := make(chan struct{}, jobs) // the first ones wait for each other
	got, err := reproduce.SideBySide(t.Context(), jobs, n, func(_ context.Context, i int) (int, error) {
		count(1)
		defer count(-1)
		if i < jobs {
			together <- struct{}{}
			for len(together) < jobs {
				time.Sleep(time.Millisecond)
			}
		}
		return i * i, nil
	})
	if err != nil || most != jobs {
		t.Errorf("%d ran at once, want %d (%v)", most, jobs, err)
	}
	for i, v := range got {
		if v != i*i {
			t.Errorf("result %d is %d", i, v)
		}
	}
}

// TestSideBySideFails: after a failure the others end by their context, and
// what had not begun does not begin.
func TestSideBySideFails(t *testing.T) {
	broken := errors.New("broken")
	begun, zero := make([]bool, 6), make(chan struct{})
	_, err := reproduce.SideBySide(t.Context(), 2, len(begun), func(ctx context.Context, i int) (int, error) {
		begun[i] = true
		if i == 1 {
			<-zero
			return 0, broken
		}
		close(zero)
		<-ctx.Done()
		return 0, ctx.Err()
	})
	if !errors.Is(err, broken) || !slices.Equal(begun, []bool{true, true, false, false, false, false}) {
		t.Errorf("%v; begun: %v", err, begun)
	}
}

// TestStagesSideBySide: stages at once share the time, only the first of them
// is heard, and all are kept.
func TestStagesSideBySide(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	for _, kept := range []bool{false, true} {
		var stages, steps []string
		run, err := reproduce.Open(dir, 2, reproduce.Watch{
			Stage: func(i, n int, what string, kept bool) {
				stages = append(stages, fmt.Sprintf("%d/%d %s %v", i, n, what, kept))
			},
			Step: func(done, total int, what string) { steps = append(steps, what) },
		})
		if err != nil {
			t.Fatal(err)
		}
		began, firstTold := make(chan struct{}), make(chan struct{})
		start := time.Now()
		names := []string{"first", "second"}
		got, err := reproduce.SideBySide(t.Context(), 2, 2, func(ctx context.Context, i int) (*number, error) {
			if i == 1 && !kept {
				<-began
			}
			return reproduce.Stage(ctx, run, names[i], names[i], "key"+names[i], func(_ context.Context, progress kn.Progress) (*number, error) {
				if i == 0 {
					close(began)
					<-firstTold
					progress(1, 1, "first's")
				} else {
					progress(1, 2, "second's")
					close(firstTold)
				}
				time.Sleep(20 * time.Millisecond)
				return &number{i + 1}, nil
			})
		})
		passed := time.Since(start).Seconds()
		if err != nil || got[0].Value != 1 || got[1].Value != 2 {
			t.Fatalf("%v, %v", got, err)
		}
		slices.Sort(stages)
		if want := fmt.Sprintf("[1/2 first %v 2/2 second %v]", kept, kept); !kept && fmt.Sprint(stages) != want || len(stages) != 2 {
			t.Errorf("stages were told as %q", stages)
		}
		seconds := run.Seconds(names...)
		switch {
		case kept:
			if len(steps) != 0 {
				t.Errorf("kept stages told %q", steps)
			}
		case strings.Join(steps, " ") != "first's (stage 1)":
			t.Errorf("heard %q", steps)
		case seconds > passed || seconds < 0.02:
			t.Errorf("the stages took %v s together, while %v s passed", seconds, passed)
		}
		if err := run.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
