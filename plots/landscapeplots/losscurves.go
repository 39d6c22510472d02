package landscapeplots

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// LossCurve is a curve with its name for the legend.
type LossCurve struct {
	Name string
	Line *landscape.Line
}

// LossCurves draws the loss along the lines from starts to fine-tuned models, and
// the error beside it. The loss has a logarithmic axis where its values are far
// apart.
func LossCurves(curves []LossCurve, options ...plots.Options) (*plots.Figure, error) {
	if len(curves) == 0 {
		return nil, errors.New("plots: there is no loss curve to draw")
	}
	f, err := chart.New("loss curves", "Loss on the line through start and fine-tuned model", options)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{"α = 0: the start of training; α = 1: its end"}
	var all []float64
	for _, c := range curves {
		if err := checkLine(c); err != nil {
			return nil, err
		}
		f.Provenance = append(f.Provenance, c.Line.Provenance)
		all = append(all, c.Line.Loss...)
	}
	scale := newLossScale(all)
	loss, wrong := f.Panel("α", "Loss [nats]"), f.Panel("α", "Error [%]")
	loss.Y.Tick.Marker = scale.ticks()
	f.Layout = chart.SideBySide(2)
	for _, p := range f.Panels {
		p.Add(f.Theme.Across())
		for _, at := range []float64{0, 1} {
			p.Add(chart.Upright{X: at, Style: f.Theme.Line(0.8, chart.Gray)})
		}
	}
	parts := []string{"Mean cross-entropy in nats and error in percent against α"}
	for i, c := range curves {
		a, err := lossLine(f, i, c.Line.Alphas, c.Line.Loss, scale.shown)
		if err != nil {
			return nil, err
		}
		loss.Add(a)
		b, err := lossLine(f, i, c.Line.Alphas, c.Line.Error, func(v float64) float64 { return 100 * v })
		if err != nil {
			return nil, err
		}
		wrong.Add(b)
		if len(curves) > 1 {
			f.AddLegend(c.Name, a)
		}
		parts = append(parts, describeLine(c))
	}
	if !scale.log {
		loss.Y.Min = 0
	}
	wrong.Y.Min, wrong.Y.Max = 0, chart.Headroom(wrong.Y.Max/100)*100
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustLossCurves is [LossCurves] for notebook cells: it panics instead of returning an error.
func MustLossCurves(curves []LossCurve, options ...plots.Options) *plots.Figure {
	return kn.Must(LossCurves(curves, options...))
}

// lossLine is the line of a series.
func lossLine(f *chart.Draft, series int, x, y []float64, shown func(float64) float64) (*plotter.Line, error) {
	points := make([]float64, len(y))
	for i, v := range y {
		points[i] = shown(v)
	}
	line, err := plotter.NewLine(chart.Sorted(x, points))
	if err != nil {
		return nil, fmt.Errorf("plots: loss curve: %w", err)
	}
	line.LineStyle = f.Theme.Line(1.6, f.Color(series))
	line.Dashes = chart.Dashes(series, line.Width)
	return line, nil
}

func checkLine(c LossCurve) error {
	if c.Line == nil {
		return chart.Missing(fmt.Sprintf("loss curve %q", c.Name))
	}
	l := c.Line
	if len(l.Alphas) == 0 {
		return fmt.Errorf("plots: the loss curve %q has no points", c.Name)
	}
	return errors.Join(chart.CheckAxis(c.Name+": alphas", l.Alphas), checkRow(c.Name, "alphas", len(l.Alphas), l.Loss, l.Error))
}

// checkRow checks losses and errors at n places.
func checkRow(name, places string, n int, loss, wrong []float64) error {
	if err := chart.CheckLength(name+": loss", len(loss), places, n); err != nil {
		return err
	}
	if err := chart.CheckLength(name+": error", len(wrong), places, n); err != nil {
		return err
	}
	if err := chart.CheckFinite(name+": loss", loss); err != nil {
		return err
	}
	for i, v := range loss {
		if v < 0 {
			return fmt.Errorf("plots: %s: loss[%d] is %v, which is no cross-entropy", name, i, v)
		}
	}
	return chart.CheckProbabilities(name+": error", wrong)
}

func describeLine(c LossCurve) string {
	low := 0
	for i, v := range c.Line.Loss {
		if v < c.Line.Loss[low] {
			low = i
		}
	}
	return fmt.Sprintf("%s: the lowest loss is %s, at α = %s, with an error of %.1f %%",
		c.Name, chart.Short(c.Line.Loss[low]), chart.Short(c.Line.Alphas[low]), 100*c.Line.Error[low])
}

// lossScale shows losses as they are, or their logarithms where the largest is
// more than twenty times the smallest.
type lossScale struct {
	log       bool
	low, high float64 // as shown
}

// leastLoss is the smallest loss that a logarithmic scale shows.
const leastLoss = 1e-6

func newLossScale(values []float64) lossScale {
	low, high := math.Inf(1), math.Inf(-1)
	for _, v := range values {
		low, high = min(low, v), max(high, v)
	}
	s := lossScale{log: high > 20*max(low, leastLoss)}
	s.low, s.high = s.shown(low), s.shown(high)
	if s.low == s.high {
		s.low, s.high = s.low-0.5, s.high+0.5
	}
	return s
}

func (s lossScale) shown(v float64) float64 {
	if s.log {
		return math.Log10(max(v, leastLoss))
	}
	return v
}

func (s lossScale) ticks() plot.Ticker {
	if s.log {
		return chart.LogTicks{}
	}
	return chart.NiceTicks{}
}
