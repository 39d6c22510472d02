package landscape_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
)

// moved is a checkpoint at θ0 + α δ1 + β δ2 + far times a random direction.
func moved(t *testing.T, theta []string, alpha, beta, far float64) string {
	t.Helper()
	var others []*checkpoint.Checkpoint
	for _, dir := range theta[1:] {
		folder, err := checkpoint.OpenFolder(dir)
		if err != nil {
			t.Fatal(err)
		}
		others = append(others, folder.MustLoad(t.Context(), nil))
	}
	rng := rand.New(rand.NewPCG(1, 2))
	return spoiled(t, theta[0], func(c *checkpoint.Checkpoint) {
		for _, x := range c.Config.Expected() {
			data := c.Tensors[x.Name].Data
			for i, v := range data {
				d1, d2 := float64(others[0].Tensors[x.Name].Data[i]-v), float64(others[1].Tensors[x.Name].Data[i]-v)
				data[i] = float32(float64(v) + alpha*d1 + beta*d2 + far*rng.NormFloat64())
			}
		}
	})
}

// TestTrajectory: checkpoints made on the plane are found where they were put,
// those beside it are told by the share of the distance that lies in it.
func TestTrajectory(t *testing.T) {
	_, theta, _ := small(t)
	var way []dynamics.Checkpoint
	places := []struct{ alpha, beta, far float64 }{{0, 0, 0}, {0.3, -0.2, 0}, {0.7, 0.4, 0.05}, {1, 0, 0}, {0, 1, 0}}
	for i, p := range places {
		way = append(way, dynamics.Checkpoint{Step: 10 * i, Model: moved(t, theta, p.alpha, p.beta, p.far)})
	}
	path := landscape.MustTrajectory(t.Context(), theta[0], theta[1], theta[2], way, noCache)
	for i, p := range path.Points {
		want, tolerance := places[i], 1e-6
		if want.far > 0 {
			tolerance = 0.05 // the random direction is not quite at right angles
		}
		if math.Abs(p.Alpha-want.alpha) > tolerance || math.Abs(p.Beta-want.beta) > tolerance || p.Step != 10*i {
			t.Errorf("a checkpoint at %+v is found at %+v", want, p)
		}
		if inside := p.Explained > 1-1e-9; inside != (want.far == 0) || !(p.Explained > 0.3 && p.Explained <= 1) {
			t.Errorf("of the checkpoint at %+v, the share %v lies in the plane", want, p.Explained)
		}
	}
	if p := path.Points[3]; math.Abs(p.Distance-path.Norm1) > 1e-6 {
		t.Errorf("the trajectory to theta1 is %v long, and %v", p.Distance, path.Norm1)
	}
	line := landscape.MustTrajectory(t.Context(), theta[0], theta[1], "", way[3:], noCache)
	if p := line.Points[0]; math.Abs(p.Alpha-1) > 1e-9 || p.Beta != 0 || math.Abs(p.Explained-1) > 1e-9 {
		t.Errorf("theta1 on its own line is %+v", p)
	}
	// δ2 lies on the line of δ1 with the cosine of their angle.
	if p := line.Points[1]; math.Abs(p.Explained-path.Cosine*path.Cosine) > 1e-6 || math.Abs(p.Alpha-path.Cosine*path.Norm2/path.Norm1) > 1e-6 {
		t.Errorf("theta2 on that line is %+v", p)
	}
}

