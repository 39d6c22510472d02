package landscape_test

import (
	"context"
	"fmt"
	"math"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
)

// golden is what PyTorch computes in float64.
type golden struct {
	Texts          []string
	Labels         []int
	Theta0, Theta1 string
	Theta2         string
	Alphas, Betas  []float64
	Loss, Error    [][]float64
	Norm1          float64 `json:"norm_d1"`
	Norm2          float64 `json:"norm_d2"`
	Cosine         float64 `json:"cos_d1_d2"`
}

// readGolden returns the reference of a folder, its models and its examples.
func readGolden(t testing.TB, dir string) (want golden, theta []string, examples []finetune.Example) {
	t.Helper()
	sharedtest.ReadJSON(t, &want, dir, "landscape.json")
	for i, text := range want.Texts {
		examples = append(examples, finetune.Example{Sentence1: text, Label: want.Labels[i]})
	}
	for _, name := range []string{want.Theta0, want.Theta1, want.Theta2} {
		theta = append(theta, filepath.Join(dir, name))
	}
	return want, theta, examples
}

// small is the reference that the project carries.
func small(t testing.TB) (want golden, theta []string, examples []finetune.Example) {
	return readGolden(t, sharedtest.Goldens(t)[0])
}

var noCache = landscape.Options{NoCache: true}

// near compares with what float64 gives.
func near(t *testing.T, what string, got, want, relative float64) {
	t.Helper()
	if !(math.Abs(got-want) <= relative*math.Abs(want)) {
		t.Errorf("%s is %v, want %v", what, got, want)
	}
}

func TestSurfaceEqualsReference(t *testing.T) {
	for _, dir := range sharedtest.Goldens(t) {
		want, theta, examples := readGolden(t, dir)
		got, err := landscape.Surface(t.Context(), theta[0], theta[1], theta[2], examples,
			landscape.Options{Alphas: want.Alphas, Betas: want.Betas, NoCache: true})
		if err != nil {
			t.Fatal(err)
		}
		near(t, "the length of d1", got.Norm1, want.Norm1, 1e-6)
		near(t, "the length of d2", got.Norm2, want.Norm2, 1e-6)
		near(t, "the cosine", got.Cosine, want.Cosine, 1e-6)
		for i, row := range want.Loss {
			for j := range row {
				at := fmt.Sprintf("%s: (%g, %g)", dir, want.Alphas[i], want.Betas[j])
				near(t, at+": the loss", got.Loss[i][j], want.Loss[i][j], 1e-4)
				near(t, at+": the error", got.Error[i][j], want.Error[i][j], 1e-12)
			}
		}
	}
}

// TestCheckpointsThemselves: at (0, 0), (1, 0) and (0, 1) stand the checkpoints'
// own losses, to the last bit, on a surface as on a curve.
func TestCheckpointsThemselves(t *testing.T) {
	_, theta, examples := small(t)
	var own []*finetune.Evaluation
	for _, name := range theta {
		own = append(own, finetune.MustOpen(t.Context(), name).MustEvaluate(t.Context(), examples))
	}
	same := func(what string, loss, wrong float64, e *finetune.Evaluation) {
		t.Helper()
		if loss != e.Loss || math.Abs(wrong-(1-e.Accuracy)) > 1e-12 {
			t.Errorf("%s: loss %v, error %v; the checkpoint's own are %v, %v", what, loss, wrong, e.Loss, 1-e.Accuracy)
		}
	}
	ends := []float64{0, 1}
	g := landscape.MustSurface(t.Context(), theta[0], theta[1], theta[2], examples, landscape.Options{Alphas: ends, Betas: ends, NoCache: true})
	same("(0, 0)", g.Loss[0][0], g.Error[0][0], own[0])
	same("(1, 0)", g.Loss[1][0], g.Error[1][0], own[1])
	same("(0, 1)", g.Loss[0][1], g.Error[0][1], own[2])
	l := landscape.MustCurve(t.Context(), theta[0], theta[1], examples, noCache)
	if n := len(l.Alphas); n != 41 || l.Alphas[0] != -4 || l.Alphas[20] != 0 || l.Alphas[25] != 1 || l.Alphas[40] != 4 {
		t.Fatalf("the curve's alphas are %v", l.Alphas)
	}
	same("alpha 0", l.Loss[20], l.Error[20], own[0])
	same("alpha 1", l.Loss[25], l.Error[25], own[1])
	r := landscape.MustReset(t.Context(), theta[0], theta[1], nil, examples, noCache)
	same("the start", r.Start.Loss, r.Start.Error, own[0])
	same("the end", r.FineTuned.Loss, r.FineTuned.Error, own[1])
}

