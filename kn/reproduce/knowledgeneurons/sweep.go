package knowledgeneurons

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

// SweepSummary is results/sweep.json.
type SweepSummary struct {
	Prompts      int     `json:"prompts"`
	NodesALayer  float64 `json:"nodes_a_layer"` // mean of the gradient evaluations
	NotConverged int     `json:"not_converged"` // prompts
}

// chooseFacts is the first stage. It is quick, and done in every run, since
// the data set may have changed.
func (e *experimenter) chooseFacts(ctx context.Context) (err error) {
	e.run.Begin("choose facts")
	if e.facts, err = drawFacts(ctx, e.m, e.run.Dir(), e.source, e.o); err != nil {
		return err
	}
	digest, err := e.m.Digest()
	if err != nil {
		return err
	}
	e.sweepKey, err = reproduce.Key("sweep", digest, e.facts.Digest, e.o.Tolerance)
	return errors.Join(err, e.run.Keep("facts", e.facts), e.run.Keep("paper", reported))
}

// records is the folder of the sweep's records. Sweeps by another model or to
// another tolerance are kept beside one another; more facts add to what is there.
func (e *experimenter) records() (string, error) {
	digest, err := e.m.Digest()
	if err != nil {
		return "", err
	}
	key, err := reproduce.Key("records", digest, e.o.Tolerance)
	return filepath.Join(e.run.Dir(), "sweep", key[:min(12, len(key))]), err
}

func (e *experimenter) sweep(ctx context.Context) (err error) {
	e.found.sweep, err = reproduce.Stage(ctx, e.run, "sweep", "attribute the answers to neurons", e.sweepKey, func(ctx context.Context, progress kn.Progress) (*SweepSummary, error) {
		source, _, err := facts.Open(filepath.Join(e.run.Dir(), FactsFile))
		if err != nil {
			return nil, err
		}
		dir, err := e.records()
		if err != nil {
			return nil, err
		}
		options := sweep.Options{Attribute: kn.AttributeOptions{Tolerance: e.o.Tolerance}, AnswerTokens: e.o.AnswerTokens, Projected: e.o.Projected}
		if _, err := sweep.Run(ctx, e.m, source, dir, options, progress); err != nil {
			return nil, err
		}
		return e.summarize(ctx, dir)
	})
	return err
}

// summarize counts what the records say of the integrals.
func (e *experimenter) summarize(ctx context.Context, dir string) (*SweepSummary, error) {
	s := &SweepSummary{}
	for r, err := range sweep.Read(dir) {
		if err = errors.Join(err, ctx.Err()); err != nil {
			return nil, err
		}
		s.Prompts++
		s.NodesALayer += float64(r.Nodes)
		if len(r.NotConverged) > 0 {
			s.NotConverged++
		}
	}
	s.NodesALayer /= float64(max(1, s.Prompts) * e.m.Config().Layers)
	return s, nil
}

// gather reads the sweep's records when an experiment first needs them.
func (e *experimenter) gather() error {
	if e.gathered != nil {
		return nil
	}
	dir, err := e.records()
	if err != nil {
		return err
	}
	e.gathered, err = experiments.Gather(sweep.Read(dir), experiments.GatherOptions{Error: e.o.Tolerance})
	return err
}
