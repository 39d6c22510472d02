package berteffectiveness

import (
	"math"
	"slices"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-4 { // lines between the points of a grid, and sums of floats
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func verdict(t *testing.T, what string, s reproduce.Spread, want report.Verdict) {
	t.Helper()
	if got := reproduce.Unanimous(s, six); got != want {
		t.Errorf("%s: %s of %v, want %s", what, got, s.Values, want)
	}
}

var six = reproduce.Trainings([]*reproduce.Task{{Name: "relation"}}, 6)

// TestTrainings decides the claims about ends of trainings both ways.
func TestTrainings(t *testing.T) {
	record := func(train, loss, accuracy float64) reproduce.Tuned {
		r := &finetune.Record{Steps: 20, Evaluations: map[string]finetune.Evaluation{"test": {Loss: loss, Accuracy: accuracy, Majority: 0.1}}}
		for step := range 20 { // of which the last two count
			r.History.Training = append(r.History.Training, finetune.TrainingPoint{Step: step + 1, Loss: 9})
		}
		r.History.Training[18].Loss, r.History.Training[19].Loss = train-0.1, train+0.1
		return reproduce.Tuned{Record: r}
	}
	of := func(r reproduce.Tuned) []reproduce.Tuned { return slices.Repeat([]reproduce.Tuned{r}, 6) }
	good, bad := record(0.2, 1, 0.8), record(0.7, 2, 0.5)
	for _, c := range []struct {
		pretrained, scratch, long reproduce.Tuned
		easier, better, spared    report.Verdict
	}{
		{good, bad, good, report.Holds, report.Holds, report.Holds},
		{bad, good, bad, report.Fails, report.Fails, report.Holds},
		{good, good, record(0, 3, 0.77), report.Unknown, report.Unknown, report.Fails},
		{good, good, record(0, 3, 0.79), report.Unknown, report.Unknown, report.Holds},
	} {
		x := &Trainings{Runs: six}
		x.summarize(map[string][]reproduce.Tuned{pretrained: of(c.pretrained), scratch: of(c.scratch), long: of(c.long)})
		verdict(t, "easier", x.Easier, c.easier)
		verdict(t, "better", x.Better, c.better)
		verdict(t, "spared", x.Spared, c.spared)
	}
	x := &Trainings{Runs: six}
	x.summarize(map[string][]reproduce.Tuned{pretrained: of(good), scratch: of(bad), long: of(record(0, 3, 0.79))})
	near(t, "training loss", x.Pretrained.TrainLoss.Mean, 0.2)
	near(t, "easier", x.Easier.Mean, 0.5)
	near(t, "later", x.Later.Mean, 0.5)
	near(t, "better", x.Better.Mean, 0.3)
	near(t, "rise", x.Rise.Mean, 0.01)
	near(t, "loss rise", x.LossRise.Mean, 2)
	near(t, "guessing", x.Guessing.Mean, 0.9)

	// What takes twice the steps is behind after the first half of them.
	slow := record(0.1, 1, 0.8)
	slow.Record.Steps = 40
	for step := range 40 {
		slow.Record.History.Training = append(slow.Record.History.Training[:step], finetune.TrainingPoint{Step: step + 1, Loss: 4 - 0.1*float64(step)})
	}
	near(t, "on the way", meanLoss(slow.Record, 20), 4-0.95)
	x.summarize(map[string][]reproduce.Tuned{pretrained: of(good), scratch: of(slow), long: of(good)})
	near(t, "half-way", x.Easier.Mean, 4-1.85-0.2)
	near(t, "at the end", x.Later.Mean, 4-3.75-0.2)
}

// parabola is a valley of the given width at twice its minimum of 1.
func parabola(width, high float64) *landscape.Line {
	l := &landscape.Line{Plane: landscape.Plane{Norm1: 3}}
	for k := -400; k <= 400; k++ {
		a := float64(k) / 100
		d := (a - 1) / (width / 2)
		l.Alphas, l.Loss = append(l.Alphas, a), append(l.Loss, min(high, 1+d*d))
	}
	return l
}

// TestCurves decides which valley is wider, and which way is smoother, both ways.
func TestCurves(t *testing.T) {
	runs := func(a, b *landscape.Line) *Curves {
		c := &Curves{}
		for _, r := range six {
			c.Runs = append(c.Runs, RunCurves{r, ByStart[StartCurve]{StartCurve{Train: a}, StartCurve{Train: b}}})
		}
		if err := c.summarize(); err != nil {
			t.Fatal(err)
		}
		return c
	}
	wide, narrow := parabola(2, 100), parabola(1, 100)
	c := runs(wide, narrow)
	near(t, "wide", c.Pretrained.Own.Mean, 2)
	near(t, "length", c.Pretrained.OwnLength.Mean, 6)
	near(t, "wider", c.Wider.Mean, 1)
	verdict(t, "wider", c.Wider, report.Holds)
	verdict(t, "narrower", runs(narrow, wide).Wider, report.Fails)
	verdict(t, "wider, both open", runs(parabola(2, 1.5), parabola(2, 1.5)).Wider, report.Unknown)
	if c = runs(parabola(2, 1.5), narrow); c.Pretrained.Open != 6 || c.Scratch.Open != 0 {
		t.Errorf("%d and %d open valleys, want 6 and 0", c.Pretrained.Open, c.Scratch.Open)
	}

	// A deep valley is measured at its own level and at the shallow one's.
	deep := parabola(2, 100)
	for i, v := range deep.Loss {
		deep.Loss[i] = v / 4
	}
	c = runs(deep, narrow)
	near(t, "own width", c.Pretrained.Own.Mean, 2)
	near(t, "common width", c.Pretrained.Common.Values[0], 2*math.Sqrt(7)) // 1 + d² = 8

	hill := parabola(2, 100)
	for i, a := range hill.Alphas {
		if a > 0.3 && a < 0.5 {
			hill.Loss[i] = 7
		}
	}
	near(t, "climb", climb(hill), 5)
	near(t, "no climb", climb(wide), 0)
	beyond := parabola(2, 100)
	beyond.Loss[slices.Index(beyond.Alphas, 1)] = 1.5 // the lowest points are beside the end
	c = runs(beyond, wide)
	near(t, "lowest at", c.At.Pretrained.Mean, 0.99)
	near(t, "lowest at the end", c.At.Scratch.Mean, 1)
	near(t, "loss at the end", c.End.Pretrained.Mean, 1.5)
	near(t, "least loss at the end", c.End.Scratch.Mean, 1)
	verdict(t, "smoother", runs(wide, hill).Smoother, report.Holds)
	verdict(t, "rougher", runs(hill, wide).Smoother, report.Fails)
	verdict(t, "both smooth", runs(wide, narrow).Smoother, report.Unknown)
}

// TestShared gives a verdict only where no measure contradicts it.
func TestShared(t *testing.T) {
	for _, c := range []struct{ a, b, want report.Verdict }{
		{report.Holds, report.Holds, report.Holds},
		{report.Fails, report.Fails, report.Fails},
		{report.Fails, report.Holds, report.Unknown},
		{report.Holds, report.Unknown, report.Unknown},
		{report.Unknown, report.Fails, report.Unknown},
	} {
		if got := shared(c.a, c.b); got != c.want {
			t.Errorf("%s and %s: %s, want %s", c.a, c.b, got, c.want)
		}
	}
}

func TestWider(t *testing.T) {
	for _, c := range []struct {
		a, b region
		want float64
	}{
		{region{3, false}, region{1, false}, 2},
		{region{3, true}, region{1, false}, 2},
		{region{3, false}, region{1, true}, 0},
		{region{1, true}, region{3, false}, 0},
		{region{1, false}, region{3, true}, -2},
		{region{3, true}, region{3, true}, 0},
	} {
		near(t, "wider", wider(c.a, c.b), c.want)
	}
}

// bowl has its minimum of 1 at (1, 0).
func bowl(width float64, wrong func(loss float64) float64) *landscape.Grid {
	g := &landscape.Grid{Plane: landscape.Plane{Norm1: 3, Norm2: 2}}
	for k := -20; k <= 40; k++ {
		g.Alphas, g.Betas = append(g.Alphas, float64(k)/20), append(g.Betas, float64(k)/20)
	}
	for _, a := range g.Alphas {
		var loss, errors []float64
		for _, b := range g.Betas {
			v := 1 + ((a-1)*(a-1)+b*b)/(width*width/4)
			loss, errors = append(loss, v), append(errors, wrong(v))
		}
		g.Loss, g.Error = append(g.Loss, loss), append(g.Error, errors)
	}
	return g
}

// TestSurfaces decides which basin is larger, and whether surfaces agree, both ways.
func TestSurfaces(t *testing.T) {
	up := func(v float64) float64 { return 1 - 1/v }
	down := func(v float64) float64 { return 1 / v }
	flat := func(float64) float64 { return 0.5 }
	path := &landscape.Path{Points: []landscape.PathPoint{{Explained: 1}, {Explained: 0.6}, {Explained: 0.9}}}
	runs := func(a, b float64, wrong func(float64) float64) *Surfaces {
		u := &Surfaces{}
		for _, r := range six {
			u.Runs = append(u.Runs, RunSurfaces{r, ByStart[StartSurface]{
				StartSurface{Train: bowl(a, wrong), Dev: bowl(a, wrong), Path: path},
				StartSurface{Train: bowl(b, wrong), Dev: bowl(b, wrong), Path: path},
			}})
		}
		if err := u.summarize(); err != nil {
			t.Fatal(err)
		}
		return u
	}
	u := runs(1.6, 0.8, up)
	if got, want := u.Pretrained.Own.Mean, math.Pi*0.8*0.8; math.Abs(got-want) > 0.01*want {
		t.Errorf("the basin has an area of %v, want %v", got, want)
	}
	near(t, "extent", u.Pretrained.OwnLength.Mean, 6*u.Pretrained.Own.Mean)
	near(t, "agreement", u.Agreement.Pretrained.Mean, 1)
	near(t, "explained", u.Explained.Scratch.Mean, 0.6)
	verdict(t, "wider", u.Wider, report.Holds)
	verdict(t, "agrees", u.Agrees, report.Holds)
	u = runs(0.8, 1.6, down)
	verdict(t, "narrower", u.Wider, report.Fails)
	verdict(t, "disagrees", u.Agrees, report.Fails)
	verdict(t, "flat errors", runs(1, 1, flat).Agrees, report.Fails)
}

func TestRankCorrelation(t *testing.T) {
	// By hand: ranks 0, 1.5, 1.5, 3, 4 and 1, 0, 2.5, 2.5, 4.
	near(t, "ties", rankCorrelation([]float64{1, 2, 2, 4, 5}, []float64{2, 1, 3, 3, 9}), 7.25/9.5)
	near(t, "reversed", rankCorrelation([]float64{1, 2, 3}, []float64{5, 4, -1}), -1)
	near(t, "all the same", rankCorrelation([]float64{1, 2, 3}, []float64{5, 5, 5}), 0)
}

func TestAxis(t *testing.T) {
	got := Sizes{Grid: 3}.axis(-1, 2)
	if len(got) != 10 || got[0] != -1 || got[3] != 0 || got[6] != 1 || got[9] != 2 {
		t.Errorf("axis %v", got)
	}
}

// TestLine: curves have the grid's points and tenths near the minima, each once.
func TestLine(t *testing.T) {
	for grid, n := range map[int]int{1: 9 + 16 - 2, 3: 25 + 16 - 2, 10: 81} {
		line := Sizes{Grid: grid}.line()
		if len(line) != n || !slices.IsSorted(line) || line[0] != -4 || line[n-1] != 4 || !slices.Contains(line, 0) || !slices.Contains(line, 1) {
			t.Errorf("grid %d: %d points %v, want %d", grid, len(line), line, n)
		}
	}
}
