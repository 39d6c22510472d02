package plots

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// watched is a canvas that notes where text and circles are drawn. Text is
// the only thing that is drawn in moved or rotated coordinates.
type watched struct {
	*vgimg.Canvas
	stack   []frame
	texts   []placed
	circles []vg.Point
}

// frame is the origin and the direction of the x axis.
type frame struct {
	origin vg.Point
	angle  float64
}

type placed struct {
	text       string
	start, end vg.Point
}

func (w *watched) top() *frame { return &w.stack[len(w.stack)-1] }

func (w *watched) Push() {
	w.stack = append(w.stack, *w.top())
	w.Canvas.Push()
}

func (w *watched) Pop() {
	w.stack = w.stack[:len(w.stack)-1]
	w.Canvas.Pop()
}

func (w *watched) Translate(p vg.Point) {
	w.top().origin = w.at(p)
	w.Canvas.Translate(p)
}

func (w *watched) Rotate(angle float64) {
	w.top().angle += angle
	w.Canvas.Rotate(angle)
}

func (w *watched) at(p vg.Point) vg.Point {
	sin, cos := math.Sincos(w.top().angle)
	s, c := vg.Length(sin), vg.Length(cos)
	return w.top().origin.Add(vg.Point{X: c*p.X - s*p.Y, Y: s*p.X + c*p.Y})
}

func (w *watched) FillString(f font.Face, p vg.Point, s string) {
	end := vg.Point{X: p.X + f.Width(s), Y: p.Y}
	w.texts = append(w.texts, placed{s, w.at(p), w.at(end)})
	w.Canvas.FillString(f, p, s)
}

func (w *watched) Stroke(p vg.Path) {
	for _, c := range p {
		if c.Type == vg.ArcComp && c.Angle == 2*math.Pi {
			w.circles = append(w.circles, c.Pos)
		}
	}
	w.Canvas.Stroke(p)
}

func watch(t *testing.T, f *Figure) *watched {
	t.Helper()
	w := &watched{Canvas: vgimg.NewWith(vgimg.UseWH(f.d.options.Size.Width, f.d.options.Size.Height), vgimg.UseDPI(30)), stack: []frame{{}}}
	if err := f.d.draw(w); err != nil {
		t.Fatal(err)
	}
	return w
}

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
	for _, size := range []Size{NotebookSize, PaperColumn, {Width: 3.3 * vg.Inch, Height: 3.5 * vg.Inch, Text: 9}} {
		for _, n := range []int{1, 2, 25} {
			c, s, k, a, p := awkward(n)
			o := Options{Size: size}
			for _, f := range []*Figure{
				MustFactorCurves(c, o), MustActivationScatter(s, o), MustNeuronsPerLayer(k, o),
				MustAttributionHeatMap(a, o), MustOverlap(k, o), MustPredictions(p, p, o),
			} {
				textInside(t, f, n)
			}
		}
	}
}

// textInside checks that no text leaves the figure, which shows n of something.
func textInside(t *testing.T, f *Figure, n int) {
	t.Helper()
	const slack = 0.5
	size := f.d.options.Size
	for _, x := range watch(t, f).texts {
		for _, q := range []vg.Point{x.start, x.end} {
			if q.X < -slack || q.Y < -slack || q.X > size.Width+slack || q.Y > size.Height+slack {
				t.Errorf("%s of %d, %v: %q reaches %v", f.d.chart, n, size, x.text, q)
			}
		}
	}
}

// TestUnmodifiedMark finds the ring around the model's own probability at
// factor 1, by the labels of the axes.
func TestUnmodifiedMark(t *testing.T) {
	f := MustFactorCurves(&kn.FactorCurves{
		Answer: "Paris", Probability: 0.6,
		Own: kn.Curve{Factors: []float64{3, 0}, Probability: []float64{0.9, 0.3}},
	})
	w := watch(t, f)
	tick := func(text string) vg.Point {
		for _, x := range w.texts {
			if x.text == text {
				return vg.Point{X: (x.start.X + x.end.X) / 2, Y: x.start.Y}
			}
		}
		t.Fatalf("no label %q", text)
		return vg.Point{}
	}
	ring := w.circles[0] // the other is in the legend, drawn later or earlier
	for _, c := range w.circles {
		if c.Y < ring.Y {
			ring = c
		}
	}
	if x := tick("1.0").X; len(w.circles) != 2 || math.Abs(float64(ring.X-x)) > 0.3 {
		t.Errorf("rings at %v, want one at x = %v", w.circles, x)
	}
	data := f.d.data
	if y := data.Min.Y + 0.6*(data.Max.Y-data.Min.Y); math.Abs(float64(ring.Y-y)) > 0.3 {
		t.Errorf("ring at %v, want y = %v", ring, y)
	}
}

func TestDrawingThatPanics(t *testing.T) {
	f := MustFactorCurves(&kn.FactorCurves{Own: kn.Curve{Factors: []float64{1}, Probability: []float64{0}}})
	f.Panels()[0].Add(plotFunc(func(draw.Canvas, func(float64) vg.Length, func(float64) vg.Length) { panic("out of ink") }))
	if _, err := f.SVG(); err == nil || !strings.Contains(err.Error(), "out of ink") {
		t.Errorf("got %v", err)
	}
}
