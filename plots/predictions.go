package plots

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// Predictions draws the most probable tokens at [MASK] before and after an
// edit, a pair of bars for each: the first few of either side, and the
// answer. A token that one side does not list is less probable than
// the last that it lists, which is what stands in place of its bar.
func Predictions(before, after *kn.Prediction, options ...Options) (*Figure, error) {
	for name, p := range map[string]*kn.Prediction{"before": before, "after": after} {
		if p == nil {
			return nil, chart.Missing("prediction " + name)
		}
	}
	if err := cmp.Or(checkPrediction("before", before), checkPrediction("after", after)); err != nil {
		return nil, err
	}
	if before.Prompt != after.Prompt {
		return nil, fmt.Errorf("plots: the predictions are for different prompts: before %q, after %q", before.Prompt, after.Prompt)
	}
	f, err := chart.New("predictions", "Predictions before and after the edit", options, before.Provenance, after.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{before.Prompt}
	f.Record([]*kn.Prediction{before, after})
	rows := predictionRows(before, after, f.Top(5))
	if err := f.GrowFor(2.6 * float64(len(rows))); err != nil { // two lines each, and a gap
		return nil, err
	}
	f.Panel("Probability at [MASK]", "")
	addPairs(f, rows)
	f.AddLegend("before", chart.Swatch{Fill: f.Color(0)})
	f.AddLegend("after", chart.Swatch{Fill: f.Color(1), Hatch: true})
	f.Description = describePredictions(before.Prompt, rows)
	return f.Figure(), nil
}

// MustPredictions is [Predictions] for notebook cells: it panics instead of returning an error.
func MustPredictions(before, after *kn.Prediction, options ...Options) *Figure {
	return kn.Must(Predictions(before, after, options...))
}

func checkPrediction(side string, p *kn.Prediction) error {
	if len(p.Predictions) == 0 {
		return errors.New("plots: the prediction " + side + " lists no tokens")
	}
	tokens := p.Predictions
	if p.Answer != nil {
		tokens = append(slices.Clone(tokens), p.Answer.TokenProbability)
	}
	for _, t := range tokens {
		if err := chart.CheckProbabilities(fmt.Sprintf("prediction %s: probability of %q", side, t.Token), []float64{t.Probability}); err != nil {
			return err
		}
	}
	return nil
}

// predictionRow is a token with its probability on both sides.
type predictionRow struct {
	token  string
	answer bool
	sides  [2]known
}

// known is a probability, or its upper bound.
type known struct {
	probability float64
	bound       bool
}

func (k known) String() string {
	if k.bound {
		return "< " + chart.AtLeast(k.probability)
	}
	return chart.Short(k.probability)
}

// predictionRows returns the first few tokens of either side and the answer,
// in order of the probability before, then after.
func predictionRows(before, after *kn.Prediction, top int) []predictionRow {
	var rows []predictionRow
	add := func(t kn.TokenProbability, answer bool) {
		for i := range rows {
			if rows[i].token == t.Token {
				rows[i].answer = rows[i].answer || answer
				return
			}
		}
		rows = append(rows, predictionRow{t.Token, answer, [2]known{lookUp(before, t), lookUp(after, t)}})
	}
	for _, p := range []*kn.Prediction{before, after} {
		for _, t := range p.Predictions[:min(top, len(p.Predictions))] {
			add(t, false)
		}
	}
	for _, p := range []*kn.Prediction{before, after} {
		if p.Answer != nil {
			add(p.Answer.TokenProbability, true)
		}
	}
	exact := func(k known) float64 {
		if k.bound {
			return 0
		}
		return k.probability
	}
	slices.SortStableFunc(rows, func(a, b predictionRow) int {
		return cmp.Or(cmp.Compare(exact(b.sides[0]), exact(a.sides[0])), cmp.Compare(exact(b.sides[1]), exact(a.sides[1])))
	})
	return rows
}

// lookUp finds a token's probability in a prediction.
func lookUp(p *kn.Prediction, t kn.TokenProbability) known {
	least := p.Predictions[0].Probability
	for _, q := range p.Predictions {
		if q.Token == t.Token {
			return known{probability: q.Probability}
		}
		least = min(least, q.Probability)
	}
	if p.Answer != nil && p.Answer.Token == t.Token {
		return known{probability: p.Answer.Probability}
	}
	return known{least, true}
}

func addPairs(f *chart.Draft, rows []predictionRow) {
	p, t := f.Panels[0], f.Theme
	number := t.Style(chart.SmallSize, chart.Ink)
	number.YAlign = draw.YCenter
	var bars chart.Rects
	var numbers chart.Labels
	var ticks []plot.Tick
	highest := 0.0
	for i, r := range rows {
		y := float64(len(rows) - 1 - i)
		name := chart.Fit(p.Y.Tick.Label, chart.Clean(r.token), f.Options.Size.Width*0.3)
		if r.answer {
			name = "answer: " + name
		}
		ticks = append(ticks, plot.Tick{Value: y, Label: name})
		for side, k := range r.sides {
			top := y + 0.38 - 0.38*float64(side)
			end := k.probability
			if k.bound {
				end = 0
			}
			highest = max(highest, end)
			bars = append(bars, chart.Rect{X1: end, Y0: top - 0.38, Y1: top, Fill: f.Color(side), Hatch: side == 1})
			numbers = append(numbers, chart.Label{X: end, Y: top - 0.19, Text: k.String(), Style: number, Offset: vg.Point{X: t.Pt(3), Y: number.Font.Size * 0.08}})
		}
	}
	p.Add(chart.Rulers{Style: t.Line(0.6, chart.Rule), Vertical: true}, bars, numbers)
	p.X.Min, p.X.Max = 0, chart.Headroom(highest)
	p.Y.Min, p.Y.Max = -0.6, float64(len(rows))-0.4
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Length = t.Pt(1)
	p.Y.Tick.Width = 0
	p.X.Padding, p.Y.Padding = f.Theme.Pt(2), 0
}

func describePredictions(prompt string, rows []predictionRow) string {
	parts := []string{"Probability of tokens at [MASK] before and after an edit", "Prompt: " + prompt}
	for _, r := range rows {
		parts = append(parts, fmt.Sprintf("%s: %v before, %v after", chart.Quoted(r.token), r.sides[0], r.sides[1]))
	}
	return chart.Sentences(parts...)
}
