package engine

import (
	"context"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/worker"
)

// Remote is an engine in a worker process. It has the methods of [Engine].
type Remote struct{ client *worker.Client }

// DialRemote finds the worker or starts it. Its program serves [Handler].
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

// attributed is an item of callAttribute.
type attributed struct {
	Sample      int
	Attribution *Attribution
}

// wholeShare is what a share of 1 is told as.
const wholeShare = 1 << 20

// rows tells progress by numbers of rows.
func rows(progress Progress) worker.Events {
	return worker.Events{Progress: func(done, _ int, _ string) { progress(done) }}
}

// Distribution is [Engine.Distribution].
func (r *Remote) Distribution(ctx context.Context, row Row) (p []float32, err error) {
	return p, r.client.Call(ctx, callDistribution, row, &p, worker.Events{})
}

// Probabilities is [Engine.Probabilities].
func (r *Remote) Probabilities(ctx context.Context, of []Row, progress Progress) (p []float64, err error) {
	return p, r.client.Call(ctx, callProbabilities, of, &p, rows(progress))
}

// Outcomes is [Engine.Outcomes].
func (r *Remote) Outcomes(ctx context.Context, of []Row, progress Progress) (all []Outcome, err error) {
	return all, r.client.Call(ctx, callOutcomes, of, &all, rows(progress))
}

// Activations is [Engine.Activations].
func (r *Remote) Activations(ctx context.Context, row Row) (a [][]float64, err error) {
	return a, r.client.Call(ctx, callActivations, row, &a, worker.Events{})
}

// TokenActivations is [Engine.TokenActivations].
func (r *Remote) TokenActivations(ctx context.Context, readings []Reading, progress Progress) (a [][][]float32, err error) {
	return a, r.client.Call(ctx, callTokens, readings, &a, rows(progress))
}

// Attribute is [Engine.Attribute]. A worker that dies when it has handed over
// some results is not replaced: the error is a [worker.Died].
func (r *Remote) Attribute(ctx context.Context, samples []Sample, edits Edits, o Options, done func(i int, a *Attribution) error, progress func(share float64)) error {
	return r.client.Call(ctx, callAttribute, attributeRequest{samples, edits, o}, nil, worker.Events{
		Progress: func(done, total int, _ string) { progress(float64(done) / float64(total)) },
		Item: func(decode func(any) error) error {
			var a attributed
			if err := decode(&a); err != nil {
				return err
			}
			return done(a.Sample, a.Attribution)
		},
	})
}
