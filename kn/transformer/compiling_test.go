package transformer_test

import (
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// TestCompilingIsCounted: in the first call of each shape, where shapes are
// compiled.
func TestCompilingIsCounted(t *testing.T) {
	m := load(t, filepath.Join(sharedtest.Goldens(t)[0], "model"))
	exec, err := m.NewExec(1, func(_ *transformer.Weights, in []*graph.Node) []*graph.Node {
		return []*graph.Node{graph.ReduceAllSum(in[0])}
	})
	if err != nil {
		t.Fatal(err)
	}
	counted := func(x []float32) bool {
		ctx, c := backend.CountCompiling(t.Context())
		if _, err := exec.Call(ctx, x); err != nil {
			t.Fatal(err)
		}
		return c.Took() > 0
	}
	compiles := !backend.TakesAnyShape(m.Backend)
	for i, want := range []bool{compiles, false, compiles, false} {
		if got := counted(make([]float32, 2+i/2)); got != want {
			t.Errorf("call %d: counted is %v, want %v", i+1, got, want)
		}
	}
}
