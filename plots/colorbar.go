package plots

import (
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// colorBar is the key to a scale of colours, right of the first panel.
type colorBar struct {
	label     string
	scale     []color.NRGBA
	low, high float64 // values at the scale's ends
}

func (b colorBar) color(v float64) color.NRGBA {
	return at(b.scale, (v-b.low)/(b.high-b.low))
}

// Lengths of a colour bar, in points at text of 10.
const barGap, barWidth, barTick = 9, 9, 5

func (b colorBar) width(t theme) vg.Length {
	style, widest := t.style(smallSize, ink), vg.Length(0)
	for _, tick := range (niceTicks{}).Ticks(b.low, b.high) {
		widest = max(widest, width(style, tick.Label))
	}
	return t.pt(barGap+barWidth+barTick+6) + widest + t.text*1.2
}

// addColorBar puts the bar beside the panel, as high as its data.
func (f *Figure) addColorBar(b colorBar) {
	f.layout = func(c draw.Canvas) []draw.Canvas {
		body := draw.Crop(c, 0, -b.width(f.theme), 0, 0)
		data := f.panels[0].DataCanvas(body)
		side := c
		side.Min.X = body.Max.X
		side.Min.Y, side.Max.Y = data.Min.Y, data.Max.Y
		b.draw(side, f.theme)
		return []draw.Canvas{body}
	}
}

func (b colorBar) draw(c draw.Canvas, t theme) {
	box := c.Rectangle
	box.Min.X += t.pt(barGap)
	box.Max.X = box.Min.X + t.pt(barWidth)
	const steps = 256
	img := image.NewNRGBA(image.Rect(0, 0, 1, steps))
	for i := range steps {
		img.SetNRGBA(0, steps-1-i, at(b.scale, float64(i)/(steps-1)))
	}
	c.DrawImage(box, img)
	c.StrokeLines(t.line(0.6, faint), corners(box))
	style := t.style(smallSize, ink)
	style.YAlign = text.YCenter
	for _, tick := range (niceTicks{}).Ticks(b.low, b.high) {
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
