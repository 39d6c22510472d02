package trainingplots

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// FollowedKnowledge draws what becomes of facts in fine-tuning, over steps, with
// 95 % intervals: the answers' mean probability, how often the answer is
// ranked first, and how far the facts' knowledge neurons are those of the start.
// Below stand the other two indicators, the last layer's distances from the
// start, unless layers is nil.
func FollowedKnowledge(r *dynamics.KnowledgeBySteps, layers *dynamics.LayersBySteps, options ...plots.Options) (*plots.Figure, error) {
	if err := checkFollowed(r); err != nil {
		return nil, err
	}
	f, err := chart.New("followed knowledge", "What fine-tuning leaves of facts", options, r.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{fmt.Sprintf("%s with %s, asked through the head of the start; bands: 95 %% intervals over facts",
		chart.Plural(r.Facts, "fact"), chart.Plural(r.Prompts, "prompt"))}
	last := len(r.Steps) - 1
	parts := []string{fmt.Sprintf("Facts followed through %d steps of fine-tuning, in percent", r.Steps[last])}
	var lines []chart.Line
	for i, c := range []struct {
		label  string
		values []stats.Interval
	}{
		{"probability of the answer", r.Probability},
		{"answer ranked first", r.First},
		{"neurons shared with the start (Jaccard)", r.Overlap},
		{"control: probability of a word that is no fact's answer", r.Control},
	} {
		if len(c.values) == 0 { // no control
			continue
		}
		l := chart.Line{Label: c.label, Series: i, Wash: 0.14}
		for k, v := range c.values {
			l.X, l.Y = append(l.X, float64(r.Steps[k])), append(l.Y, 100*v.Mean)
			l.Low, l.High = append(l.Low, 100*v.Low), append(l.High, 100*v.High)
		}
		lines = append([]chart.Line{l}, lines...)
		parts = append(parts, fmt.Sprintf("%s: from %.1f to %.1f [%.1f, %.1f]", c.label, 100*c.values[0].Mean, 100*c.values[last].Mean, 100*c.values[last].Low, 100*c.values[last].High))
	}
	p := f.Panel("Step", "Share [%]")
	if err := addSteps(f, p, lines, r.Steps[last]); err != nil {
		return nil, err
	}
	p.Y.Min, p.Y.Max = 0, 100
	if layers != nil {
		if err := addLastLayer(f, layers, r.Steps[last]); err != nil {
			return nil, err
		}
		p.X.Label.Text = ""
		f.Stack()
	}
	f.Description = chart.Sentences(parts...)
	return f.Figure(), nil
}

// MustFollowedKnowledge is [FollowedKnowledge] for notebook cells: it panics instead of returning an error.
func MustFollowedKnowledge(r *dynamics.KnowledgeBySteps, layers *dynamics.LayersBySteps, options ...plots.Options) *plots.Figure {
	return kn.Must(FollowedKnowledge(r, layers, options...))
}

// addSteps draws lines over steps.
func addSteps(f *chart.Draft, p *plot.Plot, lines []chart.Line, last int) error {
	p.Add(f.Theme.Across())
	if err := f.AddLines(p, lines); err != nil {
		return err
	}
	p.X.Min, p.X.Max = 0, math.Max(1, float64(last))
	p.X.Tick.Marker = chart.NiceTicks{Whole: true}
	return nil
}

// addLastLayer adds a panel with the last layer's distances from the start.
func addLastLayer(f *chart.Draft, r *dynamics.LayersBySteps, last int) error {
	p := f.Panel("Step", "Distance, last layer")
	f.Provenance = append(f.Provenance, r.Provenance)
	var lines []chart.Line
	for i, m := range []dynamics.Measure{dynamics.SVCCA, dynamics.JSD} {
		values := r.Of(m)
		if err := checkDynamics(r, m, values); err != nil {
			return err
		}
		l := chart.Line{Label: "SVCCA distance of hidden states", Series: 4 + i, X: []float64{0}, Y: []float64{0}}
		scale := 1.0
		if m == dynamics.JSD {
			l.Label, scale = "JS divergence of attention / ln 2", 1/math.Ln2
		}
		for k, row := range values {
			if r.Steps[k] > 0 {
				l.X, l.Y = append(l.X, float64(r.Steps[k])), append(l.Y, scale*row[len(row)-1])
			}
		}
		lines = append(lines, l)
	}
	if err := addSteps(f, p, lines, last); err != nil {
		return err
	}
	p.Y.Min, p.Y.Max = 0, 1.05*math.Max(p.Y.Max, 1e-9)
	return nil
}

func checkFollowed(r *dynamics.KnowledgeBySteps) error {
	if r == nil {
		return chart.Missing("followed knowledge")
	}
	if len(r.Steps) == 0 {
		return errors.New("plots: the followed knowledge has no steps")
	}
	for name, values := range map[string][]stats.Interval{"Probability": r.Probability, "First": r.First, "Overlap": r.Overlap, "Control": r.Control} {
		if name == "Control" && len(values) == 0 {
			continue
		}
		if err := chart.CheckLength(name, len(values), "Steps", len(r.Steps)); err != nil {
			return err
		}
		if err := chart.CheckIntervals(name, values...); err != nil {
			return err
		}
	}
	return nil
}
