package plots

import (
	"errors"
	"fmt"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// Facts is one fact's knowledge neurons, or several facts'.
type Facts interface {
	*kn.KnowledgeNeurons | []*kn.KnowledgeNeurons
}

// NeuronsPerLayer draws which share of the refined knowledge neurons each
// layer has, in percent, pooled over one or several facts of one model. The
// number above a bar is the count of neurons.
func NeuronsPerLayer[F Facts](of F, options ...Options) (*Figure, error) {
	facts, several := any(of).([]*kn.KnowledgeNeurons)
	if !several {
		facts = []*kn.KnowledgeNeurons{any(of).(*kn.KnowledgeNeurons)}
	}
	count, err := perLayer(facts)
	if err != nil {
		return nil, err
	}
	total := 0
	for _, n := range count {
		total += n
	}
	title := "Knowledge neurons per layer"
	what := fmt.Sprintf("%s of %s", chart.Plural(total, "neuron"), chart.Plural(len(facts), "fact"))
	if len(facts) == 1 {
		title += " for " + chart.Quoted(facts[0].Answer)
		what = fmt.Sprintf("%s; %s", chart.Plural(total, "neuron"), promptLine(facts[0].Prompts))
	}
	f, err := chart.New("neurons per layer", title, options)
	if err != nil {
		return nil, err
	}
	f.Subtitle = []string{what}
	for _, fact := range facts {
		f.Provenance = append(f.Provenance, fact.Provenance)
	}
	f.Record(facts)
	f.Panel("Layer (0 is next to the embeddings)", "Share of the neurons [%]")
	addBars(f, count, total)
	f.Description = describeLayers(what, count)
	return f.Figure(), nil
}

// MustNeuronsPerLayer is [NeuronsPerLayer] for notebook cells: it panics instead of returning an error.
func MustNeuronsPerLayer[F Facts](of F, options ...Options) *Figure {
	return kn.Must(NeuronsPerLayer(of, options...))
}

// perLayer counts refined neurons [layers], over facts.
func perLayer(facts []*kn.KnowledgeNeurons) ([]int, error) {
	if len(facts) == 0 {
		return nil, errors.New("plots: no facts to count the neurons of")
	}
	var count []int
	total := 0
	for i, fact := range facts {
		if fact == nil {
			return nil, chart.Missing(fmt.Sprintf("knowledge neurons of fact %d", i))
		}
		if fact.Layers <= 0 || fact.FFN <= 0 {
			return nil, fmt.Errorf("plots: fact %d, %q, says that its model has %d layers of %d neurons", i, fact.Answer, fact.Layers, fact.FFN)
		}
		if count == nil {
			count = make([]int, fact.Layers)
		}
		if fact.Layers != len(count) {
			return nil, fmt.Errorf("plots: fact %d, %q, is of a model of %d layers, the first of one of %d", i, fact.Answer, fact.Layers, len(count))
		}
		if err := chart.CheckInside(fmt.Sprintf("fact %d, %q,", i, fact.Answer), fact.Refined, fact.Layers, fact.FFN); err != nil {
			return nil, err
		}
		for _, n := range fact.Refined {
			count[n.Layer]++
		}
		total += len(fact.Refined)
	}
	if total == 0 {
		return nil, errors.New("plots: no refined neurons in any fact; refine with a lower share of prompts")
	}
	return count, nil
}

func addBars(f *chart.Draft, count []int, total int) {
	p, t := f.Panels[0], f.Theme
	number := t.Style(chart.SmallSize, chart.Ink)
	number.XAlign, number.YAlign = draw.XCenter, draw.YBottom
	var bars chart.Rects
	var numbers chart.Labels
	for l, n := range count {
		share := 100 * float64(n) / float64(total)
		x := float64(l)
		if n > 0 {
			bars = append(bars, chart.Rect{X0: x - 0.4, X1: x + 0.4, Y1: share, Fill: f.Color(0)})
		}
		if len(count) <= 32 {
			numbers = append(numbers, chart.Label{X: x, Y: share, Text: fmt.Sprintf("%.0f", share), Style: number, Offset: vg.Point{Y: t.Pt(2)}})
		}
	}
	p.Add(t.Across(), bars, numbers)
	p.X.Min, p.X.Max = -0.6, float64(len(count))-0.4
	p.Y.Min, p.Y.Max = 0, p.Y.Max*1.08
	p.X.Tick.Marker = plot.ConstantTicks(chart.Indices(len(count), 24, 0))
	p.X.Tick.Length = 0
}

func describeLayers(what string, count []int) string {
	text := "Neurons in each layer from the embeddings on:"
	for _, n := range count {
		text += " " + strconv.Itoa(n)
	}
	return chart.Sentences(what, text)
}

// promptLine is the line below a title that says which prompts were used.
func promptLine(prompts []string) string {
	switch len(prompts) {
	case 0:
		return ""
	case 1:
		return chart.Clean(prompts[0])
	case 2:
		return chart.Clip(chart.Clean(prompts[0]), 90) + " (and another prompt)"
	}
	return fmt.Sprintf("%s (and %d more prompts)", chart.Clip(chart.Clean(prompts[0]), 90), len(prompts)-1)
}
