package chart

import (
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Rect is a filled rectangle in data coordinates: bars, cells of a matrix.
type Rect struct {
	X0, Y0, X1, Y1 float64
	Fill           color.NRGBA
	outline        draw.LineStyle
	Hatch          bool // white stripes, for print in grey
}

// Rects plots rectangles.
type Rects []Rect

// Plot draws the rectangles.
func (r Rects) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, b := range r {
		box := []vg.Point{
			{X: x(b.X0), Y: y(b.Y0)},
			{X: x(b.X1), Y: y(b.Y0)},
			{X: x(b.X1), Y: y(b.Y1)},
			{X: x(b.X0), Y: y(b.Y1)},
		}
		c.FillPolygon(b.Fill, box)
		if b.Hatch {
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
	style := draw.LineStyle{Color: White, Width: distance * 0.22}
	for x := box.Min.X - height + distance; x < box.Max.X; x += distance {
		c.StrokeLines(style, clip.ClipLinesXY([]vg.Point{{X: x, Y: box.Min.Y}, {X: x + height, Y: box.Max.Y}})...)
	}
}

// DataRange returns what the rectangles cover.
func (r Rects) DataRange() (x0, x1, y0, y1 float64) {
	x0, x1, y0, y1 = math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
	for _, b := range r {
		x0, x1 = min(x0, b.X0, b.X1), max(x1, b.X0, b.X1)
		y0, y1 = min(y0, b.Y0, b.Y1), max(y1, b.Y0, b.Y1)
	}
	return x0, x1, y0, y1
}

// Label is text at a place in data coordinates, moved by an offset.
type Label struct {
	X, Y   float64
	Text   string
	Style  draw.TextStyle
	Offset vg.Point
}

// Labels plots text and asks for room at the edges for it.
type Labels []Label

// Plot draws the text.
func (l Labels) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	for _, t := range l {
		c.FillText(t.Style, vg.Point{X: x(t.X), Y: y(t.Y)}.Add(t.Offset), t.Text)
	}
}

// GlyphBoxes returns where the text is, so that none is cut off.
func (l Labels) GlyphBoxes(p *plot.Plot) []plot.GlyphBox {
	boxes := make([]plot.GlyphBox, len(l))
	for i, t := range l {
		r := t.Style.Rectangle(t.Text).Add(t.Offset)
		r.Max.X += Width(t.Style, t.Text) - t.Style.Width(t.Text)
		boxes[i] = plot.GlyphBox{X: p.X.Norm(t.X), Y: p.Y.Norm(t.Y), Rectangle: r}
	}
	return boxes
}

// Rulers draws grid lines at the labelled ticks.
type Rulers struct {
	Style            draw.LineStyle
	across, Vertical bool // at the ticks of y, of x
}

// Across are grid lines at the ticks of y.
func (t Theme) Across() plot.Plotter { return Rulers{Style: t.Line(0.6, Rule), across: true} }

// Grid is grid lines at the ticks of both axes.
func (t Theme) Grid() plot.Plotter {
	return Rulers{Style: t.Line(0.6, Rule), across: true, Vertical: true}
}

// Plot draws the lines.
func (g Rulers) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	if g.across {
		for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
			c.StrokeLine2(g.Style, c.Min.X, y(t.Value), c.Max.X, y(t.Value))
		}
	}
	if g.Vertical {
		for _, t := range p.X.Tick.Marker.Ticks(p.X.Min, p.X.Max) {
			c.StrokeLine2(g.Style, x(t.Value), c.Min.Y, x(t.Value), c.Max.Y)
		}
	}
}
