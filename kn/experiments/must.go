package experiments

import (
	"context"
	"iter"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

// What follows is for notebook cells: each panics where the function without
// Must returns an error.

// MustGather is [Gather] for notebook cells.
func MustGather(records iter.Seq2[sweep.Record, error], o GatherOptions) *Gathered {
	return kn.Must(Gather(records, o))
}

// MustNeurons is [Neurons] for notebook cells.
func MustNeurons(m *kn.Model, g *Gathered, o stats.Options) *NeuronTable {
	return kn.Must(Neurons(m, g, o))
}

// MustIntervene is [Intervene] for notebook cells.
func MustIntervene(ctx context.Context, m *kn.Model, of []Fact, o InterveneOptions, progress kn.Progress) *Intervention {
	return kn.Must(Intervene(ctx, m, of, o, progress))
}

// MustExpress is [Express] for notebook cells.
func MustExpress(ctx context.Context, m *kn.Model, of []Fact, texts []facts.OpenText, o ExpressOptions, progress kn.Progress) *ActivationExpression {
	return kn.Must(Express(ctx, m, of, texts, o, progress))
}

// MustUpdate is [Update] for notebook cells.
func MustUpdate(ctx context.Context, m *kn.Model, of []Fact, o UpdateOptions, progress kn.Progress) *UpdateTable {
	return kn.Must(Update(ctx, m, of, o, progress))
}

// MustErase is [Erase] for notebook cells.
func MustErase(ctx context.Context, m *kn.Model, of []Fact, o EraseOptions, progress kn.Progress) *EraseTable {
	return kn.Must(Erase(ctx, m, of, o, progress))
}

// MustDiffRecipes is [DiffRecipes] for notebook cells.
func MustDiffRecipes(ctx context.Context, m *kn.Model, of []Fact, o DiffOptions, progress kn.Progress) *RecipeDiff {
	return kn.Must(DiffRecipes(ctx, m, of, o, progress))
}

// MustConvergence is [Convergence] for notebook cells.
func MustConvergence(ctx context.Context, m *kn.Model, of []Fact, o ConvergenceOptions, progress kn.Progress) *ConvergenceTable {
	return kn.Must(Convergence(ctx, m, of, o, progress))
}

// MustExactness is [Exactness] for notebook cells.
func MustExactness(ctx context.Context, m *kn.Model, of []Fact, o ExactnessOptions, progress kn.Progress) *ExactnessTable {
	return kn.Must(Exactness(ctx, m, of, o, progress))
}
