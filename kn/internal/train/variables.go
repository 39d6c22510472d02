package train

import (
	"fmt"
	"maps"
	"math"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// Variable is a weight, a moment or a counter.
type Variable struct {
	Dims   []int
	Floats []float32
	Ints   []int64
}

// Variables copies every variable of the store: weights and the optimizer's.
func (l *Learner) Variables() (map[string]Variable, error) {
	return l.copied(func(string) bool { return true })
}

// Of copies the variables of some weights alone, a third of all.
func (l *Learner) Of(want []checkpoint.Expected) (map[string]Variable, error) {
	paths := map[string]bool{}
	for _, e := range want {
		paths[variablePath(e.Name, e.Shape)] = true
	}
	return l.copied(func(path string) bool { return paths[path] })
}

func (l *Learner) copied(wanted func(path string) bool) (map[string]Variable, error) {
	all := map[string]Variable{}
	err := backend.Try(func() error {
		for v := range l.Store.IterVariables() {
			if !v.HasValue() || !wanted(v.Path()) {
				continue
			}
			t := v.MustValue()
			kept := Variable{Dims: t.Shape().Dimensions}
			switch t.DType() {
			case dtypes.Float32:
				kept.Floats = tensors.MustCopyFlatData[float32](t)
			case dtypes.Int64:
				kept.Ints = tensors.MustCopyFlatData[int64](t)
			default:
				return fmt.Errorf("train: variable %s is a %s", v.Path(), t.Shape())
			}
			all[v.Path()] = kept
		}
		return nil
	})
	return all, err
}

// Restore sets every variable, and creates those that the optimizer would
// create at its first step.
func (l *Learner) Restore(all map[string]Variable) error {
	return backend.Try(func() error {
		for _, path := range slices.Sorted(maps.Keys(all)) {
			t, err := all[path].tensor()
			if err != nil {
				return fmt.Errorf("train: variable %s %w", path, err)
			}
			if v := l.Store.GetVariable(path); v != nil {
				if !v.Shape().Equal(t.Shape()) {
					return fmt.Errorf("train: variable %s is %s, not %s", path, t.Shape(), v.Shape())
				}
				if err := v.SetValue(t); err != nil {
					return err
				}
				continue
			}
			v, err := l.Store.CreateVariable(path, t)
			if err != nil {
				return err
			}
			v.SetTrainable(false) // the trained ones exist already
		}
		return nil
	})
}

// tensor has the variable's values.
func (v Variable) tensor() (*tensors.Tensor, error) {
	n := 1
	for _, d := range v.Dims {
		n *= d
	}
	switch {
	case len(v.Floats) == n:
		return tensors.FromFlatDataAndDimensions(v.Floats, v.Dims...), nil
	case len(v.Ints) == n:
		return tensors.FromFlatDataAndDimensions(v.Ints, v.Dims...), nil
	}
	return nil, fmt.Errorf("has not the %d values of its shape %v", n, v.Dims)
}

// Finite returns an error that names the first variable with a value that is
// infinite or no number.
func Finite(all map[string]Variable) error {
	for _, path := range slices.Sorted(maps.Keys(all)) {
		for i, x := range all[path].Floats {
			if math.IsNaN(float64(x)) || math.IsInf(float64(x), 0) {
				return fmt.Errorf("train: element %d of %s is %v", i, path, x)
			}
		}
	}
	return nil
}
