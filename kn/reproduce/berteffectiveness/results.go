package berteffectiveness

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

// Factor of a minimum that bounds the region around it whose width is measured.
const Factor = 2

// Margin is the error that long training may add before it counts as overfitting:
// two points of a hundred.
const Margin = 0.02

// The ends of curves, as in the paper, and of surfaces.
const (
	curveLow, curveHigh     = -4, 4
	surfaceLow, surfaceHigh = -1, 2
)

// Setting is results/setting.json: what was done on what.
type Setting struct {
	Citation string `json:"citation"`
	URL      string `json:"url"`

	Model        string               `json:"model"`
	Layers       int                  `json:"layers"`
	Data         []reproduce.TaskData `json:"data"`
	Tasks        []string             `json:"tasks"`
	Seeds        int                  `json:"seeds"` // from 1
	Runs         int                  `json:"runs"`  // tasks x seeds
	LearningRate float64              `json:"learning_rate"`
	ScratchTimes int                  `json:"scratch_times"` // as high a learning rate from scratch
	Sizes
	ScratchSteps int       `json:"scratch_steps"`
	LongSteps    int       `json:"long_steps"`
	Factor       float64   `json:"factor"`
	Margin       float64   `json:"margin"`
	Curve        []float64 `json:"curve"`   // alphas
	Surface      []float64 `json:"surface"` // alphas, and betas
}

// ByStart is something of both starts.
type ByStart[T any] struct {
	Pretrained T `json:"pretrained"`
	Scratch    T `json:"scratch"`
}

// Trainings is results/trainings.json: how the trainings ended. Errors and losses
// are on the part test, except TrainLoss.
type Trainings struct {
	Runs []reproduce.Training `json:"runs"`
	ByStart[End]
	Long End `json:"long"`
	// Guessing is the error of always giving the commonest label.
	Guessing reproduce.Spread `json:"guessing"`
	// Easier is the training loss from scratch less that from the pre-trained
	// weights after as many steps, Later the same at the end of both, Better that of
	// test errors.
	// OnTheWay is the mean of the training losses up to there, less the same.
	Easier   reproduce.Spread `json:"easier"`
	OnTheWay reproduce.Spread `json:"on_the_way"`
	Later    reproduce.Spread `json:"later"`
	Better   reproduce.Spread `json:"better"`
	// Rise is the test error after the long training less that after the
	// ordinary one, LossRise the same of test losses, Spared [Margin] less Rise.
	Rise     reproduce.Spread `json:"rise"`
	LossRise reproduce.Spread `json:"loss_rise"`
	Spared   reproduce.Spread `json:"spared"`
}

// End is how trainings of a kind ended.
type End struct {
	TrainLoss reproduce.Spread `json:"train_loss"` // see [lossAt], nats
	Loss      reproduce.Spread `json:"loss"`
	Error     reproduce.Spread `json:"error"`
}

// lossAt is the mean training loss over the last tenth of the steps up to one.
func lossAt(r *finetune.Record, step int) float64 {
	sum, n := 0.0, 0
	for _, p := range r.History.Training {
		if p.Step <= step && 10*p.Step > 9*step {
			sum, n = sum+p.Loss, n+1
		}
	}
	return sum / float64(n)
}

// meanLoss is the mean training loss over the steps up to one.
func meanLoss(r *finetune.Record, step int) float64 {
	sum, n := 0.0, 0
	for _, p := range r.History.Training {
		if p.Step <= step {
			sum, n = sum+p.Loss, n+1
		}
	}
	return sum / float64(n)
}

func lastLoss(r *finetune.Record) float64 { return lossAt(r, r.Steps) }

