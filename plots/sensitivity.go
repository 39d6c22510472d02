package plots

import (
	"errors"
	"fmt"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// Sensitivity draws how a fact's set of neurons depends on the threshold t and
// the share p of the prompts. The number in a cell is how many neurons remain,
// its colour which share of the default set is among them, in percent; the
// default's own cell is framed. Cells of sets that are the default one have
// their numbers in bold.
func Sensitivity(s *kn.Sensitivity, options ...Options) (*Figure, error) {
	if s == nil {
		return nil, chart.Missing("sensitivity")
	}
	if err := checkSensitivity(s); err != nil {
		return nil, err
	}
	f, err := chart.New("sensitivity", "Neurons of "+chart.Quoted(s.Answer)+" by threshold and share of prompts", options, s.Provenance)
	if err != nil {
		return nil, err
	}
	size := &f.Options.Size
	if need := size.Text * vg.Length(1.7*float64(len(s.Thresholds)+7)); need > size.Height { // rows that text has room in
		size.Height = min(need, chart.MaxSide)
	}
	f.Subtitle = []string{promptLine(s.Prompts), "Numbers: neurons that remain; bold: the default set itself"}
	f.Record(s)
	f.Panel("Share p of the prompts", "Threshold t [of the largest score]")
	bar := chart.ColorBar{Label: "Of the default set [%]", Scale: f.Options.Palette.Sequential, Low: 0, High: 100}
	addSensitivityCells(f, s, bar)
	f.AddColorBar(bar)
	f.Description = describeSensitivity(s)
	return f.Figure(), nil
}

// MustSensitivity is [Sensitivity] for notebook cells: it panics instead of returning an error.
func MustSensitivity(s *kn.Sensitivity, options ...Options) *Figure {
	return kn.Must(Sensitivity(s, options...))
}

func checkSensitivity(s *kn.Sensitivity) error {
	if len(s.Thresholds) == 0 || len(s.Shares) == 0 {
		return errors.New("plots: the sensitivity has no thresholds or no shares")
	}
	if err := chart.CheckFinite("Thresholds", append(slices.Clone(s.Thresholds), s.Threshold)); err != nil {
		return err
	}
	if err := chart.CheckFinite("Shares", append(slices.Clone(s.Shares), s.Share)); err != nil {
		return err
	}
	for name, grid := range map[string][][]int{"Neurons": s.Neurons, "Kept": s.Kept} {
		if err := chart.CheckLength(name, len(grid), "Thresholds", len(s.Thresholds)); err != nil {
			return err
		}
		for i, row := range grid {
			if err := chart.CheckLength(fmt.Sprintf("%s[%d]", name, i), len(row), "Shares", len(s.Shares)); err != nil {
				return err
			}
		}
	}
	for i, row := range s.Kept {
		for j, kept := range row {
			if kept < 0 || kept > s.Neurons[i][j] || kept > len(s.Default) {
				return fmt.Errorf("plots: Kept[%d][%d] is %d, of %d neurons and %d of the default set", i, j, kept, s.Neurons[i][j], len(s.Default))
			}
		}
	}
	return nil
}

// addSensitivityCells draws the map, the lowest threshold at the bottom, and
// frames the default's cell.
func addSensitivityCells(f *chart.Draft, s *kn.Sensitivity, bar chart.ColorBar) {
	columns := len(s.Shares)
	written := columns <= 20 && !(f.Narrow() && columns > 12)
	var plain, bold []chart.Cell
	for i, row := range s.Neurons {
		for j, n := range row {
			c := chart.Cell{X: float64(j), Y: float64(i), Fill: chart.Rule, Text: strconv.Itoa(n)}
			if len(s.Default) > 0 {
				c.Fill = bar.Color(100 * float64(s.Kept[i][j]) / float64(len(s.Default)))
			}
			if n == len(s.Default) && s.Kept[i][j] == n {
				bold = append(bold, c)
			} else {
				plain = append(plain, c)
			}
		}
	}
	f.AddCells(plain, written)
	f.AddCells(bold, false)
	p := f.Panels[0]
	if written {
		var texts chart.Labels
		for _, c := range bold {
			style := f.Theme.Bold(chart.SmallSize, chart.On(c.Fill))
			style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
			texts = append(texts, chart.Label{X: c.X, Y: c.Y, Text: c.Text, Style: style, Offset: vg.Point{Y: style.Font.Size * 0.08}})
		}
		p.Add(texts)
	}
	if i, j := slices.Index(s.Thresholds, s.Threshold), slices.Index(s.Shares, s.Share); i >= 0 && j >= 0 {
		frame := f.Theme.Line(2.4, f.Color(1))
		p.Add(chart.PlotFunc(func(c draw.Canvas, x, y func(float64) vg.Length) {
			inside := vg.Rectangle{
				Min: vg.Point{X: x(float64(j) - 0.5), Y: y(float64(i) - 0.5)},
				Max: vg.Point{X: x(float64(j) + 0.5), Y: y(float64(i) + 0.5)},
			}
			c.StrokeLines(frame, chart.Corners(inside))
		}))
		f.AddLegend(fmt.Sprintf("default: t = %s, p = %s; %s", grid(s.Threshold), grid(s.Share), chart.Plural(len(s.Default), "neuron")), frameThumb{frame})
	}
	f.BareAxes(gridTicks(s.Shares, f.Narrow()), gridTicks(s.Thresholds, false))
	p.X.Tick.Length = f.Theme.Pt(2)
	p.X.Min, p.X.Max = -0.5, float64(columns)-0.5
	p.Y.Min, p.Y.Max = -0.5, float64(len(s.Thresholds))-0.5
}

// gridTicks labels the values of a grid, or some of them where there are many.
func gridTicks(values []float64, narrow bool) []plot.Tick {
	room := 20
	if narrow {
		room = 12
	}
	var ticks []plot.Tick
	for _, t := range chart.Indices(len(values), room, 0) {
		ticks = append(ticks, plot.Tick{Value: t.Value, Label: grid(values[int(t.Value)])})
	}
	return ticks
}

// grid writes a number of a grid.
func grid(v float64) string { return strconv.FormatFloat(v, 'g', 4, 64) }

// frameThumb is a thumbnail for a framed cell.
type frameThumb struct{ line draw.LineStyle }

// Thumbnail draws a frame in the middle of the canvas.
func (t frameThumb) Thumbnail(c *draw.Canvas) {
	middle, half := (c.Min.X+c.Max.X)/2, (c.Max.Y-c.Min.Y)*0.8
	box := c.Rectangle
	box.Min.X, box.Max.X = middle-half, middle+half
	c.StrokeLines(t.line, chart.Corners(box))
}

func describeSensitivity(s *kn.Sensitivity) string {
	parts := []string{
		fmt.Sprintf("Number of knowledge neurons of %s by threshold t and share p of the prompts", chart.Quoted(s.Answer)),
		"Prompts: " + promptLine(s.Prompts),
		fmt.Sprintf("Default, t = %s and p = %s: %s", grid(s.Threshold), grid(s.Share), chart.Plural(len(s.Default), "neuron")),
		fmt.Sprintf("%d of %d points give the same set", s.Same(), len(s.Thresholds)*len(s.Shares)),
	}
	for i, row := range s.Neurons {
		text := fmt.Sprintf("t = %s, p from %s to %s:", grid(s.Thresholds[i]), grid(s.Shares[0]), grid(s.Shares[len(s.Shares)-1]))
		for _, n := range row {
			text += " " + strconv.Itoa(n)
		}
		parts = append(parts, text)
	}
	return chart.Sentences(parts...)
}
