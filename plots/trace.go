package plots

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// CausalTrace draws the answer's probability with noise on the subject and one
// state restored, over layers and tokens, as Meng et al. (2022) draw it: the
// darker a cell, the more of the answer passes through that state. The subject's
// tokens have a star. Apart from them, below, is the control: the mean of the tokens
// that are neither the subject's nor where the answer is predicted. The scale begins
// at the probability with noise alone, or below it where restoring something harms,
// and ends at that without noise, or above.
func CausalTrace(trace *kn.CausalTrace, options ...Options) (*Figure, error) {
	if trace == nil {
		return nil, chart.Missing("causal trace")
	}
	if err := checkTrace(trace); err != nil {
		return nil, err
	}
	what := map[kn.Restored]string{kn.RestoreState: "one state", kn.RestoreAttention: "attention", kn.RestoreFFN: "FFN"}[trace.Restore]
	f, err := chart.New("causal trace", fmt.Sprintf("P(%s) with noise on %s and %s restored", chart.Clip(chart.Clean(trace.Answer), 40), chart.Quoted(trace.Subject), what), options, trace.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{trace.Prompt, traceLine(trace)}
	f.Record(trace)
	layers, tokens := len(trace.Probability), len(trace.Tokens)
	if err := f.GrowFor(1.15 * float64(tokens+2)); err != nil {
		return nil, err
	}
	x := "Layer"
	if trace.Window > 1 {
		x = fmt.Sprintf("Middle of %d layers", trace.Window)
	}
	p := f.Panel(x, "")
	bar := chart.ColorBar{Label: fmt.Sprintf("P(%s) [%%]", chart.Clip(chart.Clean(trace.Answer), 20)), Scale: f.Options.Palette.Sequential, Low: 100 * trace.Corrupted, High: 100 * trace.Clean}
	for _, row := range trace.Probability { // the control is a mean of these
		bar.Low, bar.High = min(bar.Low, 100*slices.Min(row)), max(bar.High, 100*slices.Max(row))
	}
	if bar.High-bar.Low < 1e-10 {
		bar.High = bar.Low + 1e-4
	}
	const apart = 1.3 // of the control's row
	var cells []chart.Cell
	for l, row := range trace.Probability {
		for t, v := range row {
			cells = append(cells, chart.Cell{X: float64(l), Y: float64(tokens - 1 - t), Fill: bar.Color(100 * v), Text: percentCell(v)})
		}
		if len(trace.Control) > 0 {
			cells = append(cells, chart.Cell{X: float64(l), Y: -apart, Fill: bar.Color(100 * trace.Control[l]), Text: percentCell(trace.Control[l])})
		}
	}
	f.AddCells(cells, layers <= overlapRoom(f))
	var rows []plot.Tick
	for t, token := range trace.Tokens {
		name := chart.Fit(p.Y.Tick.Label, chart.Clean(token), f.Options.Size.Width*0.2)
		if slices.Contains(trace.Noisy, t) {
			name += " *"
		}
		rows = append(rows, plot.Tick{Value: float64(tokens - 1 - t), Label: name})
	}
	bottom := -0.5
	if len(trace.Control) > 0 {
		rows, bottom = append(rows, plot.Tick{Value: -apart, Label: "mean of others"}), -apart-0.5
	}
	f.BareAxes(chart.Indices(layers, 26, 0), rows)
	p.X.Min, p.X.Max = -0.5, float64(layers)-0.5
	p.Y.Min, p.Y.Max = bottom, float64(tokens)-0.5
	f.AddColorBar(bar)
	f.Description = describeTrace(trace)
	return f.Figure(), nil
}

// MustCausalTrace is [CausalTrace] for notebook cells: it panics instead of returning an error.
func MustCausalTrace(trace *kn.CausalTrace, options ...Options) *Figure {
	return kn.Must(CausalTrace(trace, options...))
}

func checkTrace(c *kn.CausalTrace) error {
	if len(c.Probability) == 0 || len(c.Tokens) == 0 {
		return errors.New("plots: the causal trace has no layers or no tokens")
	}
	if len(c.Control) > 0 {
		if err := chart.CheckLength("Control", len(c.Control), "Probability", len(c.Probability)); err != nil {
			return err
		}
	}
	for l, row := range append(slices.Clone(c.Probability), c.Control, []float64{c.Clean, c.Corrupted}) {
		name := fmt.Sprintf("Probability[%d]", l)
		switch l {
		case len(c.Probability):
			name = "Control"
		case len(c.Probability) + 1:
			name = "Clean and Corrupted"
		default:
			if err := chart.CheckLength(name, len(row), "Tokens", len(c.Tokens)); err != nil {
				return err
			}
		}
		if err := chart.CheckProbabilities(name, row); err != nil {
			return err
		}
	}
	for _, t := range append(slices.Clone(c.Noisy), c.Mask) {
		if t < 0 || t >= len(c.Tokens) {
			return fmt.Errorf("plots: the causal trace names token %d of %d", t, len(c.Tokens))
		}
	}
	return nil
}

// percentCell is a probability in per cent, as short as a cell needs it.
func percentCell(v float64) string {
	switch p := 100 * v; {
	case p >= 9.95:
		return strconv.Itoa(int(math.Round(p)))
	case p >= 0.095:
		return fmt.Sprintf("%.1f", p)
	}
	return "0"
}

func traceLine(c *kn.CausalTrace) string {
	return fmt.Sprintf("%s without noise, %s with noise on * alone; mean of %s", chart.Short(c.Clean), chart.Short(c.Corrupted), chart.Plural(len(c.Draws), "draw"))
}

func describeTrace(c *kn.CausalTrace) string {
	best, at, token := math.Inf(-1), 0, 0
	for l, row := range c.Probability {
		for t, v := range row {
			if t != c.Mask && v > best {
				best, at, token = v, l, t
			}
		}
	}
	parts := []string{c.Prompt, traceLine(c)}
	if !math.IsInf(best, 0) {
		most := fmt.Sprintf("Away from where the answer is predicted, restoring layer %d at %s gives most: %s", at, chart.Quoted(c.Tokens[token]), chart.Short(best))
		if len(c.Control) > 0 {
			most += "; the mean of the others there is " + chart.Short(c.Control[at])
		}
		parts = append(parts, most)
	}
	return chart.Sentences(parts...)
}
