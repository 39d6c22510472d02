package engine

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/worker"
)

// Remote is an engine in a worker process. It has the methods of [Engine].
type Remote struct{ client *worker.Client }

// DialRemote finds the worker or starts it. Its program is to call [Serve].
func DialRemote(ctx context.Context, spec worker.Spec) (*Remote, error) {
	client, err := worker.Dial(ctx, spec)
	if err != nil {
		return nil, err
	}
	return &Remote{client}, nil
}

// The worker's methods.
const (
	callDistribution  = "distribution"
	callProbabilities = "probabilities"
	callOutcomes      = "outcomes"
	callActivations   = "activations"
	callTokens        = "token activations"
	callAttribute     = "attribute"
)

type attributeRequest struct {
	Samples []Sample
	Edits   Edits
	Options Options
}

// Distribution is [Engine.Distribution].
func (r *Remote) Distribution(ctx context.Context, row Row) (p []float32, err error) {
	return p, r.client.Call(ctx, callDistribution, row, &p, nil)
}

// Probabilities is [Engine.Probabilities].
func (r *Remote) Probabilities(ctx context.Context, rows []Row, progress Progress) (p []float64, err error) {
	return p, r.client.Call(ctx, callProbabilities, rows, &p, func(done, _ int, _ string) { progress(done) })
}

// Outcomes is [Engine.Outcomes].
func (r *Remote) Outcomes(ctx context.Context, rows []Row, progress Progress) (all []Outcome, err error) {
	return all, r.client.Call(ctx, callOutcomes, rows, &all, func(done, _ int, _ string) { progress(done) })
}

// Activations is [Engine.Activations].
func (r *Remote) Activations(ctx context.Context, row Row) (a [][]float64, err error) {
	return a, r.client.Call(ctx, callActivations, row, &a, nil)
}

// TokenActivations is [Engine.TokenActivations].
func (r *Remote) TokenActivations(ctx context.Context, readings []Reading, progress Progress) (a [][][]float32, err error) {
	return a, r.client.Call(ctx, callTokens, readings, &a, func(done, _ int, _ string) { progress(done) })
}

// samplesPerCall bounds what is lost when a call is interrupted.
const samplesPerCall = 4 * mostTogether

// Attribute is [Engine.Attribute].
func (r *Remote) Attribute(ctx context.Context, samples []Sample, edits Edits, o Options, done func(i int, a *Attribution) error) error {
	// Those of one length in one call, so that they can be batched.
	order := make([]int, len(samples))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(len(samples[i].IDs), len(samples[j].IDs)) })
	for some := range slices.Chunk(order, samplesPerCall) {
		request := attributeRequest{Edits: edits, Options: o}
		for _, i := range some {
			request.Samples = append(request.Samples, samples[i])
		}
		var results []*Attribution
		if err := r.client.Call(ctx, callAttribute, request, &results, nil); err != nil {
			return err
		}
		for k, i := range some {
			if err := done(i, results[k]); err != nil {
				return err
			}
		}
	}
	return nil
}

// Serve serves an engine, which open makes at the first call, until the
// worker is no longer needed. Calls are computed one at a time: each uses
// all cores.
func Serve(ctx context.Context, o worker.Options, open func(context.Context) (*Engine, error)) error {
	var turn sync.Mutex
	var e *Engine
	return worker.Serve(ctx, o, func(ctx context.Context, method string, decode func(any) error, progress func(int, int, string)) (any, error) {
		turn.Lock()
		defer turn.Unlock()
		if err := ctx.Err(); err != nil {
			return nil, err // while it waited
		}
		if e == nil {
			var err error
			if e, err = open(ctx); err != nil {
				return nil, err
			}
		}
		return e.serve(ctx, method, decode, progress)
	})
}

// serve computes one call.
func (e *Engine) serve(ctx context.Context, method string, decode func(any) error, progress func(int, int, string)) (any, error) {
	switch method {
	case callDistribution, callActivations:
		var row Row
		if err := decode(&row); err != nil {
			return nil, err
		}
		if method == callDistribution {
			return e.Distribution(ctx, row)
		}
		return e.Activations(ctx, row)
	case callProbabilities, callOutcomes:
		var rows []Row
		if err := decode(&rows); err != nil {
			return nil, err
		}
		step := func(done int) { progress(done, len(rows), "") }
		if method == callOutcomes {
			return e.Outcomes(ctx, rows, step)
		}
		return e.Probabilities(ctx, rows, step)
	case callTokens:
		var readings []Reading
		if err := decode(&readings); err != nil {
			return nil, err
		}
		return e.TokenActivations(ctx, readings, func(done int) { progress(done, len(readings), "") })
	case callAttribute:
		var request attributeRequest
		if err := decode(&request); err != nil {
			return nil, err
		}
		results := make([]*Attribution, len(request.Samples))
		err := e.Attribute(ctx, request.Samples, request.Edits, request.Options, func(i int, a *Attribution) error {
			results[i] = a
			return nil
		})
		return results, err
	}
	return nil, fmt.Errorf("kn: the worker has no method %q", method)
}