func (t *Trainings) summarize(tuned map[string][]reproduce.Tuned) {
	over := func(kind string, of func(*finetune.Record) float64) reproduce.Spread {
		return reproduce.SpreadOver(len(t.Runs), func(i int) float64 { return of(tuned[kind][i].Record) })
	}
	end := func(kind string) End {
		return End{
			over(kind, lastLoss),
			over(kind, func(r *finetune.Record) float64 { return r.Evaluations["test"].Loss }),
			over(kind, func(r *finetune.Record) float64 { return 1 - r.Evaluations["test"].Accuracy }),
		}
	}
	t.Pretrained, t.Scratch, t.Long = end(pretrained), end(scratch), end(long)
	t.Guessing = over(pretrained, func(r *finetune.Record) float64 { return 1 - r.Evaluations["test"].Majority })
	t.Easier = reproduce.SpreadOver(len(t.Runs), func(i int) float64 {
		return lossAt(tuned[scratch][i].Record, tuned[pretrained][i].Record.Steps) - t.Pretrained.TrainLoss.Values[i]
	})
	t.OnTheWay = reproduce.SpreadOver(len(t.Runs), func(i int) float64 {
		steps := tuned[pretrained][i].Record.Steps
		return meanLoss(tuned[scratch][i].Record, steps) - meanLoss(tuned[pretrained][i].Record, steps)
	})
	t.Later = less(t.Scratch.TrainLoss, t.Pretrained.TrainLoss)
	t.Better = less(t.Scratch.Error, t.Pretrained.Error)
	t.Rise = less(t.Long.Error, t.Pretrained.Error)
	t.LossRise = less(t.Long.Loss, t.Pretrained.Loss)
	t.Spared = reproduce.SpreadOver(len(t.Runs), func(i int) float64 { return Margin - t.Rise.Values[i] })
}

// less is a - b within each training.
func less(a, b reproduce.Spread) reproduce.Spread {
	return reproduce.SpreadOver(len(a.Values), func(i int) float64 { return a.Values[i] - b.Values[i] })
}

// region is how large a region is, and whether it goes on beyond the grid.
type region struct {
	size float64
	open bool
}

// wider is a's size less b's; 0 where the smaller one goes on beyond the grid, so
// that it cannot be told which is wider.
func wider(a, b region) float64 {
	if a.size > b.size && b.open || a.size < b.size && a.open {
		return 0
	}
	return a.size - b.size
}

// Regions are those around the minimum of the training loss from one start, over
// trainings: Own is the size of the region in which the loss is at most [Factor]
// times its minimum, Common of that in which it is at most [Factor] times the
// higher one of both starts' minima. Sizes are in units of the way from start to end
// (on planes, of the parallelogram of both directions); as lengths and areas in
// the space of parameters they are OwnLength and CommonLength.
type Regions struct {
	Minimum      reproduce.Spread `json:"minimum"` // nats
	Own          reproduce.Spread `json:"own"`
	OwnLength    reproduce.Spread `json:"own_length"`
	Common       reproduce.Spread `json:"common"`
	CommonLength reproduce.Spread `json:"common_length"`
	Open         int              `json:"open"` // common regions that go on beyond the grid, of all trainings
}

// Curves is results/curves.json: the loss from starts to ends and beyond.
type Curves struct {
	Runs []RunCurves `json:"runs"`
	ByStart[Regions]
	// Climb is how far the loss climbs above the start's on the way to the end.
	Climb ByStart[reproduce.Spread] `json:"climb"`
	// At is the alpha where the training loss is lowest, and End the loss at the
	// training's end, alpha 1.
	At  ByStart[reproduce.Spread] `json:"at"`
	End ByStart[reproduce.Spread] `json:"end"`
	// Wider is the width of the common region of the pre-trained start less that
	// from scratch, OwnWider the same of own regions; see [Regions]. Smoother is
	// the climb from scratch less that from the pre-trained weights.
	Wider    reproduce.Spread `json:"wider"`
	OwnWider reproduce.Spread `json:"own_wider"`
	Smoother reproduce.Spread `json:"smoother"`
}

// RunCurves are one task's and seed's.
type RunCurves struct {
	reproduce.Training
	ByStart[StartCurve]
}

// StartCurve is the curve from a start.
type StartCurve struct {
	Train  *landscape.Line  `json:"train"`
	Dev    *landscape.Line  `json:"dev"`
	Own    *landscape.Width `json:"own"`
	Common *landscape.Width `json:"common"`
	Climb  float64          `json:"climb"` // nats
}

// climb is the highest loss between start and end less that at the start.
func climb(l *landscape.Line) float64 {
	start, highest := math.Inf(1), math.Inf(-1)
	for i, a := range l.Alphas {
		if a == 0 {
			start = l.Loss[i]
		}
		if a >= 0 && a <= 1 {
			highest = max(highest, l.Loss[i])
		}
	}
	return highest - start
}

// lossAtEnd is the loss at alpha 1; every axis has it.
func lossAtEnd(l *landscape.Line) float64 { return l.Loss[slices.Index(l.Alphas, 1)] }

