package reproduce

import (
	"cmp"
	"context"
	"runtime"

	"golang.org/x/sync/errgroup"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// mostJobs bounds the memory that trainings side by side take.
const mostJobs = 8

// Jobs is the number of trainings that run side by side: the one given, or if
// it is 0 one for each core, up to 8, while models are too small for a training
// to keep two cores busy; and one at a time from [backend.LargeModel]
// parameters.
func Jobs(given, parameters int) int {
	usual := min(runtime.NumCPU(), mostJobs)
	if parameters >= backend.LargeModel {
		usual = 1
	}
	return cmp.Or(given, usual)
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
