package reproduce

import (
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// mostJobs bounds the memory that trainings side by side take.
const mostJobs = 8

// Jobs is the number of trainings that run side by side: the one given, or if
// none is, one for each core, up to 8, since a training of a small model keeps
// hardly more than one core busy; and one at a time for models of 20 million
// parameters or more.
func Jobs(given, parameters int) int {
	switch {
	case given > 0:
		return given
	case backend.Large(parameters):
		return 1
	}
	return min(runtime.NumCPU(), mostJobs)
}

// SideBySide runs n stages that need nothing of each other, up to jobs at a
// time, and returns their results in order. After a failure the others end
// early, by their context, and the first error is returned.
func SideBySide[T any](ctx context.Context, jobs, n int, stage func(ctx context.Context, i int) (T, error)) ([]T, error) {
	results := make([]T, n)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(jobs)
	for i := range n {
		group.Go(func() (err error) {
			if err := ctx.Err(); err != nil {
				return err
			}
			results[i], err = stage(ctx, i)
			return err
		})
	}
	return results, group.Wait()
}