func (c *Curves) summarize() error {
	for i := range c.Runs {
		r := &c.Runs[i]
		level := Factor * max(slices.Min(r.Pretrained.Train.Loss), slices.Min(r.Scratch.Train.Loss))
		for _, s := range []*StartCurve{&r.Pretrained, &r.Scratch} {
			var err error
			if s.Own, err = s.Train.Width(Factor); err != nil {
				return err
			}
			if s.Common, err = s.Train.Below(level); err != nil {
				return err
			}
			s.Climb = climb(s.Train)
		}
	}
	over := func(of func(r *RunCurves) float64) reproduce.Spread {
		return reproduce.SpreadOver(len(c.Runs), func(i int) float64 { return of(&c.Runs[i]) })
	}
	regions := func(of func(r *RunCurves) *StartCurve) Regions {
		g := Regions{
			Minimum:   over(func(r *RunCurves) float64 { return of(r).Own.Minimum }),
			Own:       over(func(r *RunCurves) float64 { return of(r).Own.Width }),
			OwnLength: over(func(r *RunCurves) float64 { return of(r).Own.Distance }),
			Common:    over(func(r *RunCurves) float64 { return of(r).Common.Width }), CommonLength: over(func(r *RunCurves) float64 { return of(r).Common.Distance }),
		}
		for i := range c.Runs {
			if of(&c.Runs[i]).Common.Open {
				g.Open++
			}
		}
		return g
	}
	c.Pretrained = regions(func(r *RunCurves) *StartCurve { return &r.Pretrained })
	c.Scratch = regions(func(r *RunCurves) *StartCurve { return &r.Scratch })
	c.Climb.Pretrained = over(func(r *RunCurves) float64 { return r.Pretrained.Climb })
	c.Climb.Scratch = over(func(r *RunCurves) float64 { return r.Scratch.Climb })
	c.At.Pretrained = over(func(r *RunCurves) float64 { return r.Pretrained.Own.At })
	c.At.Scratch = over(func(r *RunCurves) float64 { return r.Scratch.Own.At })
	c.End.Pretrained = over(func(r *RunCurves) float64 { return lossAtEnd(r.Pretrained.Train) })
	c.End.Scratch = over(func(r *RunCurves) float64 { return lossAtEnd(r.Scratch.Train) })
	c.Smoother = less(c.Climb.Scratch, c.Climb.Pretrained)
	width := func(w *landscape.Width) region { return region{w.Width, w.Open} }
	c.Wider = over(func(r *RunCurves) float64 { return wider(width(r.Pretrained.Common), width(r.Scratch.Common)) })
	c.OwnWider = over(func(r *RunCurves) float64 { return wider(width(r.Pretrained.Own), width(r.Scratch.Own)) })
	return nil
}

// Surfaces is results/surfaces.json: loss and error on planes.
type Surfaces struct {
	Runs []RunSurfaces `json:"runs"`
	ByStart[Regions]
	// Agreement is the rank correlation between training loss and held-out error
	// over the points of a plane.
	Agreement ByStart[reproduce.Spread] `json:"agreement"`
	// Explained is the least share, over checkpoints, of the squared distance
	// from the start that lies in the plane.
	Explained ByStart[reproduce.Spread] `json:"explained"`
	// Wider is the common area of the pre-trained start less that from scratch,
	// OwnWider the same of own regions; see [Regions]. Agrees is the agreement
	// of the pre-trained start less [Agreeing].
	Wider         reproduce.Spread `json:"wider"`
	OwnWider      reproduce.Spread `json:"own_wider"`
	Agrees        reproduce.Spread `json:"agrees"`
	AgreesScratch reproduce.Spread `json:"agrees_scratch"` // the same from scratch
	// LossesAgree is the rank correlation of training loss and held-out loss
	// less [Agreeing].
	LossesAgree ByStart[reproduce.Spread] `json:"losses_agree"`
}

// Agreeing is the rank correlation above which two surfaces count as in agreement.
const Agreeing = 0.5

// RunSurfaces are one task's and seed's.
type RunSurfaces struct {
	reproduce.Training
	ByStart[StartSurface]
}

// StartSurface is the plane of a start.
type StartSurface struct {
	Train     *landscape.Grid `json:"train"`
	Dev       *landscape.Grid `json:"dev"`
	Path      *landscape.Path `json:"path"`
	Own       *landscape.Area `json:"own"`
	Common    *landscape.Area `json:"common"`
	Agreement float64         `json:"agreement"`
}

