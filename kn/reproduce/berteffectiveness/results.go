package berteffectiveness

import (
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

// Factor of a minimum that bounds the region around it whose width is measured.
const Factor = 2

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
	Pairs        int                  `json:"pairs"` // tasks x seeds
	Runs         int                  `json:"runs"`  // pairs measured
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
// higher one of both starts' minima. Sizes are in units of the distance from start to end
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

// Curves is results/curves.json: the loss from starts to ends and beyond. The
// curves themselves are in a file for each pair of task and seed.
type Curves struct {
	Runs []RunCurves `json:"-"`
	ByStart[Regions]
	// Climb is how far the loss climbs above the start's between start and end.
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

// RunCurves is results/curves-TASK-SEED.json: one pair's.
type RunCurves struct {
	reproduce.Training
	ByStart[StartCurve]
}

// StartCurve is the curve from a start.
type StartCurve struct {
	Train  *landscape.Line  `json:"train"`
	Dev    *landscape.Line  `json:"dev"`
	Own    *landscape.Width `json:"-"`
	Common *landscape.Width `json:"-"`
	Climb  float64          `json:"-"` // nats
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

// RunGroups is results/groups-TASK-SEED.json: the loss on held-out examples while
// one group of the fine-tuned model's parameters moves from start to end and beyond.
type RunGroups struct {
	reproduce.Training
	Lines []*landscape.Line `json:"lines"`
}
