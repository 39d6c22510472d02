package plots

import (
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// LogitLens draws what the model's head would predict after each layer, from the
// embeddings at the bottom up, at each token of the prompt. A cell has the most
// probable token there, and the colour of the answer's probability. A star marks
// the column in which the answer is predicted. What is wider than its cell is cut
// off: a long prompt needs a wide figure, see [Options].Size.
func LogitLens(lens *kn.LogitLens, options ...Options) (*Figure, error) {
	if lens == nil {
		return nil, chart.Missing("logit lens")
	}
	if err := checkLens(lens); err != nil {
		return nil, err
	}
	f, err := chart.New("logit lens", "Logit lens on "+chart.Quoted(lens.Token), options, lens.Provenance)
	if err != nil {
		return nil, err
	}
	f.Record(lens)
	last := lens.Cells[len(lens.Cells)-1][lens.Mask]
	f.Subtitle = []string{lens.Prompt, fmt.Sprintf("cells: the most probable token; at * the answer ends with %s and rank %d", chart.Short(last.Probability), last.Rank)}
	n := len(lens.Tokens)
	if err := f.GrowFor(1.4 * float64(len(lens.Cells))); err != nil {
		return nil, err
	}
	p := f.Panel("Token", "After layer")
	bar := chart.ColorBar{Label: fmt.Sprintf("P(%s)", chart.Clip(chart.Clean(lens.Token), 20)), Scale: f.Options.Palette.Sequential}
	for _, row := range lens.Cells {
		for _, c := range row {
			bar.High = max(bar.High, c.Probability)
		}
	}
	bar.High = chart.Headroom(bar.High)
	style := f.Theme.Style(chart.SmallSize, chart.Ink)
	room := (f.Options.Size.Width - bar.Width(f.Theme) - f.Theme.Pt(95)) / vg.Length(n) // of a cell
	var cells []chart.Cell
	for k, row := range lens.Cells {
		for t, c := range row {
			cells = append(cells, chart.Cell{X: float64(t), Y: float64(k), Fill: bar.Color(c.Probability), Text: chart.Fit(style, chart.Clean(c.Top), room)})
		}
	}
	f.AddCells(cells, room > 2*style.Font.Size)
	var columns, rows []plot.Tick
	for t, token := range lens.Tokens {
		star := ""
		if t == lens.Mask {
			star = " *"
		}
		label := p.X.Tick.Label
		columns = append(columns, plot.Tick{Value: float64(t), Label: chart.Fit(label, chart.Clean(token), room*1.05-chart.Width(label, star)) + star})
	}
	for _, tick := range chart.Indices(len(lens.Cells)-1, 26, 0) {
		rows = append(rows, plot.Tick{Value: tick.Value + 1, Label: tick.Label})
	}
	f.BareAxes(columns, append(rows, plot.Tick{Value: 0, Label: "embeddings"}))
	p.X.Min, p.X.Max = -0.5, float64(n)-0.5
	p.Y.Min, p.Y.Max = -0.5, float64(len(lens.Cells))-0.5
	f.AddColorBar(bar)
	f.Description = describeLens(lens)
	return f.Figure(), nil
}

// MustLogitLens is [LogitLens] for notebook cells: it panics instead of returning an error.
func MustLogitLens(lens *kn.LogitLens, options ...Options) *Figure {
	return kn.Must(LogitLens(lens, options...))
}

func checkLens(l *kn.LogitLens) error {
	if len(l.Cells) == 0 || len(l.Tokens) == 0 {
		return errors.New("plots: the logit lens has no layers or no tokens")
	}
	if l.Mask < 0 || l.Mask >= len(l.Tokens) {
		return fmt.Errorf("plots: the logit lens says that token %d of %d predicts the answer", l.Mask, len(l.Tokens))
	}
	for k, row := range l.Cells {
		if err := chart.CheckLength(fmt.Sprintf("Cells[%d]", k), len(row), "Tokens", len(l.Tokens)); err != nil {
			return err
		}
		var p []float64
		for _, c := range row {
			p = append(p, c.Probability)
		}
		if err := chart.CheckProbabilities(fmt.Sprintf("Cells[%d]", k), p); err != nil {
			return err
		}
	}
	return nil
}

func describeLens(l *kn.LogitLens) string {
	parts := []string{l.Prompt, fmt.Sprintf("What the head would predict before and after %s, at %s", chart.Plural(len(l.Cells)-1, "layer"), chart.Plural(len(l.Tokens), "token"))}
	first := slices.IndexFunc(l.Cells, func(row []kn.LensCell) bool { return row[l.Mask].Rank == 1 })
	switch {
	case first < 0:
		parts = append(parts, chart.Quoted(l.Token)+" is nowhere the most probable where it is asked for")
	case first == 0:
		parts = append(parts, chart.Quoted(l.Token)+" is the most probable from the embeddings on where it is asked for")
	default:
		parts = append(parts, fmt.Sprintf("%s is first the most probable after layer %d", chart.Quoted(l.Token), first-1))
	}
	return chart.Sentences(parts...)
}
