package plots_test

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

// awkward is data with long and foreign text in every place that has any.
func awkward(prompts int) (*kn.FactorCurves, *kn.ActivationScatter, *kn.KnowledgeNeurons, *kn.Attribution, *kn.Prediction) {
	long := strings.Repeat("In der Łódźer Straße wohnte Αθηνά, 東京, Москва 🙂 and ", 6) + strings.Repeat("x", 300) + " [MASK] ."
	name := "Donaudampfschifffahrtsgesellschaftskapitänswitwenrentenauszahlungsstelle"
	curve := kn.Curve{Label: long, Factors: []float64{-2, 0.5, 1000}, Probability: []float64{0, 1e-6, 1}}
	c := &kn.FactorCurves{Prompts: []string{long, long}, Answer: name, Own: curve, Random: curve, Matched: curve}
	s := &kn.ActivationScatter{}
	k := &kn.KnowledgeNeurons{Answer: name, Layers: 48, FFN: 16384, Refined: []kn.Neuron{{Layer: 47, Index: 16383}}}
	a := &kn.Attribution{Prompt: long, Answer: name, Scores: make([][]float64, 48)}
	for l := range a.Scores {
		a.Scores[l] = make([]float64, 4096)
		a.Scores[l][4095] = -1e-9 * float64(l)
	}
	p := &kn.Prediction{Prompt: long}
	for i := range prompts {
		s.Points = append(s.Points, kn.ScatterPoint{Group: long[i%50:], Activation: 1e5 * float64(i), Probability: 1})
		k.Prompts, k.Coarse = append(k.Prompts, long), append(k.Coarse, []kn.Neuron{{Layer: 47, Index: i}})
		p.Predictions = append(p.Predictions, kn.TokenProbability{Token: name[i%20:], Probability: 0.4})
	}
	return c, s, k, a, p
}

// TestTextStaysInside draws awkward text in all sizes.
func TestTextStaysInside(t *testing.T) {
	for _, size := range []plots.Size{plots.NotebookSize, plots.PaperColumn, {Width: 3.3 * vg.Inch, Height: 3.5 * vg.Inch, Text: 9}} {
		for _, n := range []int{1, 2, 25} {
			c, s, k, a, p := awkward(n)
			o := plots.Options{Size: size}
			for _, f := range []*plots.Figure{
				plots.MustFactorCurves(c, o), plots.MustActivationScatter(s, o), plots.MustNeuronsPerLayer(k, o),
				plots.MustAttributionHeatMap(a, o), plots.MustOverlap(k, o), plots.MustPredictions(p, p, o),
			} {
				charttest.Inside(t, f, n)
			}
		}
	}
}

// TestUnmodifiedMark finds the ring around the model's own probability at
// factor 1, by the labels of the axes.
func TestUnmodifiedMark(t *testing.T) {
	f := plots.MustFactorCurves(&kn.FactorCurves{
		Answer: "Paris", Probability: 0.6,
		Own: kn.Curve{Factors: []float64{3, 0}, Probability: []float64{0.9, 0.3}},
	})
	w := charttest.Watch(t, f)
	tick := func(text string) vg.Point {
		for _, x := range w.Texts {
			if x.Text == text {
				return vg.Point{X: (x.Start.X + x.End.X) / 2, Y: x.Start.Y}
			}
		}
		t.Fatalf("no label %q", text)
		return vg.Point{}
	}
	ring := w.Circles[0] // the other is in the legend, drawn later or earlier
	for _, c := range w.Circles {
		if c.Y < ring.Y {
			ring = c
		}
	}
	if x := tick("1.0").X; len(w.Circles) != 2 || math.Abs(float64(ring.X-x)) > 0.3 {
		t.Errorf("rings at %v, want one at x = %v", w.Circles, x)
	}
	data := chart.DraftOf(f).Data
	if y := data.Min.Y + 0.6*(data.Max.Y-data.Min.Y); math.Abs(float64(ring.Y-y)) > 0.3 {
		t.Errorf("ring at %v, want y = %v", ring, y)
	}
}

func TestDrawingThatPanics(t *testing.T) {
	f := plots.MustFactorCurves(&kn.FactorCurves{Own: kn.Curve{Factors: []float64{1}, Probability: []float64{0}}})
	f.Panels()[0].Add(chart.PlotFunc(func(draw.Canvas, func(float64) vg.Length, func(float64) vg.Length) { panic("out of ink") }))
	if _, err := f.SVG(); err == nil || !strings.Contains(err.Error(), "out of ink") {
		t.Errorf("got %v", err)
	}
}
