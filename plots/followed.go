package plots

import (
	"errors"
	"fmt"
	"math"

	"gonum.org/v1/plot"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// FollowedKnowledge draws what becomes of facts in fine-tuning, over steps, with
// 95 % intervals: the answers' mean probability, how often the answer is
// ranked first, and how far the facts' knowledge neurons are those of the start.
// Below stand the other two indicators, the last layer's distances from the
// start, unless layers is nil.
func FollowedKnowledge(r *dynamics.KnowledgeBySteps, layers *dynamics.LayersBySteps, options ...Options) (*Figure, error) {
	if err := checkFollowed(r); err != nil {
		return nil, err
	}
	f, err := newDraft("followed knowledge", "What fine-tuning leaves of facts", options, r.Provenance)
	if err != nil {
		return nil, err
	}
	f.subtitle = []string{fmt.Sprintf("%s with %s, asked through the head of the start; bands: 95 %% intervals over facts",
		plural(r.Facts, "fact"), plural(r.Prompts, "prompt"))}
	last := len(r.Steps) - 1
	parts := []string{fmt.Sprintf("Facts followed through %d steps of fine-tuning, in percent", r.Steps[last])}
	var lines []bandedLine
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
		l := bandedLine{label: c.label, series: i, wash: 0.14}
		for k, v := range c.values {
			l.x, l.y = append(l.x, float64(r.Steps[k])), append(l.y, 100*v.Mean)
			l.low, l.high = append(l.low, 100*v.Low), append(l.high, 100*v.High)
		}
		lines = append([]bandedLine{l}, lines...)
		parts = append(parts, fmt.Sprintf("%s: from %.1f to %.1f [%.1f, %.1f]", c.label, 100*c.values[0].Mean, 100*c.values[last].Mean, 100*c.values[last].Low, 100*c.values[last].High))
	}
	p := f.panel("Step", "Share [%]")
	if err := f.addSteps(p, lines, r.Steps[last]); err != nil {
		return nil, err
	}
	p.Y.Min, p.Y.Max = 0, 100
	if layers != nil {
		if err := f.addLastLayer(layers, r.Steps[last]); err != nil {
			return nil, err
		}
		p.X.Label.Text = ""
		f.stack()
	}
	f.desc = sentences(parts...)
	return f.figure(), nil
}

// MustFollowedKnowledge is [FollowedKnowledge] for notebook cells: it panics instead of returning an error.
func MustFollowedKnowledge(r *dynamics.KnowledgeBySteps, layers *dynamics.LayersBySteps, options ...Options) *Figure {
	return kn.Must(FollowedKnowledge(r, layers, options...))
}

// addSteps draws lines over steps.
func (f *Draft) addSteps(p *plot.Plot, lines []bandedLine, last int) error {
	p.Add(f.theme.across())
	if err := f.addLines(p, lines); err != nil {
		return err
	}
	p.X.Min, p.X.Max = 0, math.Max(1, float64(last))
	p.X.Tick.Marker = niceTicks{whole: true}
	return nil
}

// addLastLayer adds a panel with the last layer's distances from the start.
func (f *Draft) addLastLayer(r *dynamics.LayersBySteps, last int) error {
	p := f.panel("Step", "Distance, last layer")
	f.provenance = append(f.provenance, r.Provenance)
	var lines []bandedLine
	for i, m := range []dynamics.Measure{dynamics.SVCCA, dynamics.JSD} {
		values := r.Of(m)
		if err := checkDynamics(r, m, values); err != nil {
			return err
		}
		l := bandedLine{label: "SVCCA distance of hidden states", series: 4 + i, x: []float64{0}, y: []float64{0}}
		scale := 1.0
		if m == dynamics.JSD {
			l.label, scale = "JS divergence of attention / ln 2", 1/math.Ln2
		}
		for k, row := range values {
			if r.Steps[k] > 0 {
				l.x, l.y = append(l.x, float64(r.Steps[k])), append(l.y, scale*row[len(row)-1])
			}
		}
		lines = append(lines, l)
	}
	if err := f.addSteps(p, lines, last); err != nil {
		return err
	}
	p.Y.Min, p.Y.Max = 0, 1.05*math.Max(p.Y.Max, 1e-9)
	return nil
}

func checkFollowed(r *dynamics.KnowledgeBySteps) error {
	if r == nil {
		return missing("followed knowledge")
	}
	if len(r.Steps) == 0 {
		return errors.New("plots: the followed knowledge has no steps")
	}
	for name, values := range map[string][]stats.Interval{"Probability": r.Probability, "First": r.First, "Overlap": r.Overlap, "Control": r.Control} {
		if name == "Control" && len(values) == 0 {
			continue
		}
		if err := sameLength(name, len(values), "Steps", len(r.Steps)); err != nil {
			return err
		}
		if err := checkIntervals(name, values...); err != nil {
			return err
		}
	}
	return nil
}
