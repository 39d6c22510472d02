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
)

// Predictions draws the most probable tokens at [MASK] before and after an
// edit, a pair of bars for each: the first few of either side, and the
// answer. A token that one side does not list is less probable than
// the last that it lists, which is what stands in place of its bar.
func Predictions(before, after *kn.Prediction, options ...Options) (*Figure, error) {
	for name, p := range map[string]*kn.Prediction{"before": before, "after": after} {
		if p == nil {
			return nil, missing("prediction " + name)
		}
	}
	if err := cmp.Or(checkPrediction("before", before), checkPrediction("after", after)); err != nil {
		return nil, err
	}
	if before.Prompt != after.Prompt {
		return nil, fmt.Errorf("plots: the predictions are for different prompts: before %q, after %q", before.Prompt, after.Prompt)
	}
	f, err := newDraft("predictions", "Predictions before and after the edit", options, before.Provenance, after.Provenance)
	if err != nil {
		return nil, err
	}
	f.subtitle = []string{before.Prompt}
	rows := predictionRows(before, after, f.top(5))
	if err := f.growFor(2.6 * float64(len(rows))); err != nil { // two lines each, and a gap
		return nil, err
	}
	f.panel("Probability at [MASK]", "")
	f.addPairs(rows)
	f.addLegend("before", swatch{fill: f.color(0)})
	f.addLegend("after", swatch{fill: f.color(1), hatch: true})
	f.desc = describePredictions(before.Prompt, rows)
	return f.figure(), nil
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
		if err := probabilities(fmt.Sprintf("prediction %s: probability of %q", side, t.Token), []float64{t.Probability}); err != nil {
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
		return "< " + atLeast(k.probability)
	}
	return short(k.probability)
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

func (f *Draft) addPairs(rows []predictionRow) {
	p, t := f.panels[0], f.theme
	number := t.style(smallSize, ink)
	number.YAlign = draw.YCenter
	var bars rects
	var numbers labels
	var ticks []plot.Tick
	highest := 0.0
	for i, r := range rows {
		y := float64(len(rows) - 1 - i)
		name := fit(p.Y.Tick.Label, clean(r.token), f.options.Size.Width*0.3)
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
			bars = append(bars, rect{x1: end, y0: top - 0.38, y1: top, fill: f.color(side), hatch: side == 1})
			numbers = append(numbers, label{end, top - 0.19, k.String(), number, vg.Point{X: t.pt(3), Y: number.Font.Size * 0.08}})
		}
	}
	p.Add(rulers{style: t.line(0.6, rule), vertical: true}, bars, numbers)
	p.X.Min, p.X.Max = 0, headroom(highest)
	p.Y.Min, p.Y.Max = -0.6, float64(len(rows))-0.4
	p.Y.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Length = t.pt(1)
	p.Y.Tick.Width = 0
	p.X.Padding, p.Y.Padding = f.theme.pt(2), 0
}

func describePredictions(prompt string, rows []predictionRow) string {
	parts := []string{"Probability of tokens at [MASK] before and after an edit", "Prompt: " + prompt}
	for _, r := range rows {
		parts = append(parts, fmt.Sprintf("%s: %v before, %v after", quoted(r.token), r.sides[0], r.sides[1]))
	}
	return sentences(parts...)
}
