package berteffectiveness

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"

	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

// Surfaces is results/surfaces.json: loss and error on planes. The planes
// themselves are in a file for each pair of task and seed.
type Surfaces struct {
	Runs []RunSurfaces `json:"-"`
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

// RunSurfaces is results/surfaces-TASK-SEED.json: one pair's.
type RunSurfaces struct {
	reproduce.Training
	ByStart[StartSurface]
}

// StartSurface is the plane of a start.
type StartSurface struct {
	Train     *landscape.Grid `json:"train"`
	Dev       *landscape.Grid `json:"dev"`
	Path      *landscape.Path `json:"path"`
	Own       *landscape.Area `json:"-"`
	Common    *landscape.Area `json:"-"`
	Agreement float64         `json:"-"`
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
