package dynamics

import (
	"context"
	"fmt"
	"runtime"
	"slices"

	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
)

// job is some models in memory at once, and which of them are compared.
type job struct {
	models []source
	pairs  [][2]int
}

// sums are what a job gathers from the texts, by layer.
type sums struct {
	own    [][]*covariance // [models][L+1]
	cross  [][]*covariance // [pairs][L+1]
	jsd    [][]float64     // [pairs][L]
	hidden int
}

func newSums(models, pairs, layers, hidden int) *sums {
	covariances := func(n int) [][]*covariance {
		all := make([][]*covariance, n)
		for i := range all {
			for range layers + 1 {
				all[i] = append(all[i], newCovariance(hidden, hidden))
			}
		}
		return all
	}
	s := &sums{own: covariances(models), cross: covariances(pairs), jsd: make([][]float64, pairs), hidden: hidden}
	for i := range s.jsd {
		s.jsd[i] = make([]float64, layers)
	}
	return s
}

// run compares the models of a job on batches of texts; step is called after each.
func (r *runner) run(ctx context.Context, j job, t *texts, step func()) ([]Measures, error) {
	config := j.models[0].folder.Config()
	encoders := make([]*encoder, len(j.models))
	defer func() {
		for _, e := range encoders {
			if e != nil {
				e.model.Free()
			}
		}
	}()
	for i, s := range j.models {
		var err error
		if encoders[i], err = r.read(ctx, s); err != nil {
			return nil, err
		}
	}
	moments, err := newMomentsExec(r.backend)
	if err != nil {
		return nil, err
	}
	s := newSums(len(encoders), len(j.pairs), config.Layers, config.HiddenSize)
	for _, b := range t.batches {
		if err := s.add(ctx, encoders, j.pairs, moments, b, t.lengths(b)); err != nil {
			return nil, err
		}
		step()
	}
	for _, row := range s.jsd {
		for l := range row {
			row[l] /= float64(len(t.encoded))
		}
	}
	return s.measures(j)
}

// add runs all models on a batch, layer by layer, and gathers what pairs of
// them have in common.
func (s *sums) add(ctx context.Context, encoders []*encoder, pairs [][2]int, moments *momentsExec, b finetune.Batch, lengths []int) error {
	x := make([]*tensors.Tensor, len(encoders))
	defer func() {
		for _, t := range x {
			if t != nil {
				_ = t.FinalizeAll() // nothing depends on its success
			}
		}
	}()
	attention := make([]attentionMaps, len(encoders))
	for i, e := range encoders {
		var err error
		if x[i], err = e.start(ctx, b.IDs, b.Types); err != nil {
			return err
		}
	}
	layers := len(s.own[0]) - 1
	for l := 0; ; l++ {
		if err := s.addStates(l, x, pairs, moments, b.Mask); err != nil || l == layers {
			return err
		}
		for i, e := range encoders {
			var err error
			if x[i], attention[i], err = e.next(ctx, l, x[i], b.Mask); err != nil {
				return err
			}
		}
		for k, p := range pairs {
			s.jsd[k][l] += attention[p[0]].divergence(attention[p[1]], lengths)
		}
	}
}

// addStates takes in a batch's hidden states below layer l, or after the last one.
func (s *sums) addStates(l int, x []*tensors.Tensor, pairs [][2]int, moments *momentsExec, mask *tensors.Tensor) error {
	for i := range x {
		m, err := moments.call(x[i], x[i], mask)
		if err != nil {
			return err
		}
		s.own[i][l].addBatch(m)
	}
	for k, p := range pairs {
		m, err := moments.call(x[p[0]], x[p[1]], mask)
		if err != nil {
			return err
		}
		s.cross[k][l].addBatch(m)
	}
	return nil
}

// measures makes the distances of the sums: one entry for each pair.
func (s *sums) measures(j job) ([]Measures, error) {
	layers := len(s.own[0])
	spaces := make([][]subspace, len(j.models))
	for i := range spaces {
		spaces[i] = make([]subspace, layers)
	}
	err := sideBySide(len(j.models)*layers, func(k int) (err error) {
		i, l := k/layers, k%layers
		if spaces[i][l], err = leading(s.own[i][l].symmetric()); err != nil {
			err = fmt.Errorf("%s, %s: %w", j.models[i].name, layerName(l), err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	out := make([]Measures, len(j.pairs))
	for k := range out {
		out[k] = Measures{s.jsd[k], make([]float64, layers), make([]float64, layers), make([]int, layers), make([]int, layers)}
	}
	err = sideBySide(len(j.pairs)*layers, func(k int) (err error) {
		pair, l := k/layers, k%layers
		a, b, m := j.pairs[pair][0], j.pairs[pair][1], out[pair]
		m.KeptA[l], m.KeptB[l] = spaces[a][l].kept(), spaces[b][l].kept()
		if m.SVCCADistance[l], err = svccaDistance(spaces[a][l], spaces[b][l], s.cross[pair][l]); err == nil {
			m.CKADistance[l], err = ckaDistance(s.own[a][l], s.own[b][l], s.cross[pair][l])
		}
		return err
	})
	return out, err
}

// layerName says which hidden states are meant.
func layerName(l int) string {
	if l == 0 {
		return "embeddings"
	}
	return fmt.Sprintf("layer %d", l-1)
}

// sideBySide does n things on all cores.
func sideBySide(n int, do func(i int) error) error {
	var group errgroup.Group
	group.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		group.Go(func() error { return do(i) })
	}
	return group.Wait()
}

// runAll runs jobs one after another.
func runAll(ctx context.Context, jobs []job, t *texts, progress kn.Progress) ([]Measures, error) {
	r, err := newRunner(jobs[0].models[0].folder.Config())
	if err != nil {
		return nil, err
	}
	var all []Measures
	done, total := 0, len(jobs)*len(t.batches)
	for _, j := range jobs {
		some, err := r.run(ctx, j, t, func() {
			if done++; progress != nil {
				progress(done, total, "comparing models on batches of texts")
			}
		})
		if err != nil {
			return nil, err
		}
		all = slices.Concat(all, some)
	}
	return all, nil
}
