package plots

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// colorBar is the key to a scale of colours, right of the first panel.
type colorBar struct {
	label     string
	scale     []color.NRGBA
	low, high float64 // values at the scale's ends
	bands     int     // of one colour each; 0: colours flow into each other
	log       bool    // values are logarithms to base 10
}

func (b colorBar) color(v float64) color.NRGBA {
	t := (v - b.low) / (b.high - b.low)
	if b.bands > 0 {
		n := float64(b.bands)
		t = (max(0, min(n-1, math.Floor(t*n+1e-9))) + 0.5) / n
	}
	return at(b.scale, t)
}

// edges are the values between the bands.
func (b colorBar) edges() (edges []float64) {
	for k := 1; k < b.bands; k++ {
		edges = append(edges, b.low+(b.high-b.low)*float64(k)/float64(b.bands))
	}
	return edges
}

func (b colorBar) ticks() []plot.Tick {
	if b.log {
		return logTicks{}.Ticks(b.low, b.high)
	}
	return niceTicks{}.Ticks(b.low, b.high)
}

// Lengths of a colour bar, in points at text of 10.
const barGap, barWidth, barTick = 9, 9, 5

func (b colorBar) width(t theme) vg.Length {
	style, widest := t.style(smallSize, ink), vg.Length(0)
	for _, tick := range b.ticks() {
		widest = max(widest, width(style, tick.Label))
	}
	return t.pt(barGap+barWidth+barTick+6) + widest + t.text*1.2
}

// addColorBar puts the bar beside the panel, as high as its data.
func (f *Draft) addColorBar(b colorBar) {
	f.layout = func(c draw.Canvas) []draw.Canvas { return []draw.Canvas{f.beside(c, 0, b)} }
}

// barsBeside lays panels out next to each other, each with a bar of its own.
func (f *Draft) barsBeside(bars []colorBar) {
	side := sideBySide(len(bars))
	f.layout = func(c draw.Canvas) []draw.Canvas {
		all := side(c)
		for i, b := range bars {
			all[i] = f.beside(all[i], i, b)
		}
		return all
	}
}

// beside draws a bar right of a panel, as high as its data, and returns what is
// left for the panel.
func (f *Draft) beside(c draw.Canvas, panel int, b colorBar) draw.Canvas {
	body := draw.Crop(c, 0, -b.width(f.theme), 0, 0)
	data := f.panels[panel].DataCanvas(body)
	side := c
	side.Min.X = body.Max.X
	side.Min.Y, side.Max.Y = data.Min.Y, data.Max.Y
	b.draw(side, f.theme)
	return body
}

func (b colorBar) draw(c draw.Canvas, t theme) {
	box := c.Rectangle
	box.Min.X += t.pt(barGap)
	box.Max.X = box.Min.X + t.pt(barWidth)
	const steps = 256
	img := image.NewNRGBA(image.Rect(0, 0, 1, steps))
	for i := range steps {
		img.SetNRGBA(0, steps-1-i, b.color(b.low+(b.high-b.low)*float64(i)/(steps-1)))
	}
	c.DrawImage(box, img)
	c.StrokeLines(t.line(0.6, faint), corners(box))
	style := t.style(smallSize, ink)
	style.YAlign = text.YCenter
	for _, tick := range b.ticks() {
		y := box.Min.Y + vg.Length((tick.Value-b.low)/(b.high-b.low))*(box.Max.Y-box.Min.Y)
		c.StrokeLine2(t.line(0.8, faint), box.Max.X, y, box.Max.X+t.pt(barTick-2), y)
		c.FillText(style, vg.Point{X: box.Max.X + t.pt(barTick), Y: y}, tick.Label)
	}
	label := t.style(normalSize, ink)
	label.XAlign, label.YAlign, label.Rotation = text.XCenter, text.YTop, math.Pi/2
	upright := label
	upright.Rotation = 0
	c.FillText(label, vg.Point{X: c.Max.X - t.text*1.2, Y: (box.Min.Y + box.Max.Y) / 2}, fit(upright, b.label, box.Max.Y-box.Min.Y))
}

// corners is a rectangle's outline, closed.
func corners(r vg.Rectangle) []vg.Point {
	return []vg.Point{r.Min, {X: r.Max.X, Y: r.Min.Y}, r.Max, {X: r.Min.X, Y: r.Max.Y}, r.Min}
}
