package knowledgeneurons

import (
	"context"
	"errors"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// Reproduce runs all experiments of the paper on a model and writes the
// report into dir, after each experiment with what there is by then. What was
// computed there before is not computed again.
func Reproduce(ctx context.Context, m *kn.Model, dir string, o Options, watch reproduce.Watch) (*reproduce.Outcome, error) {
	o, err := o.filled(m.Config().Parameters())
	if err != nil {
		return nil, err
	}
	e := &experimenter{m: m.WithContext(ctx), o: o, nothing: map[string]experiments.NothingLeft{}, ran: map[string]bool{}}
	if e.source, err = openSource(m, o); err != nil {
		return nil, err
	}
	stages := e.stages()
	if e.run, err = reproduce.Open(dir, len(stages)+2, watch); err != nil { // and choosing facts, and writing
		return nil, err
	}
	defer e.run.Close()
	if err := e.chooseFacts(ctx); err != nil {
		return nil, err
	}
	// On a large model the stages take hours: what is there can be read.
	e.run.Before = func() error {
		if !e.ran["neurons"] {
			return nil
		}
		_, err := e.reports()
		return err
	}
	for _, s := range stages {
		if err := s.run(ctx); err != nil {
			return nil, err
		}
		e.ran[s.name] = true
		if e.nothing[s.name] == "" {
			e.done = append(e.done, s.name)
		}
	}
	e.run.Begin("write the report")
	return e.reports()
}

// experimenter runs the stages.
type experimenter struct {
	run      *reproduce.Run
	m        *kn.Model
	o        Options
	source   source
	facts    *FactSummary
	ran      map[string]bool                    // by their names, the stages that have been run
	done     []string                           // names of those that have results
	nothing  map[string]experiments.NothingLeft // why the others have none
	sweepKey string                             // of all that the sweep's records depend on
	gathered *experiments.Gathered
	found    found
}

// found are the results of the stages; nil where there was nothing to measure.
type found struct {
	sweep       *SweepSummary
	neurons     *experiments.NeuronTable
	intervene   *experiments.Intervention
	express     *experiments.ActivationExpression // nil without texts
	update      *experiments.UpdateTable
	erase       *experiments.EraseTable
	recipes     *experiments.RecipeDiff
	convergence *experiments.ConvergenceTable
	exactness   *experiments.ExactnessTable
}

// step is a stage whose result is kept, under its name.
type step struct {
	name string
	run  func(ctx context.Context) error
}

// stages lists them in their order.
func (e *experimenter) stages() []step {
	z, seed := e.o.Sizes, e.o.Seed
	intervene := experiments.InterveneOptions{Draws: z.Draws, Seed: seed, Resamples: z.Resamples}
	express := experiments.ExpressOptions{Seed: seed, Resamples: z.Resamples}
	update := experiments.UpdateOptions{PerRelation: z.Updates, CurveFacts: z.Curve, Seed: seed, Resamples: z.Resamples}
	erase := experiments.EraseOptions{Facts: z.Erased, Others: z.Others, Seed: seed, Resamples: z.Resamples}
	recipes := experiments.DiffOptions{Facts: z.Recipes, Seed: seed, Resamples: z.Resamples}
	convergence := experiments.ConvergenceOptions{Prompts: z.Prompts, Seed: seed, Resamples: z.Resamples}
	exactness := experiments.ExactnessOptions{Prompts: z.Exactness, Seed: seed}
	steps := []step{
		{"sweep", e.sweep},
		experiment(e, "neurons", "which neurons, and where", []any{z.Resamples, "p tuned anew"}, &e.found.neurons,
			func(_ context.Context, _ kn.Progress) (*experiments.NeuronTable, error) {
				return experiments.Neurons(e.m, e.gathered, stats.Options{Resamples: z.Resamples, Seed: seed})
			}),
		experiment(e, "intervene", "suppress and amplify", intervene, &e.found.intervene,
			func(ctx context.Context, progress kn.Progress) (*experiments.Intervention, error) {
				r, err := experiments.Intervene(ctx, e.m, e.gathered.Facts, intervene, progress)
				if err == nil {
					r.Of = nil // a report may be published, and then has no sentence of the data set
				}
				return r, err
			}),
	}
	if e.source.texts != nil {
		steps = append(steps, experiment(e, "express", "activation and expression", []any{express, e.source.textName, "whole words"}, &e.found.express,
			func(ctx context.Context, progress kn.Progress) (*experiments.ActivationExpression, error) {
				var texts []facts.OpenText
				for t, err := range e.source.texts {
					if err != nil {
						return nil, err
					}
					texts = append(texts, t)
				}
				return experiments.Express(ctx, e.m, e.gathered.Facts, texts, express, progress)
			}))
	}
	return append(steps,
		experiment(e, "update", "update facts", update, &e.found.update,
			func(ctx context.Context, progress kn.Progress) (*experiments.UpdateTable, error) {
				return experiments.Update(ctx, e.m, e.gathered.Facts, update, progress)
			}),
		experiment(e, "erase", "erase relations", erase, &e.found.erase,
			func(ctx context.Context, progress kn.Progress) (*experiments.EraseTable, error) {
				return experiments.Erase(ctx, e.m, e.gathered.Facts, erase, progress)
			}),
		experiment(e, "recipes", "the published codes' recipes", recipes, &e.found.recipes,
			func(ctx context.Context, progress kn.Progress) (*experiments.RecipeDiff, error) {
				return experiments.DiffRecipes(ctx, e.m, e.gathered.Facts, recipes, progress)
			}),
		experiment(e, "convergence", "how exact the integrals are", convergence, &e.found.convergence,
			func(ctx context.Context, progress kn.Progress) (*experiments.ConvergenceTable, error) {
				return experiments.Convergence(ctx, e.m, e.gathered.Facts, convergence, progress)
			}),
		experiment(e, "exactness", "whether they are as exact as promised", exactness, &e.found.exactness,
			func(ctx context.Context, progress kn.Progress) (*experiments.ExactnessTable, error) {
				return experiments.Exactness(ctx, e.m, e.gathered.Facts, exactness, progress)
			}),
	)
}

// resultFormat is changed when results mean something else than before, or are
// stored otherwise, so that older ones are computed again.
const resultFormat = 2

// experiment is a stage that computes a result from the sweep's facts, under a
// key of the sweep's and of all options that it depends on.
func experiment[T any](e *experimenter, name, what string, options any, result **T, compute func(ctx context.Context, progress kn.Progress) (*T, error)) step {
	return step{name, func(ctx context.Context) error {
		key, err := reproduce.Key(name, resultFormat, e.sweepKey, e.o.Seed, options)
		if err != nil {
			return err
		}
		*result, err = reproduce.Stage(ctx, e.run, name, what, key, func(ctx context.Context, progress kn.Progress) (*T, error) {
			if err := e.gather(); err != nil {
				return nil, err
			}
			return compute(ctx, progress)
		})
		// A few facts, or a model that knows none of them, leave some experiments
		// nothing to measure; the report says so, and has the others.
		if nothing := experiments.NothingLeft(""); errors.As(err, &nothing) {
			e.nothing[name] = nothing
			return nil
		}
		return err
	}}
}
