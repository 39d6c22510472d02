package charttest

import (
	"math"
	"testing"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/vgimg"

	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

// Watched is a canvas that notes where text and circles are drawn. Text is
// the only thing that is drawn in moved or rotated coordinates.
type Watched struct {
	*vgimg.Canvas
	stack   []frame
	Texts   []Placed
	Circles []vg.Point
}

// frame is the origin and the direction of the x axis.
type frame struct {
	origin vg.Point
	angle  float64
}

// Placed is a line of text with where it starts and ends.
type Placed struct {
	Text       string
	Start, End vg.Point
}

func (w *Watched) top() *frame { return &w.stack[len(w.stack)-1] }

// Push keeps the coordinates.
func (w *Watched) Push() {
	w.stack = append(w.stack, *w.top())
	w.Canvas.Push()
}

// Pop goes back to the coordinates before.
func (w *Watched) Pop() {
	w.stack = w.stack[:len(w.stack)-1]
	w.Canvas.Pop()
}

// Translate moves the origin.
func (w *Watched) Translate(p vg.Point) {
	w.top().origin = w.at(p)
	w.Canvas.Translate(p)
}

// Rotate turns the coordinates.
func (w *Watched) Rotate(angle float64) {
	w.top().angle += angle
	w.Canvas.Rotate(angle)
}

func (w *Watched) at(p vg.Point) vg.Point {
	sin, cos := math.Sincos(w.top().angle)
	s, c := vg.Length(sin), vg.Length(cos)
	return w.top().origin.Add(vg.Point{X: c*p.X - s*p.Y, Y: s*p.X + c*p.Y})
}

// FillString notes a line of text.
func (w *Watched) FillString(f font.Face, p vg.Point, s string) {
	end := vg.Point{X: p.X + f.Width(s), Y: p.Y}
	w.Texts = append(w.Texts, Placed{s, w.at(p), w.at(end)})
	w.Canvas.FillString(f, p, s)
}

// Stroke notes the circles of a path.
func (w *Watched) Stroke(p vg.Path) {
	for _, c := range p {
		if c.Type == vg.ArcComp && c.Angle == 2*math.Pi {
			w.Circles = append(w.Circles, c.Pos)
		}
	}
	w.Canvas.Stroke(p)
}

// Watch draws a figure and returns what was drawn where.
func Watch(t testing.TB, f *plots.Figure) *Watched {
	t.Helper()
	d := chart.DraftOf(f)
	w := &Watched{Canvas: vgimg.NewWith(vgimg.UseWH(d.Options.Size.Width, d.Options.Size.Height), vgimg.UseDPI(30)), stack: []frame{{}}}
	if err := d.Draw(w); err != nil {
		t.Fatal(err)
	}
	return w
}

// Inside checks that no text leaves the figure, which shows n of something.
func Inside(t testing.TB, f *plots.Figure, n int) {
	t.Helper()
	const slack = 0.5
	size := chart.DraftOf(f).Options.Size
	for _, x := range Watch(t, f).Texts {
		for _, q := range []vg.Point{x.Start, x.End} {
			if q.X < -slack || q.Y < -slack || q.X > size.Width+slack || q.Y > size.Height+slack {
				t.Errorf("%s of %d, %v: %q reaches %v", f.Provenance().Chart, n, size, x.Text, q)
			}
		}
	}
}