func (u *Surfaces) summarize() error {
	for i := range u.Runs {
		r := &u.Runs[i]
		level := Factor * max(slices.Min(slices.Concat(r.Pretrained.Train.Loss...)), slices.Min(slices.Concat(r.Scratch.Train.Loss...)))
		for _, s := range []*StartSurface{&r.Pretrained, &r.Scratch} {
			var err error
			if s.Own, err = s.Train.Area(Factor); err != nil {
				return err
			}
			if s.Common, err = s.Train.Below(level); err != nil {
				return err
			}
			s.Agreement = rankCorrelation(slices.Concat(s.Train.Loss...), slices.Concat(s.Dev.Error...))
		}
	}
	over := func(of func(r *RunSurfaces) float64) reproduce.Spread {
		return reproduce.SpreadOver(len(u.Runs), func(i int) float64 { return of(&u.Runs[i]) })
	}
	regions := func(of func(r *RunSurfaces) *StartSurface) Regions {
		g := Regions{
			Minimum:   over(func(r *RunSurfaces) float64 { return of(r).Own.Minimum }),
			Own:       over(func(r *RunSurfaces) float64 { return of(r).Own.Area }),
			OwnLength: over(func(r *RunSurfaces) float64 { return of(r).Own.Extent }),
			Common:    over(func(r *RunSurfaces) float64 { return of(r).Common.Area }), CommonLength: over(func(r *RunSurfaces) float64 { return of(r).Common.Extent }),
		}
		for i := range u.Runs {
			if of(&u.Runs[i]).Common.Open {
				g.Open++
			}
		}
		return g
	}
	least := func(p *landscape.Path) float64 {
		low := 1.0
		for _, q := range p.Points {
			low = min(low, q.Explained)
		}
		return low
	}
	u.Pretrained = regions(func(r *RunSurfaces) *StartSurface { return &r.Pretrained })
	u.Scratch = regions(func(r *RunSurfaces) *StartSurface { return &r.Scratch })
	u.Agreement.Pretrained = over(func(r *RunSurfaces) float64 { return r.Pretrained.Agreement })
	u.Agreement.Scratch = over(func(r *RunSurfaces) float64 { return r.Scratch.Agreement })
	u.Explained.Pretrained = over(func(r *RunSurfaces) float64 { return least(r.Pretrained.Path) })
	u.Explained.Scratch = over(func(r *RunSurfaces) float64 { return least(r.Scratch.Path) })
	area := func(a *landscape.Area) region { return region{a.Area, a.Open} }
	u.Wider = over(func(r *RunSurfaces) float64 { return wider(area(r.Pretrained.Common), area(r.Scratch.Common)) })
	u.OwnWider = over(func(r *RunSurfaces) float64 { return wider(area(r.Pretrained.Own), area(r.Scratch.Own)) })
	u.AgreesScratch = over(func(r *RunSurfaces) float64 { return r.Scratch.Agreement - Agreeing })
	ofLosses := func(s StartSurface) float64 {
		return rankCorrelation(slices.Concat(s.Train.Loss...), slices.Concat(s.Dev.Loss...)) - Agreeing
	}
	u.LossesAgree.Pretrained = over(func(r *RunSurfaces) float64 { return ofLosses(r.Pretrained) })
	u.LossesAgree.Scratch = over(func(r *RunSurfaces) float64 { return ofLosses(r.Scratch) })
	u.Agrees = over(func(r *RunSurfaces) float64 { return r.Pretrained.Agreement - Agreeing })
	return nil
}

// rankCorrelation is Spearman's: the correlation of ranks, equal values sharing
// the mean of theirs; 0 where one side is all the same.
func rankCorrelation(x, y []float64) float64 {
	if r := stat.Correlation(ranks(x), ranks(y), nil); !math.IsNaN(r) {
		return r
	}
	return 0
}

func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(x[i], x[j]) })
	out := make([]float64, len(x))
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && x[order[to]] == x[order[from]] {
			to++
		}
		for _, i := range order[from:to] {
			out[i] = float64(from+to-1) / 2
		}
		from = to
	}
	return out
}

// Groups is results/groups.json: the loss on held-out examples while one group of
// the fine-tuned model's parameters moves from start to end and beyond.
type Groups struct {
	Runs []RunGroups `json:"runs"`
}

// RunGroups are one task's and seed's.
type RunGroups struct {
	reproduce.Training
	Lines []*landscape.Line `json:"lines"`
}
