package chart

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ColorBar is the key to a scale of colours, right of the first panel.
type ColorBar struct {
	Label     string
	Scale     []color.NRGBA
	Low, High float64 // values at the scale's ends
	Bands     int     // of one colour each; 0: colours flow into each other
	Log       bool    // values are logarithms to base 10
}

// Color is that of a value.
func (b ColorBar) Color(v float64) color.NRGBA {
	t := (v - b.Low) / (b.High - b.Low)
	if b.Bands > 0 {
		n := float64(b.Bands)
		t = (max(0, min(n-1, math.Floor(t*n+1e-9))) + 0.5) / n
	}
	return Shade(b.Scale, t)
}

// Edges are the values between the bands.
func (b ColorBar) Edges() (edges []float64) {
	for k := 1; k < b.Bands; k++ {
		edges = append(edges, b.Low+(b.High-b.Low)*float64(k)/float64(b.Bands))
	}
	return edges
}

// Ticks label the bar.
func (b ColorBar) Ticks() []plot.Tick {
	if b.Log {
		return LogTicks{}.Ticks(b.Low, b.High)
	}
	return NiceTicks{}.Ticks(b.Low, b.High)
}

// Lengths of a colour bar, in points at text of 10.
const barGap, barWidth, barTick = 9, 9, 5

// Width is the room that the bar takes at the right of a panel.
func (b ColorBar) Width(t Theme) vg.Length {
	style, widest := t.Style(SmallSize, Ink), vg.Length(0)
	for _, tick := range b.Ticks() {
		widest = max(widest, Width(style, tick.Label))
	}
	return t.Pt(barGap+barWidth+barTick+6) + widest + t.Text*1.2
}

// AddColorBar puts the bar beside the panel, as high as its data.
func (f *Draft) AddColorBar(b ColorBar) {
	f.Layout = func(c draw.Canvas) []draw.Canvas { return []draw.Canvas{f.beside(c, 0, b)} }
}

// BarsBeside lays panels out next to each other, each with a bar of its own.
func (f *Draft) BarsBeside(bars []ColorBar) {
	side := SideBySide(len(bars))
	f.Layout = func(c draw.Canvas) []draw.Canvas {
		all := side(c)
		for i, b := range bars {
			all[i] = f.beside(all[i], i, b)
		}
		return all
	}
}

// beside draws a bar right of a panel, as high as its data, and returns what is
// left for the panel.
func (f *Draft) beside(c draw.Canvas, panel int, b ColorBar) draw.Canvas {
	body := draw.Crop(c, 0, -b.Width(f.Theme), 0, 0)
	data := f.Panels[panel].DataCanvas(body)
	side := c
	side.Min.X = body.Max.X
	side.Min.Y, side.Max.Y = data.Min.Y, data.Max.Y
	b.Draw(side, f.Theme)
	return body
}

// Draw draws the bar at the left edge of a canvas, as high as that, and its
// label at the right edge.
func (b ColorBar) Draw(c draw.Canvas, t Theme) {
	box := c.Rectangle
	box.Min.X += t.Pt(barGap)
	box.Max.X = box.Min.X + t.Pt(barWidth)
	const steps = 256
	img := image.NewNRGBA(image.Rect(0, 0, 1, steps))
	for i := range steps {
		img.SetNRGBA(0, steps-1-i, b.Color(b.Low+(b.High-b.Low)*float64(i)/(steps-1)))
	}
	c.DrawImage(box, img)
	c.StrokeLines(t.Line(0.6, Faint), Corners(box))
	style := t.Style(SmallSize, Ink)
	style.YAlign = text.YCenter
	for _, tick := range b.Ticks() {
		y := box.Min.Y + vg.Length((tick.Value-b.Low)/(b.High-b.Low))*(box.Max.Y-box.Min.Y)
		c.StrokeLine2(t.Line(0.8, Faint), box.Max.X, y, box.Max.X+t.Pt(barTick-2), y)
		c.FillText(style, vg.Point{X: box.Max.X + t.Pt(barTick), Y: y}, tick.Label)
	}
	label := t.Style(NormalSize, Ink)
	label.XAlign, label.YAlign, label.Rotation = text.XCenter, text.YTop, math.Pi/2
	upright := label
	upright.Rotation = 0
	c.FillText(label, vg.Point{X: c.Max.X - t.Text*1.2, Y: (box.Min.Y + box.Max.Y) / 2}, Fit(upright, b.Label, box.Max.Y-box.Min.Y))
}

// Corners is a rectangle's outline, closed.
func Corners(r vg.Rectangle) []vg.Point {
	return []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}, r.Min}
}
