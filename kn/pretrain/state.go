package pretrain

import (
	"bufio"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// stateFormat is changed when the meaning of a state file does.
const stateFormat = 1

// state is all that a training needs to go on as if it had not stopped. The
// data's order and the random numbers follow from the seed and the step.
type state struct {
	Format    int
	Digest    string // of the configuration and the data
	Step      int    // steps taken
	Seconds   float64
	Loss      float64 // running mean
	Variables map[string]variable
}

// variable is a weight, a moment or a counter.
type variable struct {
	Dims   []int
	Floats []float32
	Ints   []int64
}

// variables copies every variable of the store: weights and the optimizer's.
func (l *learner) variables() (map[string]variable, error) {
	all := map[string]variable{}
	err := backend.Try(func() error {
		for v := range l.store.IterVariables() {
			if !v.HasValue() {
				continue
			}
			t := v.MustValue()
			kept := variable{Dims: t.Shape().Dimensions}
			switch t.DType() {
			case dtypes.Float32:
				kept.Floats = tensors.MustCopyFlatData[float32](t)
			case dtypes.Int64:
				kept.Ints = tensors.MustCopyFlatData[int64](t)
			default:
				return fmt.Errorf("pretrain: variable %s is a %s", v.Path(), t.Shape())
			}
			all[v.Path()] = kept
		}
		return nil
	})
	return all, err
}

// restore sets every variable, and creates those that the optimizer would
// create at its first step.
func (l *learner) restore(all map[string]variable) error {
	return backend.Try(func() error {
		for _, path := range slices.Sorted(maps.Keys(all)) {
			kept := all[path]
			n := product(kept.Dims)
			var t *tensors.Tensor
			switch {
			case len(kept.Floats) == n:
				t = tensors.FromFlatDataAndDimensions(kept.Floats, kept.Dims...)
			case len(kept.Ints) == n:
				t = tensors.FromFlatDataAndDimensions(kept.Ints, kept.Dims...)
			default:
				return fmt.Errorf("pretrain: variable %s has not the %d values of its shape %v", path, n, kept.Dims)
			}
			if v := l.store.GetVariable(path); v != nil {
				if !v.Shape().Equal(t.Shape()) {
					return fmt.Errorf("pretrain: variable %s is %s, not %s", path, t.Shape(), v.Shape())
				}
				if err := v.SetValue(t); err != nil {
					return err
				}
				continue
			}
			v, err := l.store.CreateVariable(path, t)
			if err != nil {
				return err
			}
			v.SetTrainable(false) // the trained ones exist already
		}
		return nil
	})
}

// write puts the state into a file, which appears when it is complete.
func (s state) write(path string) (err error) {
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("pretrain: checkpoint: %w", err)
	}
	defer func() { err = errors.Join(err, file.Cleanup()) }()
	buffered := bufio.NewWriter(file)
	if err := gob.NewEncoder(buffered).Encode(s); err != nil {
		return fmt.Errorf("pretrain: checkpoint %s: %w", path, err)
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("pretrain: checkpoint %s: %w", path, err)
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("pretrain: checkpoint %s: %w", path, err)
	}
	return nil
}

// readState reads a checkpoint; ok is false when there is none.
func readState(path, digest string) (s state, ok bool, err error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return s, false, nil
	}
	if err != nil {
		return s, false, fmt.Errorf("pretrain: checkpoint: %w", err)
	}
	defer file.Close()
	if err := gob.NewDecoder(bufio.NewReader(file)).Decode(&s); err != nil {
		return s, false, fmt.Errorf("pretrain: checkpoint %s cannot be read: %w; delete it to start again", path, err)
	}
	if s.Format != stateFormat || s.Digest != digest {
		return s, false, fmt.Errorf("pretrain: checkpoint %s is of another configuration, other data or another version; delete it to start again, or choose another folder", path)
	}
	return s, true, nil
}
