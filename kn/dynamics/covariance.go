package dynamics

import (
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// covariance gathers Σ (x - x̄)(y - ȳ)ᵀ over samples that come in batches. Each
// batch is centred by its own means, and what these differ from the means
// before is put right (Chan, Golub and LeVeque 1979), so that nothing is lost
// where means are large beside deviations.
type covariance struct {
	rows, columns int
	samples       float64
	meanX, meanY  []float64
	sum           []float64 // [rows, columns]
}

func newCovariance(rows, columns int) *covariance {
	return &covariance{rows: rows, columns: columns, meanX: make([]float64, rows), meanY: make([]float64, columns), sum: make([]float64, rows*columns)}
}

// add takes in a batch: its size, its means and its own Σ (x - x̄)(y - ȳ)ᵀ.
func (c *covariance) add(samples float64, meanX, meanY, sum []float64) {
	floats.Add(c.sum, sum)
	total := c.samples + samples
	weight := c.samples * samples / total
	shiftY := make([]float64, c.columns)
	floats.SubTo(shiftY, meanY, c.meanY)
	for i := range c.rows {
		shiftX := meanX[i] - c.meanX[i]
		floats.AddScaled(c.sum[i*c.columns:(i+1)*c.columns], weight*shiftX, shiftY)
		c.meanX[i] += shiftX * samples / total
	}
	floats.AddScaled(c.meanY, samples/total, shiftY)
	c.samples = total
}

func (c *covariance) matrix() *mat.Dense { return mat.NewDense(c.rows, c.columns, c.sum) }

// norm is the Frobenius norm.
func (c *covariance) norm() float64 { return floats.Norm(c.sum, 2) }

// symmetric is the matrix of a covariance of hidden states with themselves.
func (c *covariance) symmetric() *mat.SymDense {
	s := mat.NewSymDense(c.rows, nil)
	for i := range c.rows {
		for j := i; j < c.rows; j++ {
			s.SetSym(i, j, c.sum[i*c.columns+j])
		}
	}
	return s
}

// batchMoments is what covariance.add takes of a batch.
type batchMoments struct {
	samples      float64
	meanX, meanY []float64
	sum          []float64
}

func (c *covariance) addBatch(m batchMoments) { c.add(m.samples, m.meanX, m.meanY, m.sum) }

// momentsExec computes batchMoments on a backend.
type momentsExec struct{ exec *graph.Exec }

func newMomentsExec(b compute.Backend) (*momentsExec, error) {
	m := new(momentsExec)
	err := backend.Try(func() (err error) {
		m.exec, err = graph.NewExec(b, func(in []*graph.Node) []*graph.Node { return momentsGraph(in[0], in[1], in[2]) })
		if err == nil {
			m.exec.SetMaxCache(-1)
		}
		return err
	})
	return m, err
}

// momentsGraph is in float64: singular values down to a thousandth of the
// largest matter, and their squares would drown in float32's rounding.
//
//	x [B, n, H], y [B, n, H], mask [B, n] -> samples [], means [H] and [H], Σ (x - x̄)(y - ȳ)ᵀ [H, H]
func momentsGraph(x, y, mask *graph.Node) []*graph.Node {
	wide := func(v *graph.Node) *graph.Node { return graph.ConvertDType(v, dtypes.Float64) }
	dims := x.Shape().Dimensions
	kept := graph.Reshape(wide(mask), dims[0]*dims[1], 1) // [R, 1]
	samples := graph.ReduceAllSum(kept)                   // []
	centred := func(v *graph.Node) (mean, rest *graph.Node) {
		v = graph.Reshape(wide(v), dims[0]*dims[1], dims[2])                        // [R, H]
		mean = graph.Div(graph.ReduceSum(graph.Mul(v, kept), 0), samples)           // [H]
		return mean, graph.Mul(graph.Sub(v, graph.ExpandLeftToRank(mean, 2)), kept) // [R, H]
	}
	meanX, restX := centred(x)
	meanY, restY := centred(y)
	sum := graph.DotGeneral(restX, []int{0}, nil, restY, []int{0}, nil) // [H, H]
	return []*graph.Node{samples, meanX, meanY, sum}
}

func (m *momentsExec) call(x, y, mask *tensors.Tensor) (batchMoments, error) {
	var out []*tensors.Tensor
	err := backend.Try(func() (err error) {
		out, err = m.exec.Call(x, y, mask)
		return err
	})
	if err != nil {
		return batchMoments{}, err
	}
	var parts [4][]float64
	for i, t := range out {
		if parts[i], err = tensors.CopyFlatData[float64](t); err != nil {
			return batchMoments{}, fmt.Errorf("dynamics: %w", err)
		}
		_ = t.FinalizeAll() // nothing depends on its success
	}
	return batchMoments{parts[0][0], parts[1], parts[2], parts[3]}, nil
}
