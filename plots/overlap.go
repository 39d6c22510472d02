package plots

import (
	"errors"
	"fmt"
	"strconv"

	"gonum.org/v1/plot"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// Overlap draws how far the coarse neuron sets of a fact's prompts agree, and
// what of them is left after refining. A cell shows the overlap coefficient
// of two sets A and B,
//
//	|A and B| / min(|A|, |B|),
//
// in percent: 100 if one is part of the other. The last row is the refined
// set, whose cell therefore says which share of it a prompt found (if it is
// the smaller set). A set without neurons overlaps with nothing and has no value.
func Overlap(neurons *kn.KnowledgeNeurons, options ...Options) (*Figure, error) {
	if neurons == nil {
		return nil, chart.Missing("knowledge neurons")
	}
	if err := checkOverlap(neurons); err != nil {
		return nil, err
	}
	f, err := chart.New("overlap", "Neurons shared by the prompts for "+chart.Quoted(neurons.Answer), options, neurons.Provenance)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{overlapLine(neurons), "100 %: all neurons of the smaller set are in the other"}
	f.Record(neurons)
	sets := append(append([][]kn.Neuron{}, neurons.Coarse...), neurons.Refined)
	f.Panel("Prompt", "")
	bar := chart.ColorBar{Label: "Overlap [%]", Scale: f.Options.Palette.Sequential, Low: 0, High: 100}
	addOverlapCells(f, sets, bar)
	addOverlapTicks(f, neurons)
	f.AddColorBar(bar)
	f.Description = describeOverlap(neurons, sets)
	return f.Figure(), nil
}

// MustOverlap is [Overlap] for notebook cells: it panics instead of returning an error.
func MustOverlap(neurons *kn.KnowledgeNeurons, options ...Options) *Figure {
	return kn.Must(Overlap(neurons, options...))
}

func checkOverlap(n *kn.KnowledgeNeurons) error {
	if len(n.Coarse) == 0 {
		return errors.New("plots: the knowledge neurons have no coarse sets to compare")
	}
	if err := chart.CheckLength("Prompts", len(n.Prompts), "Coarse", len(n.Coarse)); err != nil {
		return err
	}
	for i, set := range n.Coarse {
		if err := chart.CheckInside(fmt.Sprintf("the coarse set of prompt %d", i+1), set, n.Layers, n.FFN); err != nil {
			return err
		}
	}
	return chart.CheckInside("the refined set", n.Refined, n.Layers, n.FFN)
}

func overlapLine(n *kn.KnowledgeNeurons) string {
	total := 0
	for _, set := range n.Coarse {
		total += len(set)
	}
	return fmt.Sprintf("%s with %.1f coarse neurons each on average; %s left after refining",
		chart.Plural(len(n.Coarse), "prompt"), float64(total)/float64(len(n.Coarse)), chart.Plural(len(n.Refined), "neuron"))
}

// overlap returns the overlap coefficient; none if a set is empty.
func overlap(a, b []kn.Neuron) (coefficient float64, ok bool) {
	a, b = kn.SortNeurons(a), kn.SortNeurons(b)
	if len(a) == 0 || len(b) == 0 {
		return 0, false
	}
	in := make(map[kn.Neuron]bool, len(a))
	for _, n := range a {
		in[n] = true
	}
	shared := 0
	for _, n := range b {
		if in[n] {
			shared++
		}
	}
	return float64(shared) / float64(min(len(a), len(b))), true
}

// addOverlapCells draws the matrix, the first prompt at the top left, with
// its values where there is room. The refined set's row stands apart.
func addOverlapCells(f *chart.Draft, sets [][]kn.Neuron, bar chart.ColorBar) {
	n := len(sets) - 1
	var cells []chart.Cell
	for i, row := range sets {
		for j := range n {
			c := chart.Cell{X: float64(j), Y: overlapRow(f, i, n), Fill: chart.Rule, Text: "–"}
			if v, ok := overlap(row, sets[j]); ok {
				c.Fill, c.Text = bar.Color(100*v), strconv.Itoa(int(100*v+0.5))
			}
			cells = append(cells, c)
		}
	}
	f.AddCells(cells, n <= overlapRoom(f))
	p := f.Panels[0]
	p.X.Min, p.X.Max = -0.5, float64(n)-0.5
	p.Y.Min, p.Y.Max = overlapRow(f, n, n)-0.5, overlapRow(f, 0, n)+0.5
}

// overlapRoom is how many prompts can have their values in the cells.
func overlapRoom(f *chart.Draft) int {
	if f.Narrow() {
		return 9
	}
	return 14
}

// overlapRow is where a set's row is: from the top, the refined set's apart.
func overlapRow(f *chart.Draft, i, n int) float64 {
	if i == n {
		return -1.2 - 0.02*float64(n)
	}
	return float64(n - 1 - i)
}

// addOverlapTicks numbers the columns and names the rows by their prompts.
func addOverlapTicks(f *chart.Draft, k *kn.KnowledgeNeurons) {
	p, n := f.Panels[0], len(k.Coarse)
	style := p.Y.Tick.Label
	limit := f.Options.Size.Width * 0.36
	var rows []plot.Tick
	for _, t := range chart.Indices(n, 16, 1) {
		i := int(t.Value)
		text := chart.Fit(style, fmt.Sprintf("%d  %s", i+1, chart.Clean(k.Prompts[i])), limit)
		if n > 16 {
			text = t.Label
		}
		rows = append(rows, plot.Tick{Value: overlapRow(f, i, n), Label: text})
	}
	rows = append(rows, plot.Tick{Value: overlapRow(f, n, n), Label: fmt.Sprintf("refined (%d)", len(k.Refined))})
	f.BareAxes(chart.Indices(n, overlapRoom(f)+6, 1), rows)
}

func describeOverlap(k *kn.KnowledgeNeurons, sets [][]kn.Neuron) string {
	n, sum, pairs := len(k.Coarse), 0.0, 0
	for i := range n {
		for j := range i {
			if v, ok := overlap(sets[i], sets[j]); ok {
				sum, pairs = sum+v, pairs+1
			}
		}
	}
	parts := []string{overlapLine(k)}
	if pairs > 0 {
		parts = append(parts, fmt.Sprintf("Mean overlap of two prompts: %.0f %%", 100*sum/float64(pairs)))
	}
	return chart.Sentences(parts...)
}
