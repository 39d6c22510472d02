package electra

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// compute runs a graph on inputs and returns its outputs, flat.
func compute(t testing.TB, fn func(in []*graph.Node) []*graph.Node, inputs ...any) [][]float64 {
	t.Helper()
	b, err := backend.Get()
	if err != nil {
		t.Fatal(err)
	}
	var flat [][]float64
	err = backend.Try(func() error {
		outputs, err := graph.MustNewExec(b, fn).Call(inputs...)
		for _, out := range outputs {
			var values []float64
			switch data := out.Value(); out.DType().String() {
			case "Int32":
				for _, x := range tensors.MustCopyFlatData[int32](out) {
					values = append(values, float64(x))
				}
			case "Float32":
				for _, x := range tensors.MustCopyFlatData[float32](out) {
					values = append(values, float64(x))
				}
			default:
				t.Fatalf("output is %T", data)
			}
			flat = append(flat, values)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return flat
}

// matrix is a tensor of rows of equal length.
func matrix(rows [][]float64) *tensors.Tensor {
	var flat []float32
	for _, row := range rows {
		for _, x := range row {
			flat = append(flat, float32(x))
		}
	}
	return tensors.FromFlatDataAndDimensions(flat, len(rows), len(rows[0]))
}

func vector(xs ...float64) *tensors.Tensor {
	flat := make([]float32, len(xs))
	for i, x := range xs {
		flat[i] = float32(x)
	}
	return tensors.FromFlatDataAndDimensions(flat, len(flat))
}

// near fails unless got is within a share of 1 + |want|.
func near(t *testing.T, what string, got, want []float64, share float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d values, want %d", what, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= share*(1+math.Abs(want[i]))) {
			t.Errorf("%s[%d] is %v, want %v", what, i, got[i], want[i])
			return
		}
	}
}

// table is one position: what the generator thinks and what the discriminator
// would lose.
type table struct{ generator, loss []float64 }

// randomTable has V tokens, of which the generator is sure of a few.
func randomTable(rng *rand.Rand, v int) table {
	var t table
	sum := 0.0
	for range v {
		t.generator = append(t.generator, math.Exp(2*rng.NormFloat64()))
		t.loss = append(t.loss, math.Log1p(math.Exp(rng.NormFloat64())))
		sum += t.generator[len(t.generator)-1]
	}
	for x := range t.generator {
		t.generator[x] /= sum
	}
	return t
}

// golden is electra.json: positions [4] over a vocabulary of 10.
type golden struct {
	Generator    [][]float64          `json:"generator"`
	Loss         [][]float64          `json:"detection_loss"`
	Proportional [][]float64          `json:"sampling_loss_proportional"`
	Weight       [][]float64          `json:"importance_weight"`
	Expected     []float64            `json:"expected_detection_loss"`
	PlainVar     []float64            `json:"variance_generator_sampling"`
	OptimalVar   []float64            `json:"variance_proportional_sampling"`
	Original     []int                `json:"original"`
	Focal        map[string][]float64 `json:"focal"`
}

// goldens are the reference tables: those of the project, and the shared ones
// where they are available.
func goldens(t *testing.T) []golden {
	t.Helper()
	paths := [][]string{{"testdata", "electra.json"}}
	if sharedtest.Available() {
		paths = append(paths,
			[]string{sharedtest.Path(t, "goldens", "cased", "electra.json")},
			[]string{sharedtest.Path(t, "goldens", "uncased", "electra.json")})
	}
	all := make([]golden, len(paths))
	for i, path := range paths {
		sharedtest.ReadJSON(t, &all[i], path...)
	}
	return all
}
