//go:build xla

package backend

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/xla"
)

// TestXLAComputes opens every plug-in that this machine can use and compares a
// product of matrices and a gradient with values worked out by hand.
func TestXLAComputes(t *testing.T) {
	usable := xla.Usable()
	if len(usable) == 0 {
		t.Fatal(`no plug-in can be used here: run "go run ./install -xla" (or -cuda)`)
	}
	for _, name := range usable {
		t.Run(name, func(t *testing.T) { computes(t, "xla:"+name) })
	}
}

func computes(t *testing.T, config string) {
	b, err := Open(config)
	if err != nil {
		t.Fatal(err)
	}
	if same, err := Open(config); err != nil || same != b {
		t.Errorf("opened twice (%v)", err)
	}
	var got []any
	err = Try(func() error {
		exec, err := graph.NewExec(b, func(x, w *graph.Node) []*graph.Node {
			y := graph.Dot(x, w).Product()
			sum := graph.ReduceAllSum(graph.Mul(y, y))
			return []*graph.Node{y, graph.Gradient(sum, x)[0]}
		})
		if err != nil {
			return err
		}
		outputs, err := exec.Call([][]float32{{1, 2}}, [][]float32{{3, -1}, {0.5, 4}})
		for _, o := range outputs {
			got = append(got, o.Value())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	// y = (1*3 + 2*0.5, -1 + 2*4) = (4, 7); d|y|²/dx = 2 y Wᵀ.
	for i, want := range [][]float32{{4, 7}, {2 * (4*3 - 7), 2 * (4*0.5 + 7*4)}} {
		for j, v := range got[i].([][]float32)[0] {
			if math.Abs(float64(v-want[j])) > 1e-5 {
				t.Errorf("output %d is %v, want %v", i, got[i], want)
			}
		}
	}
}

// TestXLAWithoutPlugin: a plug-in that is missing or cut short is an error
// that says what to run, before it is loaded.
func TestXLAWithoutPlugin(t *testing.T) {
	installed, err := xla.Find(xla.CPU)
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	dir := t.TempDir()
	t.Setenv(xla.EnvVar, dir)
	for _, config := range []string{"xla", "xla:cpu", "xla:cuda"} {
		if _, err := Open(config); err == nil || !strings.Contains(err.Error(), "go run ./install -") || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s without a plug-in: %v", config, err)
		}
	}
	half := make([]byte, 1<<20)
	f, err := os.Open(installed.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Read(half); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, xla.FileName(xla.CPU)), half, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("xla:cpu"); err == nil || !strings.Contains(err.Error(), "not a whole plug-in") {
		t.Errorf("half a plug-in: %v", err)
	}
}
