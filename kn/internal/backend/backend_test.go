package backend

import (
	"fmt"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"golang.org/x/sync/errgroup"
)

// TestGoBackendIsUnbound: the default Go backend's pool was found, and has no
// bound; one that was asked for with options has what GoMLX gives it.
func TestGoBackendIsUnbound(t *testing.T) {
	for config, want := range map[string]bool{"": true, "go": true, Default: true, "go:creation_order": false} {
		b, err := Open(config)
		if err != nil {
			t.Fatal(err)
		}
		p, ok := workers(b)
		if !ok {
			t.Fatalf("%q: no pool of workers was found in a %T", config, b)
		}
		if p.IsUnlimited() != want {
			t.Errorf("%q: the pool has no bound: %v, want %v", config, !want, want)
		}
	}
	if _, ok := workers(compute.Backend(nil)); ok {
		t.Error("nothing has a pool")
	}
}

// BenchmarkSideBySide is how long graphs of products as small as kn-mini's
// take, one alone and two side by side.
func BenchmarkSideBySide(b *testing.B) {
	back, err := Open(Default)
	if err != nil {
		b.Fatal(err)
	}
	x, w := make([][]float32, 256), make([][]float32, 128)
	for i := range x {
		x[i] = make([]float32, 128)
		w[i/2] = make([]float32, 128)
	}
	for _, side := range []int{1, 2} {
		b.Run(fmt.Sprintf("graphs=%d", side), func(b *testing.B) {
			execs := make([]*graph.Exec, side)
			for i := range execs {
				if execs[i], err = graph.NewExec(back, func(x, w *graph.Node) *graph.Node {
					for range 50 {
						x = graph.Tanh(graph.Dot(x, w).Product())
					}
					return graph.ReduceAllSum(x)
				}); err != nil {
					b.Fatal(err)
				}
			}
			for b.Loop() {
				var group errgroup.Group
				for _, e := range execs {
					group.Go(func() error { _, err := e.Call(x, w); return err })
				}
				if err := group.Wait(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