func TestTrajectoryErrors(t *testing.T) {
	_, theta, _ := small(t)
	one := []dynamics.Checkpoint{{Step: 5, Model: theta[1]}}
	for want, call := range map[string]func() (*landscape.Path, error){
		"no checkpoint to project": func() (*landscape.Path, error) {
			return landscape.Trajectory(t.Context(), theta[0], theta[1], theta[2], nil, noCache)
		},
		"order of their steps": func() (*landscape.Path, error) {
			return landscape.Trajectory(t.Context(), theta[0], theta[1], theta[2], slices.Concat(one, one), noCache)
		},
		"span no plane": func() (*landscape.Path, error) {
			return landscape.Trajectory(t.Context(), theta[0], theta[1], theta[1], one, noCache)
		},
		"one does not move": func() (*landscape.Path, error) {
			return landscape.Trajectory(t.Context(), theta[0], theta[0], "", one, noCache)
		},
	} {
		if _, err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func TestGroups(t *testing.T) {
	for layers, want := range map[int]string{
		1:  "embeddings, layer 0, classifier",
		2:  "embeddings, layer 0, layer 1, classifier",
		3:  "embeddings, bottom layer (0), middle layer (1), top layer (2), classifier",
		12: "embeddings, bottom layers (0 to 3), middle layers (4 to 7), top layers (8 to 11), classifier",
	} {
		var names, tensors []string
		for _, g := range landscape.Groups(layers) {
			names, tensors = append(names, g.Name), append(tensors, g.Tensors...)
		}
		if got := strings.Join(names, ", "); got != want || len(tensors) != layers+3 {
			t.Errorf("%d layers are cut into %s: %q", layers, got, tensors)
		}
	}
}

// line is a curve of a function.
func line(alphas []float64, f func(float64) float64) *landscape.Line {
	l := &landscape.Line{Plane: landscape.Plane{Norm1: 3}, Alphas: alphas}
	for _, a := range alphas {
		l.Loss = append(l.Loss, f(a))
	}
	return l
}

func TestWidth(t *testing.T) {
	alphas := []float64{-2, -1, 0, 1, 2}
	valley := line(alphas, func(a float64) float64 { return 1 + math.Abs(a) })
	w, err := valley.Width(2.5) // a level of 2.5, reached at ±1.5
	if err != nil || w.Low != -1.5 || w.High != 1.5 || w.Width != 3 || w.Distance != 9 || w.Open || w.At != 0 || w.Minimum != 1 || w.Level != 2.5 {
		t.Errorf("the valley is %+v, %v", w, err)
	}
	if w, err := valley.Width(3); err != nil || w.Width != 4 || !w.Open { // it touches the ends
		t.Errorf("the valley as wide as the curve is %+v, %v", w, err)
	}
	if w, err := valley.Width(1); err != nil || w.Width != 0 || w.Open {
		t.Errorf("the valley's bottom is %+v, %v", w, err)
	}
	if w, err := valley.Below(1.5); err != nil || w.Width != 1 {
		t.Errorf("below 1.5 it is %+v, %v", w, err)
	}
	// A second valley behind a wall does not count.
	two := line([]float64{0, 1, 2, 3}, func(a float64) float64 { return []float64{1, 5, 1.5, 1.5}[int(a)] })
	if w, err := two.Width(2); err != nil || w.Low != 0 || w.High != 0.25 || !w.Open {
		t.Errorf("one of two valleys is %+v, %v", w, err)
	}
	for want, call := range map[string]func() (*landscape.Width, error){
		"at least 1, not 0.5": func() (*landscape.Width, error) { return valley.Width(0.5) },
		"nowhere below":       func() (*landscape.Width, error) { return valley.Below(0.9) },
		"has no width":        func() (*landscape.Width, error) { return (&landscape.Line{}).Width(2) },
		"alphas[2] is 1":      func() (*landscape.Width, error) { return line([]float64{0, 1, 1}, math.Exp).Width(2) },
	} {
		if _, err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// grid is a surface of a function on n x n points from -2 to 2.
func grid(n int, f func(a, b float64) float64) *landscape.Grid {
	g := &landscape.Grid{Plane: landscape.Plane{Norm1: 3, Norm2: 2, Cosine: 0.6}}
	for i := range n {
		v := -2 + 4*float64(i)/float64(n-1)
		g.Alphas, g.Betas = append(g.Alphas, v), append(g.Betas, v)
	}
	for _, a := range g.Alphas {
		var row []float64
		for _, b := range g.Betas {
			row = append(row, f(a, b))
		}
		g.Loss = append(g.Loss, row)
	}
	return g
}

// TestArea measures what can be calculated: a half plane, exactly, and an
// ellipse, up to the grid.
func TestArea(t *testing.T) {
	slope := grid(7, func(a, b float64) float64 { return 3 + a })
	if a, err := slope.Below(2.1); err != nil || math.Abs(a.Area-1.1*4) > 1e-9 || !a.Open || math.Abs(a.Extent-1.1*4*3*2*0.8) > 1e-9 {
		t.Errorf("the half plane is %+v, %v", a, err)
	}
	bowl := grid(81, func(a, b float64) float64 { return 1 + a*a/2 + 2*b*b })
	if a, err := bowl.Area(2); err != nil || math.Abs(a.Area-math.Pi) > 0.01 || a.Open || a.Alpha != 0 || a.Beta != 0 || a.Minimum != 1 {
		t.Errorf("the ellipse is %+v, %v; want an area of π", a, err)
	}
	// A deeper bowl and, behind a wall, a second one, which does not count.
	two := grid(81, func(a, b float64) float64 { return 1.1 + min((a-1)*(a-1)+b*b-0.1, (a+1)*(a+1)+b*b) })
	if a, err := two.Below(1.1 + 0.15); err != nil || math.Abs(a.Area-0.25*math.Pi) > 0.01 || a.Open {
		t.Errorf("one of two bowls is %+v, %v; want an area of π/4", a, err)
	}
	ragged := grid(3, func(a, b float64) float64 { return 1 })
	if a, err := ragged.Area(1); err != nil || a.Area != 16 || !a.Open {
		t.Errorf("a plain is %+v, %v", a, err)
	}
	ragged.Loss[1] = ragged.Loss[1][:2]
	for want, call := range map[string]func() (*landscape.Area, error){
		"at least 1, not NaN":         func() (*landscape.Area, error) { return bowl.Area(math.NaN()) },
		"nowhere below":               func() (*landscape.Area, error) { return bowl.Below(0.9) },
		"has no area":                 func() (*landscape.Area, error) { return (&landscape.Grid{}).Area(2) },
		"row 1 of the surface has 2 ": func() (*landscape.Area, error) { return ragged.Area(2) },
	} {
		if _, err := call(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

var ctx = context.Background()

func ExampleCurve() {
	folder := filepath.Join("..", "internal", "sharedtest", "testdata", "golden")
	examples := []finetune.Example{{Sentence1: "Mary was born in London", Label: 0}, {Sentence1: "John speaks German", Label: 1}}
	l := landscape.MustCurve(ctx, filepath.Join(folder, "classifier_0"), filepath.Join(folder, "classifier_1"), examples,
		landscape.Options{Alphas: []float64{0, 0.5, 1}})
	for i, a := range l.Alphas {
		fmt.Printf("alpha %.1f: loss %.3f, error %.1f\n", a, l.Loss[i], l.Error[i])
	}
	// Output:
	// alpha 0.0: loss 1.073, error 0.0
	// alpha 0.5: loss 1.093, error 0.5
	// alpha 1.0: loss 1.112, error 1.0
}

func ExampleGroupResets() {
	folder := filepath.Join("..", "internal", "sharedtest", "testdata", "golden")
	examples := []finetune.Example{{Sentence1: "Mary was born in London", Label: 0}, {Sentence1: "John speaks German", Label: 1}}
	r := landscape.MustReset(ctx, filepath.Join(folder, "classifier_0"), filepath.Join(folder, "classifier_1"), nil, examples, landscape.Options{})
	fmt.Printf("fine-tuned: loss %.3f\n", r.FineTuned.Loss)
	for _, g := range r.Groups {
		fmt.Printf("%s reset: loss %.3f\n", g.Name, g.Loss)
	}
	// Output:
	// fine-tuned: loss 1.112
	// embeddings reset: loss 1.107
	// layer 0 reset: loss 1.103
	// layer 1 reset: loss 1.126
	// classifier reset: loss 1.058
}

func ExampleGrid_Area() {
	folder := filepath.Join("..", "internal", "sharedtest", "testdata", "golden")
	examples := []finetune.Example{{Sentence1: "Mary was born in London", Label: 0}, {Sentence1: "John speaks German", Label: 1}}
	g := landscape.MustSurface(ctx, filepath.Join(folder, "classifier_0"), filepath.Join(folder, "classifier_1"), filepath.Join(folder, "classifier_2"), examples,
		landscape.Options{})
	area, err := g.Area(1.1)
	if err != nil {
		panic(err)
	}
	fmt.Printf("within 10 %% of the minimum, %.3f at (%g, %g): an area of %.2f; open: %v\n", area.Minimum, area.Alpha, area.Beta, area.Area, area.Open)
	// Output:
	// within 10 % of the minimum, 0.812 at (-1, -0.5): an area of 0.17; open: true
}