// TestEveryParameterTakesPart: with all groups reset one after another the
// model is the start again, each group matters, and together they are the whole.
func TestEveryParameterTakesPart(t *testing.T) {
	_, theta, examples := small(t)
	groups := landscape.Groups(2)
	all := landscape.Group{Name: "all"}
	for _, g := range groups {
		all.Tensors = append(all.Tensors, g.Tensors...)
	}
	r := landscape.MustReset(t.Context(), theta[0], theta[1], append(groups, all), examples, noCache)
	if len(r.Groups) != 5 || r.Groups[0].Name != "embeddings" || r.Groups[2].Name != "layer 1" {
		t.Fatalf("the groups are %+v", r.Groups)
	}
	for _, g := range r.Groups[:4] {
		if g.Loss == r.FineTuned.Loss || g.Loss == r.Start.Loss || !(g.Moved > 0) {
			t.Errorf("taking back %s: %+v", g.Name, g)
		}
	}
	if last := r.Groups[4]; last.Value != r.Start {
		t.Errorf("with everything reset it is %+v, the start is %+v", last.Value, r.Start)
	}
}

// TestGroupMovesAlone: a curve of one group begins where that group is reset
// and ends at the fine-tuned model.
func TestGroupMovesAlone(t *testing.T) {
	_, theta, examples := small(t)
	group := landscape.Groups(2)[1]
	l := landscape.MustCurve(t.Context(), theta[0], theta[1], examples, landscape.Options{Alphas: []float64{0, 0.5, 1}, Group: &group, NoCache: true})
	r := landscape.MustReset(t.Context(), theta[0], theta[1], []landscape.Group{group}, examples, noCache)
	whole := landscape.MustCurve(t.Context(), theta[0], theta[1], examples, landscape.Options{Alphas: []float64{0, 0.5, 1}, NoCache: true})
	if l.Loss[0] != r.Groups[0].Loss || l.Loss[2] != r.FineTuned.Loss || l.Loss[1] == whole.Loss[1] {
		t.Errorf("the group's curve is %v, the whole one %v; reset it is %+v", l.Loss, whole.Loss, r)
	}
	if l.Group != group.Name || !(l.Norm1 < whole.Norm1) {
		t.Errorf("the group moves %v, all %v", l.Norm1, whole.Norm1)
	}
}

// TestBatchesChangeNothing: the mean over many examples in several batches is that
// of few in one.
func TestBatchesChangeNothing(t *testing.T) {
	_, theta, examples := small(t)
	var many []finetune.Example
	for range 12 {
		many = append(many, examples...)
	}
	o := landscape.Options{Alphas: []float64{-1, 0.3}, NoCache: true}
	few, all := landscape.MustCurve(t.Context(), theta[0], theta[1], examples, o), landscape.MustCurve(t.Context(), theta[0], theta[1], many, o)
	for i := range few.Loss {
		near(t, "the loss", all.Loss[i], few.Loss[i], 1e-6)
		near(t, "the error", all.Error[i], few.Error[i], 1e-12)
	}
	if all.Examples != 72 {
		t.Errorf("%d examples", all.Examples)
	}
}

// spoiled is a copy of a checkpoint that has been changed.
func spoiled(t *testing.T, dir string, change func(c *checkpoint.Checkpoint)) string {
	t.Helper()
	folder, err := checkpoint.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	c := folder.MustLoad(t.Context(), nil)
	change(c)
	out := t.TempDir()
	if err := c.Save(out); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestErrors(t *testing.T) {
	_, theta, examples := small(t)
	mask := filepath.Join(sharedtest.Goldens(t)[0], "model")
	wrong := append([]finetune.Example{}, examples...)
	wrong[2].Label = 3
	group := landscape.Group{Name: "odd", Tensors: []string{"bert.encoder.layer.7"}}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	for name, c := range map[string]struct {
		ctx      context.Context
		theta1   string
		examples []finetune.Example
		options  landscape.Options
		want     []string
	}{
		"no example":    {t.Context(), theta[1], nil, noCache, []string{"no example"}},
		"label":         {t.Context(), theta[1], wrong, noCache, []string{"example 2", "label 3", "has 3 labels"}},
		"no classifier": {t.Context(), mask, examples, noCache, []string{mask, "no classifier", "step 0"}},
		"no folder":     {t.Context(), "./nowhere", examples, noCache, []string{"nowhere"}},
		"no number":     {t.Context(), theta[1], examples, landscape.Options{Alphas: []float64{0, math.NaN()}}, []string{"alphas[1] is NaN"}},
		"no alphas":     {t.Context(), theta[1], examples, landscape.Options{Alphas: []float64{}}, []string{"no alphas"}},
		"betas":         {t.Context(), theta[1], examples, landscape.Options{Betas: []float64{0}}, []string{"no betas"}},
		"group":         {t.Context(), theta[1], examples, landscape.Options{Group: &group}, []string{"odd", "no tensor bert.encoder.layer.7"}},
		"interrupted":   {stopped, theta[1], examples, noCache, []string{"canceled"}},
	} {
		_, err := landscape.Curve(c.ctx, theta[0], c.theta1, c.examples, c.options)
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v; %q is missing", name, err, want)
			}
		}
	}
}

