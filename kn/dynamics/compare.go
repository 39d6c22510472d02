package dynamics

import (
	"context"
	"fmt"
	"maps"
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

// side is what the texts tell of one model by itself, by layer [L+1].
type side struct {
	spaces []subspace
	norms  []float64 // of the covariances
}

// sums are what a job gathers from the texts, by layer.
type sums struct {
	own   [][]*covariance // [models][L+1]; nil for a model whose side is known
	cross [][]*covariance // [pairs][L+1]
	jsd   [][]float64     // [pairs][L]
}

func (r *runner) newSums(j job) *sums {
	config := j.models[0].folder.Config()
	covariances := func() (all []*covariance) {
		for range config.Layers + 1 {
			all = append(all, newCovariance(config.HiddenSize, config.HiddenSize))
		}
		return all
	}
	s := &sums{own: make([][]*covariance, len(j.models))}
	for i, m := range j.models {
		if r.sides[m.digest] == nil {
			s.own[i] = covariances()
		}
	}
	for range j.pairs {
		s.cross, s.jsd = append(s.cross, covariances()), append(s.jsd, make([]float64, config.Layers))
	}
	return s
}

// run compares the models of a job on batches of texts; step is called after each.
func (r *runner) run(ctx context.Context, j job, t *texts, step func()) ([]Measures, error) {
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
	s := r.newSums(j)
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
	return r.measures(j, s)
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
	layers := len(s.jsd[0])
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
		if s.own[i] == nil {
			continue
		}
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

// sidesOf makes what a job's models are by themselves, where it is not known.
func (r *runner) sidesOf(j job, s *sums) ([]*side, error) {
	sides := make([]*side, len(j.models))
	var layers []func() error
	for i, m := range j.models {
		if s.own[i] == nil {
			sides[i] = r.sides[m.digest]
			continue
		}
		of := &side{make([]subspace, len(s.own[i])), make([]float64, len(s.own[i]))}
		for l, c := range s.own[i] {
			layers = append(layers, func() (err error) {
				of.norms[l] = c.norm()
				if of.spaces[l], err = leading(c.symmetric()); err != nil {
					err = fmt.Errorf("%s, %s: %w", m.name, layerName(l), err)
				}
				return err
			})
		}
		sides[i], r.sides[m.digest] = of, of
	}
	return sides, sideBySide(len(layers), func(k int) error { return layers[k]() })
}

// measures makes the distances of the sums: one entry for each pair.
func (r *runner) measures(j job, s *sums) ([]Measures, error) {
	sides, err := r.sidesOf(j, s)
	if err != nil {
		return nil, err
	}
	layers := len(s.jsd[0]) + 1
	out := make([]Measures, len(j.pairs))
	for k := range out {
		out[k] = Measures{s.jsd[k], make([]float64, layers), make([]float64, layers), make([]int, layers), make([]int, layers)}
	}
	err = sideBySide(len(j.pairs)*layers, func(k int) (err error) {
		pair, l := k/layers, k%layers
		a, b, m := sides[j.pairs[pair][0]], sides[j.pairs[pair][1]], out[pair]
		m.KeptA[l], m.KeptB[l] = a.spaces[l].kept(), b.spaces[l].kept()
		if m.SVCCADistance[l], err = svccaDistance(a.spaces[l], b.spaces[l], s.cross[pair][l]); err == nil {
			m.CKADistance[l], err = ckaDistance(a.norms[l], b.norms[l], s.cross[pair][l].norm())
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
	for i, j := range jobs {
		some, err := r.run(ctx, j, t, func() {
			if done++; progress != nil {
				progress(done, total, "comparing models on batches of texts")
			}
		})
		if err != nil {
			return nil, err
		}
		all = slices.Concat(all, some)
		r.forget(jobs[i+1:])
	}
	return all, nil
}

// forget drops what no later job asks for.
func (r *runner) forget(later []job) {
	maps.DeleteFunc(r.sides, func(digest string, _ *side) bool {
		return !slices.ContainsFunc(later, func(j job) bool {
			return slices.ContainsFunc(j.models, func(m source) bool { return m.digest == digest })
		})
	})
}
