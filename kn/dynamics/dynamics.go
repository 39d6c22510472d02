package dynamics

import (
	"context"
	"errors"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
)

// Options are what all comparisons take. The zero value is the default.
type Options struct {
	NoCache  bool        // neither look results up in the cache nor keep them
	Progress kn.Progress // nil: a bar in a notebook's cell
}

// Compare measures what sets two models apart, layer by layer. Models are named
// as [kn.Load] takes them, and may be classifiers. See [Sentences] for plain texts.
func Compare(ctx context.Context, a, b string, texts []finetune.Example, o Options) (*Comparison, error) {
	s := study{kind: "compare", names: []string{a, b}, texts: texts, options: o, pair: func(m []source) []job {
		return []job{{m, [][2]int{{0, 1}}}}
	}}
	return carryOut(ctx, s, func(all []Measures, sample Sample, p kn.Provenance) *Comparison {
		return &Comparison{ModelA: a, ModelB: b, Measures: all[0], Sample: sample, Provenance: p}
	})
}

// MustCompare is [Compare] for notebook cells: it panics instead of returning an error.
func MustCompare(ctx context.Context, a, b string, texts []finetune.Example, o Options) *Comparison {
	return kn.Must(Compare(ctx, a, b, texts, o))
}

// Checkpoint is a model on the way of a training.
type Checkpoint struct {
	Step  int
	Model string // as [kn.Load] takes it, or a classifier
}

// inOrder checks that there are checkpoints, each of a later step than the one before.
func inOrder(checkpoints []Checkpoint) error {
	if len(checkpoints) == 0 {
		return errors.New("dynamics: there is no checkpoint to compare with the start; let fine-tuning keep some")
	}
	for i, c := range checkpoints[1:] {
		if before := checkpoints[i].Step; c.Step <= before {
			return fmt.Errorf("dynamics: checkpoint %s of step %d comes after step %d; list them in the order of their steps", c.Model, c.Step, before)
		}
	}
	return nil
}

// Training measures how far each of a training's checkpoints is from its
// start, layer by layer.
func Training(ctx context.Context, start string, checkpoints []Checkpoint, texts []finetune.Example, o Options) (*LayersBySteps, error) {
	if err := inOrder(checkpoints); err != nil {
		return nil, err
	}
	names, steps := []string{start}, []int{}
	for _, c := range checkpoints {
		names, steps = append(names, c.Model), append(steps, c.Step)
	}
	s := study{kind: "training", names: names, query: steps, texts: texts, options: o, pair: withFirst}
	return carryOut(ctx, s, func(all []Measures, sample Sample, p kn.Provenance) *LayersBySteps {
		r := &LayersBySteps{Start: start, Steps: steps, Sample: sample, Provenance: p}
		for _, m := range all {
			r.AttentionJSD = append(r.AttentionJSD, m.AttentionJSD)
			r.SVCCADistance = append(r.SVCCADistance, m.SVCCADistance)
			r.CKADistance = append(r.CKADistance, m.CKADistance)
		}
		return r
	})
}

// MustTraining is [Training] for notebook cells: it panics instead of returning an error.
func MustTraining(ctx context.Context, start string, checkpoints []Checkpoint, texts []finetune.Example, o Options) *LayersBySteps {
	return kn.Must(Training(ctx, start, checkpoints, texts, o))
}

// Named is a model with a short name for charts: its seed, or its data set.
type Named struct{ Name, Model string }

// Pairs measures how far each model is from each other.
func Pairs(ctx context.Context, models []Named, texts []finetune.Example, o Options) (*PairMatrices, error) {
	if len(models) < 2 {
		return nil, fmt.Errorf("dynamics: %d models make no pair; give two or more", len(models))
	}
	var names, labels []string
	for _, m := range models {
		names, labels = append(names, m.Model), append(labels, m.Name)
	}
	s := study{kind: "pairs", names: names, query: labels, texts: texts, options: o, pair: allPairs}
	return carryOut(ctx, s, func(all []Measures, sample Sample, p kn.Provenance) *PairMatrices {
		r := &PairMatrices{Names: labels, Sample: sample, Provenance: p}
		matrices := func(of func(Measures) []float64) [][][]float64 {
			values := make([][]float64, len(all))
			for k, m := range all {
				values[k] = of(m)
			}
			return symmetric(len(models), values)
		}
		r.AttentionJSD = matrices(func(m Measures) []float64 { return m.AttentionJSD })
		r.SVCCADistance = matrices(func(m Measures) []float64 { return m.SVCCADistance })
		r.CKADistance = matrices(func(m Measures) []float64 { return m.CKADistance })
		return r
	})
}

// MustPairs is [Pairs] for notebook cells: it panics instead of returning an error.
func MustPairs(ctx context.Context, models []Named, texts []finetune.Example, o Options) *PairMatrices {
	return kn.Must(Pairs(ctx, models, texts, o))
}

// atOnce is the number of models that are kept in memory together.
func atOnce(models []source) int {
	const memory, most = 1 << 28, 16 // parameters, 1 GB of them; models
	return max(2, min(most, memory/models[0].folder.Config().Parameters()))
}

// withFirst pairs each model with the first one.
func withFirst(models []source) []job {
	var jobs []job
	size := atOnce(models) - 1
	for from := 1; from < len(models); from += size {
		j := job{models: models[:1:1]}
		for i, m := range models[from:min(from+size, len(models))] {
			j.models, j.pairs = append(j.models, m), append(j.pairs, [2]int{0, i + 1})
		}
		jobs = append(jobs, j)
	}
	return jobs
}

// allPairs pairs each model with each other, row by row above the diagonal.
func allPairs(models []source) []job {
	together := len(models) <= atOnce(models)
	whole := job{models: models}
	var jobs []job
	for i := range models {
		for k := i + 1; k < len(models); k++ {
			whole.pairs = append(whole.pairs, [2]int{i, k})
			jobs = append(jobs, job{[]source{models[i], models[k]}, [][2]int{{0, 1}}})
		}
	}
	if together {
		return []job{whole}
	}
	return jobs
}

// symmetric arranges the values of allPairs as a matrix for each layer:
// [pairs][layers] -> [layers][n][n].
func symmetric(n int, values [][]float64) [][][]float64 {
	out := make([][][]float64, len(values[0]))
	for l := range out {
		out[l] = make([][]float64, n)
		for i := range out[l] {
			out[l][i] = make([]float64, n)
		}
		k := 0
		for i := range n {
			for j := i + 1; j < n; j++ {
				out[l][i][j], out[l][j][i] = values[k][l], values[k][l]
				k++
			}
		}
	}
	return out
}
