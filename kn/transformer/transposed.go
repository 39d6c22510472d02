package transformer

import (
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// transposedSuffix is what the names of transposed weights end in.
const transposedSuffix = " transposed"

// matrices are the dense layers whose weights a graph is also given transposed.
func (w *Weights) matrices() (all []*Dense) {
	for l := range w.Layers {
		lw := &w.Layers[l]
		all = append(all, &lw.Query, &lw.Key, &lw.Value, &lw.AttentionOutput, &lw.Intermediate, &lw.Output)
		if lw.Gate != nil {
			all = append(all, lw.Gate)
		}
	}
	if w.Head.Decoder.Weight != nil {
		all = append(all, &w.Head.Decoder)
		if w.Head.Transform.Weight != nil {
			all = append(all, &w.Head.Transform)
		}
	}
	return all
}

// withTransposed asks lookup for the weights of the parts, and for those of the
// dense layers once more, transposed. lookup must not return the same node twice.
func (p Parts) withTransposed(c Config, layer int, lookup Lookup) *Weights {
	type asked struct {
		name string
		dims []int
	}
	of := map[*graph.Node]asked{}
	w := (p &^ Transposed).weights(c, layer, func(name string, dims ...int) *graph.Node {
		node := lookup(name, dims...)
		of[node] = asked{name, dims}
		return node
	})
	for _, d := range w.matrices() {
		a := of[d.Weight]
		d.Transposed = lookup(a.name+transposedSuffix, a.dims[1], a.dims[0])
	}
	return w
}

// Transpose adds what graphs with [Transposed] weights take, unless the model
// has it.
func (m *Model) Transpose() error {
	var names []string
	(wholeModel(m.Config) | Transposed).weights(m.Config, 0, func(name string, _ ...int) *graph.Node {
		if strings.HasSuffix(name, transposedSuffix) && m.tensors[name] == nil {
			names = append(names, strings.TrimSuffix(name, transposedSuffix))
		}
		return new(graph.Node)
	})
	for _, name := range names {
		if err := m.transpose(name); err != nil {
			return err
		}
	}
	return nil
}

// transpose makes the transposed copy of a tensor anew.
func (m *Model) transpose(name string) error {
	return backend.Try(func() error {
		t := m.tensors[name]
		rows, columns := t.Shape().Dim(0), t.Shape().Dim(1)
		turned := make([]float32, rows*columns)
		err := tensors.ConstFlatData(t, func(flat []float32) {
			for i := range rows {
				for j, v := range flat[i*columns : (i+1)*columns] {
					turned[j*rows+i] = v
				}
			}
		})
		if err != nil {
			return err
		}
		copied := tensors.FromFlatDataAndDimensions(slices.Clip(turned), columns, rows)
		m.put(name+transposedSuffix, copied)
		return copied.MaterializeOnDevice(m.Backend, false, 0)
	})
}
