package plots

import (
	"errors"
	"fmt"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
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
	what := fmt.Sprintf("%s of %s", plural(total, "neuron"), plural(len(facts), "fact"))
	if len(facts) == 1 {
		title += " for " + quoted(facts[0].Answer)
		what = fmt.Sprintf("%s; %s", plural(total, "neuron"), promptLine(facts[0].Prompts))
	}
	f, err := newDraft("neurons per layer", title, options)
	if err != nil {
		return nil, err
	}
	f.subtitle = []string{what}
	for _, fact := range facts {
		f.provenance = append(f.provenance, fact.Provenance)
	}
	f.panel("Layer (0 is next to the embeddings)", "Share of the neurons [%]")
	f.addBars(count, total)
	f.desc = describeLayers(what, count)
	return f.figure(), nil
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
			return nil, missing(fmt.Sprintf("knowledge neurons of fact %d", i))
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
		if err := inside(fmt.Sprintf("fact %d, %q,", i, fact.Answer), fact.Refined, fact.Layers, fact.FFN); err != nil {
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

func (f *Draft) addBars(count []int, total int) {
	p, t := f.panels[0], f.theme
	number := t.style(smallSize, ink)
	number.XAlign, number.YAlign = draw.XCenter, draw.YBottom
	var bars rects
	var numbers labels
	for l, n := range count {
		share := 100 * float64(n) / float64(total)
		x := float64(l)
		if n > 0 {
			bars = append(bars, rect{x0: x - 0.4, x1: x + 0.4, y1: share, fill: f.color(0)})
		}
		if len(count) <= 32 {
			numbers = append(numbers, label{x, share, fmt.Sprintf("%.0f", share), number, vg.Point{Y: t.pt(2)}})
		}
	}
	p.Add(t.across(), bars, numbers)
	p.X.Min, p.X.Max = -0.6, float64(len(count))-0.4
	p.Y.Min, p.Y.Max = 0, p.Y.Max*1.08
	p.X.Tick.Marker = plot.ConstantTicks(indices(len(count), 24, 0))
	p.X.Tick.Length = 0
}

func describeLayers(what string, count []int) string {
	text := "Neurons in each layer from the embeddings on:"
	for _, n := range count {
		text += " " + strconv.Itoa(n)
	}
	return sentences(what, text)
}

// promptLine is the line below a title that says which prompts were used.
func promptLine(prompts []string) string {
	switch len(prompts) {
	case 0:
		return ""
	case 1:
		return clean(prompts[0])
	case 2:
		return clip(clean(prompts[0]), 90) + " (and another prompt)"
	}
	return fmt.Sprintf("%s (and %d more prompts)", clip(clean(prompts[0]), 90), len(prompts)-1)
}
