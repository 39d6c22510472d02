package plots

import (
	"cmp"
	"errors"
	"fmt"
	"image/color"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// maxGroups is how many groups a scatter tells apart; the rest are one.
const maxGroups = 7

// ActivationScatter draws the answer's probability against the mean
// activation of the fact's neurons, a point a prompt, groups by colour and
// marker, with Pearson's correlation and the least-squares line. Of more than
// seven groups the largest six are told apart.
func ActivationScatter(scatter *kn.ActivationScatter, options ...Options) (*Figure, error) {
	if scatter == nil {
		return nil, chart.Missing("activation scatter")
	}
	if err := checkScatter(scatter); err != nil {
		return nil, err
	}
	f, err := chart.New("activation scatter", "Neuron activation and fact probability", options, scatter.Provenance)
	if err != nil {
		return nil, err
	}
	n := len(scatter.Points)
	f.Subtitle = append(f.Subtitle, scatterLine(scatter))
	f.Record(scatter)
	p := f.Panel("Mean activation of the neurons at [MASK]", "Probability of the answer")
	p.Add(f.Theme.Grid())
	if err := addGroups(f, scatter.Points); err != nil {
		return nil, err
	}
	addTrend(f, scatter)
	p.Y.Min, p.Y.Max = 0, chart.Headroom(p.Y.Max)
	pad := (p.X.Max - p.X.Min) * 0.04
	p.X.Min, p.X.Max = p.X.Min-pad, p.X.Max+pad
	f.Description = chart.Sentences(fmt.Sprintf("Probability of the answer against the mean activation of knowledge neurons, %s",
		chart.Plural(n, "prompt")), scatterLine(scatter))
	return f.Figure(), nil
}

// MustActivationScatter is [ActivationScatter] for notebook cells: it panics instead of returning an error.
func MustActivationScatter(scatter *kn.ActivationScatter, options ...Options) *Figure {
	return kn.Must(ActivationScatter(scatter, options...))
}

func scatterLine(s *kn.ActivationScatter) string {
	line := fmt.Sprintf("Pearson r = %.2f over %s", s.Pearson, chart.Plural(len(s.Points), "prompt"))
	if !varies(s.Points) {
		line = chart.Plural(len(s.Points), "prompt") + " without a correlation: one side does not vary"
	}
	if n := len(s.Neurons); n > 0 {
		line += ", mean of " + chart.Plural(n, "neuron")
	}
	return line
}

// varies says whether there is a correlation: neither side is constant.
func varies(points []kn.ScatterPoint) bool {
	activation, probability := false, false
	for _, p := range points {
		activation = activation || p.Activation != points[0].Activation
		probability = probability || p.Probability != points[0].Probability
	}
	return activation && probability
}

func checkScatter(s *kn.ActivationScatter) error {
	if len(s.Points) == 0 {
		return errors.New("plots: the activation scatter has no points")
	}
	if !(math.Abs(s.Pearson) <= 1+1e-9) {
		return fmt.Errorf("plots: the activation scatter's correlation is %v, which is not between -1 and 1", s.Pearson)
	}
	for i, p := range s.Points {
		if err := chart.CheckFinite(fmt.Sprintf("activation of point %d", i), []float64{p.Activation}); err != nil {
			return err
		}
		if err := chart.CheckProbabilities(fmt.Sprintf("probability of point %d", i), []float64{p.Probability}); err != nil {
			return err
		}
	}
	return nil
}

// group is the points of one entry of the legend.
type group struct {
	name   string
	points plotter.XYs
	rest   bool // several groups in one
}

// groups splits points by group, in order of first appearance; beyond
// maxGroups the smallest become one, last.
func groups(points []kn.ScatterPoint) []group {
	index := map[string]int{}
	var all []group
	for _, p := range points {
		i, ok := index[p.Group]
		if !ok {
			i = len(all)
			index[p.Group] = i
			all = append(all, group{name: p.Group})
		}
		all[i].points = append(all[i].points, plotter.XY{X: p.Activation, Y: p.Probability})
	}
	if len(all) <= maxGroups {
		return all
	}
	slices.SortStableFunc(all, func(a, b group) int { return cmp.Compare(len(b.points), len(a.points)) })
	rest := group{name: fmt.Sprintf("%d other groups", len(all)-maxGroups+1), rest: true}
	for _, g := range all[maxGroups-1:] {
		rest.points = append(rest.points, g.points...)
	}
	return append(all[:maxGroups-1:maxGroups-1], rest)
}

func addGroups(f *chart.Draft, points []kn.ScatterPoint) error {
	opacity := 0.85
	if len(points) > 150 {
		opacity = 0.55
	}
	all := groups(points)
	for i, g := range all {
		s, err := plotter.NewScatter(g.points)
		if err != nil {
			return fmt.Errorf("plots: group %q: %w", g.name, err)
		}
		s.GlyphStyle = draw.GlyphStyle{
			Color: chart.Wash(groupColor(f, g, i), opacity), Radius: f.Theme.Pt(2.8), Shape: chart.Glyphs[i],
		}
		f.Panels[0].Add(s)
		if len(all) > 1 || g.name != "" {
			f.AddLegend(fmt.Sprintf("%s (%d)", cmp.Or(chart.Clip(chart.Clean(g.name), 30), "no group"), len(g.points)), s)
		}
	}
	return nil
}

// groupColor leaves the colours to groups of their own: the rest is grey.
func groupColor(f *chart.Draft, g group, i int) color.NRGBA {
	if g.rest {
		return chart.Gray
	}
	return f.Color(i)
}

// addTrend adds the least-squares line where there is one.
func addTrend(f *chart.Draft, s *kn.ActivationScatter) {
	var x, y []float64
	for _, p := range s.Points {
		x, y = append(x, p.Activation), append(y, p.Probability)
	}
	low, high := slices.Min(x), slices.Max(x)
	if len(x) < 3 || low == high {
		return
	}
	a, b := stat.LinearRegression(x, y, nil, false)
	line := &plotter.Line{
		XYs:       plotter.XYs{{X: low, Y: a + b*low}, {X: high, Y: a + b*high}},
		LineStyle: f.Theme.Line(1, chart.Faint),
	}
	line.Dashes = chart.Dashes(1, f.Theme.Pt(1.4))
	f.Panels[0].Add(chart.Clipped{Line: line})
	f.AddLegend("least-squares line", line)
}
