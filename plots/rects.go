package plots

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// rect is a filled rectangle in data coordinates: bars, cells of a matrix.
type rect struct {
	x0, y0, x1, y1 float64
	fill           color.NRGBA
	outline        draw.LineStyle
	hatch          bool // white stripes, for print in grey
}

// rects plots rectangles.
type rects []rect

// Plot draws the rectangles.
func (r rects) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, b := range r {
		box := []vg.Point{
			{X: x(b.x0), Y: y(b.y0)},
			{X: x(b.x1), Y: y(b.y0)},
			{X: x(b.x1), Y: y(b.y1)},
			{X: x(b.x0), Y: y(b.y1)},
		}
		c.FillPolygon(b.fill, box)
		if b.hatch {
			low := vg.Point{X: min(box[0].X, box[2].X), Y: min(box[0].Y, box[2].Y)}
			high := vg.Point{X: max(box[0].X, box[2].X), Y: max(box[0].Y, box[2].Y)}
			stripe(&c, vg.Rectangle{Min: low, Max: high}, p.X.Tick.Label.Font.Size*0.35)
		}
		if b.outline.Width > 0 {
			c.StrokeLines(b.outline, append(box, box[0]))
		}
	}
}

// stripe draws slanted white lines over a box, a given distance apart.
func stripe(c *draw.Canvas, box vg.Rectangle, distance vg.Length) {
	height := box.Max.Y - box.Min.Y
	clip := *c
	clip.Rectangle = box
	style := draw.LineStyle{Color: white, Width: distance * 0.22}
	for x := box.Min.X - height + distance; x < box.Max.X; x += distance {
		c.StrokeLines(style, clip.ClipLinesXY([]vg.Point{{X: x, Y: box.Min.Y}, {X: x + height, Y: box.Max.Y}})...)
	}
}

// DataRange returns what the rectangles cover.
func (r rects) DataRange() (x0, x1, y0, y1 float64) {
	x0, x1, y0, y1 = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, b := range r {
		x0, x1 = min(x0, b.x0, b.x1), max(x1, b.x0, b.x1)
		y0, y1 = min(y0, b.y0, b.y1), max(y1, b.y0, b.y1)
	}
	return x0, x1, y0, y1
}

// label is text at a place in data coordinates, moved by an offset.
type label struct {
	x, y   float64
	text   string
	style  draw.TextStyle
	offset vg.Point
}

// labels plots text and asks for room at the edges for it.
type labels []label

// Plot draws the text.
func (l labels) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, t := range l {
		c.FillText(t.style, vg.Point{X: x(t.x), Y: y(t.y)}.Add(t.offset), t.text)
	}
}

// GlyphBoxes returns where the text is, so that none is cut off.
func (l labels) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	boxes := make([]plot.GlyphBox, len(l))
	for i, t := range l {
		r := t.style.Rectangle(t.text).Add(t.offset)
		r.Max.X += width(t.style, t.text) - t.style.Width(t.text)
		boxes[i] = plot.GlyphBox{X: p.X.Norm(t.x), Y: p.Y.Norm(t.y), Rectangle: r}
	}
	return boxes
}

// rulers draws grid lines at the labelled ticks.
type rulers struct {
	style            draw.LineStyle
	across, vertical bool // at the ticks of y, of x
}

// across are lines at the ticks of y, and grid also those at the ticks of x.
func (t theme) across() plot.Plotter { return rulers{style: t.line(0.6, rule), across: true} }

func (t theme) grid() plot.Plotter {
	return rulers{style: t.line(0.6, rule), across: true, vertical: true}
}

// Plot draws the lines.
func (g rulers) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	if g.across {
		for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
			c.StrokeLine2(g.style, c.Min.X, y(t.Value), c.Max.X, y(t.Value))
		}
	}
	if g.vertical {
		for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
			c.StrokeLine2(g.style, x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
		}
	}
}
