package plots

import (
	"errors"
	"fmt"
	"strconv"

	"gonum.org/v1/plot"

	"github.com/knowledge-neurons/gonb-kn/kn"
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
		return nil, missing("knowledge neurons")
	}
	if err := checkOverlap(neurons); err != nil {
		return nil, err
	}
	f, err := newDraft("overlap", "Neurons shared by the prompts for "+quoted(neurons.Answer), options, neurons.Provenance)
	if err != nil {
		return nil, err
	}
	f.subtitle = []string{overlapLine(neurons), "100 %: all neurons of the smaller set are in the other"}
	sets := append(append([][]kn.Neuron{}, neurons.Coarse...), neurons.Refined)
	f.panel("Prompt", "")
	bar := colorBar{label: "Overlap [%]", scale: f.options.Palette.Sequential, low: 0, high: 100}
	f.addOverlapCells(sets, bar)
	f.addOverlapTicks(neurons)
	f.addColorBar(bar)
	f.desc = describeOverlap(neurons, sets)
	return f.figure(), nil
}

// MustOverlap is [Overlap] for notebook cells: it panics instead of returning an error.
func MustOverlap(neurons *kn.KnowledgeNeurons, options ...Options) *Figure {
	return kn.Must(Overlap(neurons, options...))
}

func checkOverlap(n *kn.KnowledgeNeurons) error {
	if len(n.Coarse) == 0 {
		return errors.New("plots: the knowledge neurons have no coarse sets to compare")
	}
	if err := sameLength("Prompts", len(n.Prompts), "Coarse", len(n.Coarse)); err != nil {
		return err
	}
	for i, set := range n.Coarse {
		if err := inside(fmt.Sprintf("the coarse set of prompt %d", i+1), set, n.Layers, n.FFN); err != nil {
			return err
		}
	}
	return inside("the refined set", n.Refined, n.Layers, n.FFN)
}

func overlapLine(n *kn.KnowledgeNeurons) string {
	total := 0
	for _, set := range n.Coarse {
		total += len(set)
	}
	return fmt.Sprintf("%s with %.1f coarse neurons each on average; %s left after refining",
		plural(len(n.Coarse), "prompt"), float64(total)/float64(len(n.Coarse)), plural(len(n.Refined), "neuron"))
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
func (f *Draft) addOverlapCells(sets [][]kn.Neuron, bar colorBar) {
	n := len(sets) - 1
	var cells []cell
	for i, row := range sets {
		for j := range n {
			c := cell{x: float64(j), y: f.overlapRow(i, n), fill: rule, text: "–"}
			if v, ok := overlap(row, sets[j]); ok {
				c.fill, c.text = bar.color(100*v), strconv.Itoa(int(100*v+0.5))
			}
			cells = append(cells, c)
		}
	}
	f.addCells(cells, n <= f.overlapRoom())
	p := f.panels[0]
	p.X.Min, p.X.Max = -0.5, float64(n)-0.5
	p.Y.Min, p.Y.Max = f.overlapRow(n, n)-0.5, f.overlapRow(0, n)+0.5
}

// overlapRoom is how many prompts can have their values in the cells.
func (f *Draft) overlapRoom() int {
	if f.narrow() {
		return 9
	}
	return 14
}

// overlapRow is where a set's row is: from the top, the refined set's apart.
func (f *Draft) overlapRow(i, n int) float64 {
	if i == n {
		return -1.2 - 0.02*float64(n)
	}
	return float64(n - 1 - i)
}

// addOverlapTicks numbers the columns and names the rows by their prompts.
func (f *Draft) addOverlapTicks(k *kn.KnowledgeNeurons) {
	p, n := f.panels[0], len(k.Coarse)
	style := p.Y.Tick.Label
	limit := f.options.Size.Width * 0.36
	var rows []plot.Tick
	for _, t := range indices(n, 16, 1) {
		i := int(t.Value)
		text := fit(style, fmt.Sprintf("%d  %s", i+1, clean(k.Prompts[i])), limit)
		if n > 16 {
			text = t.Label
		}
		rows = append(rows, plot.Tick{Value: f.overlapRow(i, n), Label: text})
	}
	rows = append(rows, plot.Tick{Value: f.overlapRow(n, n), Label: fmt.Sprintf("refined (%d)", len(k.Refined))})
	f.bareAxes(indices(n, f.overlapRoom()+6, 1), rows)
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
	return sentences(parts...)
}
