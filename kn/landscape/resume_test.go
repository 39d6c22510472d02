package landscape_test

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
)

// TestInterruptedGridGoesOn stops a surface half-way; the second run measures
// what is missing only, and gives what one run gives.
func TestInterruptedGridGoesOn(t *testing.T) {
	want, theta, examples := small(t)
	o := landscape.Options{Alphas: want.Alphas, Betas: want.Betas, Cells: t.TempDir()}
	whole := landscape.MustSurface(t.Context(), theta[0], theta[1], theta[2], examples, landscape.Options{Alphas: want.Alphas, Betas: want.Betas, NoCache: true})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.Progress = func(done, total int, _ string) {
		if done == 10 {
			cancel()
		}
	}
	if _, err := landscape.Surface(ctx, theta[0], theta[1], theta[2], examples, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("a cancelled surface gives %v", err)
	}
	first, last := -1, 0
	o.Progress = func(done, total int, _ string) {
		if first < 0 {
			first = done
		}
		last = done
	}
	got := landscape.MustSurface(t.Context(), theta[0], theta[1], theta[2], examples, o)
	if first < 10 || last != 32 {
		t.Errorf("the second run went from point %d to %d", first, last)
	}
	if !reflect.DeepEqual(got, whole) {
		t.Errorf("an interrupted surface is %+v, a whole one %+v", got, whole)
	}
	// A finer grid uses what is there, and so does the curve along alpha.
	first = -1
	curve := landscape.MustCurve(t.Context(), theta[0], theta[1], examples, landscape.Options{Alphas: []float64{-1, 0, 1.25, 2}, Cells: o.Cells, Progress: o.Progress})
	if first != 3 || curve.Loss[1] != got.Loss[2][1] {
		t.Errorf("the curve began with %d points known: %+v", first, curve)
	}
}

// childEnv names the folder in which this test program is to measure a surface
// and do nothing else.
const childEnv = "KN_TEST_LANDSCAPE_CELLS"

func TestMain(m *testing.M) {
	if cells := os.Getenv(childEnv); cells != "" {
		_, theta, examples := small(&testing.T{})
		landscape.MustSurface(context.Background(), theta[0], theta[1], theta[2], examples, long(cells))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// long is a surface that can be killed half-way.
func long(cells string) landscape.Options {
	o := landscape.Options{Cells: cells}
	for i := range 14 {
		o.Alphas, o.Betas = append(o.Alphas, float64(i)/14), append(o.Betas, float64(i)/14)
	}
	return o
}

// TestKilledGridGoesOn kills a process in the midst of a surface. What it had
// measured is not measured again, and nothing is damaged.
func TestKilledGridGoesOn(t *testing.T) {
	cells := t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+cells)
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	count := func() int {
		files, err := filepath.Glob(filepath.Join(cells, "*", "*.json"))
		if err != nil {
			t.Fatal(err)
		}
		return len(files)
	}
	for deadline := time.Now().Add(30 * time.Second); count() < 20 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the surface was whole before the process was killed")
	}
	kept, first := count(), -1
	_, theta, examples := small(t)
	o := long(cells)
	o.Progress = func(done, total int, _ string) {
		if first < 0 {
			first = done
		}
	}
	got := landscape.MustSurface(t.Context(), theta[0], theta[1], theta[2], examples, o)
	if kept < 20 || first != kept {
		t.Errorf("%d points were kept; the second run began with %d", kept, first)
	}
	alone := landscape.MustSurface(t.Context(), theta[0], theta[1], theta[2], examples, landscape.Options{Alphas: o.Alphas[:2], Betas: o.Betas[:2], NoCache: true})
	for i, row := range alone.Loss {
		for j, v := range row {
			if got.Loss[i][j] != v {
				t.Errorf("point %d, %d is %v, want %v", i, j, got.Loss[i][j], v)
			}
		}
	}
}
