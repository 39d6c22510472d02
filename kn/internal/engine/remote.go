package engine

import (
	"context"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/worker"
)

// Remote is an engine in a worker process, whose program serves [Handler].
type Remote struct{ *worker.Client }

// Do is [Engine.Do]. A worker that dies when it has handed over some results
// is not replaced: the error is a [worker.Died].
func (r *Remote) Do(ctx context.Context, request Request, emit func([]Result) error, progress func(share float64)) error {
	return r.Call(ctx, string(request.Operation), request, worker.Events{
		Progress: progress,
		Item: func(decode func(any) error) error {
			var results []Result
			if err := decode(&results); err != nil {
				return err
			}
			return emit(results)
		},
	})
}