// TestOtherShapes: checkpoints of other sizes are named, and those for other labels
// where these matter.
func TestOtherShapes(t *testing.T) {
	_, theta, examples := small(t)
	two := spoiled(t, theta[1], withTwoLabels)
	_, err := landscape.Curve(t.Context(), theta[0], two, examples, noCache)
	if err == nil || !strings.Contains(err.Error(), "labels: 3 and 2") || !strings.Contains(err.Error(), two) {
		t.Errorf("other labels give %v", err)
	}
	one := []dynamics.Checkpoint{{Step: 5, Model: two}}
	if _, err := landscape.Trajectory(t.Context(), theta[0], theta[1], theta[2], one, noCache); err == nil || !strings.Contains(err.Error(), "labels: 3 and 2") {
		t.Errorf("a checkpoint for other labels gives %v", err)
	}
	if !sharedtest.Available() {
		return
	}
	_, others, _ := readGolden(t, sharedtest.Path(t, "goldens", "cased"))
	_, err = landscape.Curve(t.Context(), theta[0], others[1], examples, noCache)
	if err == nil || !strings.Contains(err.Error(), "the models differ in") {
		t.Errorf("other sizes give %v", err)
	}
}

func withTwoLabels(c *checkpoint.Checkpoint) {
	c.Config = c.Config.ForClassification([]string{"no", "yes"})
	h := c.Config.HiddenSize
	c.Tensors["classifier.weight"] = checkpoint.Tensor{Shape: []int{2, h}, Data: c.Tensors["classifier.weight"].Data[:2*h]}
	c.Tensors["classifier.bias"] = checkpoint.Tensor{Shape: []int{2}, Data: c.Tensors["classifier.bias"].Data[:2]}
}

// TestOtherNumberOfLabels: a θ2 for other labels lends its encoder's direction. The
// plane is that of a θ2 that has θ0's classifier, to the last bit.
func TestOtherNumberOfLabels(t *testing.T) {
	_, theta, examples := small(t)
	two := spoiled(t, theta[2], withTwoLabels)
	start, err := checkpoint.OpenFolder(theta[0])
	if err != nil {
		t.Fatal(err)
	}
	head := start.MustLoad(t.Context(), nil)
	three := spoiled(t, theta[2], func(c *checkpoint.Checkpoint) {
		for _, name := range []string{"classifier.weight", "classifier.bias"} {
			c.Tensors[name] = head.Tensors[name]
		}
	})
	o := landscape.Options{Alphas: []float64{0, 1, 1.5}, Betas: []float64{-0.5, 0, 1}, NoCache: true}
	got := landscape.MustSurface(t.Context(), theta[0], theta[1], two, examples, o)
	want := landscape.MustSurface(t.Context(), theta[0], theta[1], three, examples, o)
	whole := landscape.MustSurface(t.Context(), theta[0], theta[1], theta[2], examples, o)
	if !got.EncoderOnly || want.EncoderOnly {
		t.Errorf("only the encoder leads to θ2: %v, %v", got.EncoderOnly, want.EncoderOnly)
	}
	for i, row := range want.Loss {
		for j, loss := range row {
			near(t, "the loss", got.Loss[i][j], loss, 1e-5)
		}
	}
	if got.Loss[1][1] != whole.Loss[1][1] || got.Loss[0][2] == whole.Loss[0][2] {
		t.Errorf("the surface is %v, that of the whole θ2 %v", got.Loss, whole.Loss)
	}
	near(t, "the length of δ2", got.Norm2, want.Norm2, 1e-12)
	near(t, "the cosine", got.Cosine, want.Cosine, 1e-12)
	way := []dynamics.Checkpoint{{Step: 1, Model: theta[0]}, {Step: 2, Model: theta[2]}, {Step: 3, Model: theta[1]}}
	a, b := landscape.MustTrajectory(t.Context(), theta[0], theta[1], two, way, noCache), landscape.MustTrajectory(t.Context(), theta[0], theta[1], three, way, noCache)
	if !reflect.DeepEqual(a.Points, b.Points) {
		t.Errorf("the trajectory is %+v, want %+v", a.Points, b.Points)
	}
}

// TestNoNumber: a loss that is no number names its point, and the others are kept.
func TestNoNumber(t *testing.T) {
	_, theta, examples := small(t)
	bad := spoiled(t, theta[1], func(c *checkpoint.Checkpoint) {
		for i := range c.Tensors["classifier.weight"].Data {
			c.Tensors["classifier.weight"].Data[i] = 3e38
		}
	})
	o := landscape.Options{Alphas: []float64{0, 1e-40, 1}, Cells: t.TempDir()}
	_, err := landscape.Curve(t.Context(), theta[0], bad, examples, o)
	if err == nil || !strings.Contains(err.Error(), "alpha 1, beta 0 is") || !strings.Contains(err.Error(), "narrow the grid") {
		t.Errorf("a loss that is no number gives %v", err)
	}
	known := -1
	o.Progress = func(done, _ int, _ string) {
		if known < 0 {
			known = done
		}
	}
	if _, err := landscape.Curve(t.Context(), theta[0], bad, examples, o); err == nil || known < 1 {
		t.Errorf("the second time %d points are known: %v", known, err)
	}
}
