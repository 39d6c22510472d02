package plots

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// thickRing is a circle's outline of a given width, on white.
type thickRing struct{ width vg.Length }

// DrawGlyph implements gonum's GlyphDrawer.
func (r thickRing) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	c.SetLineStyle(draw.LineStyle{Color: style.Color, Width: r.width})
	var path vg.Path
	path.Move(vg.Point{X: at.X + style.Radius, Y: at.Y})
	path.Arc(at, style.Radius, 0, 2*math.Pi)
	path.Close()
	c.Stroke(path)
}

// upright is a vertical line at x over the height of the plot.
type upright struct {
	x     float64
	style draw.LineStyle
}

// Plot draws the line if x is in range.
func (u upright) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	if at := x(u.x); c.ContainsX(at) {
		c.StrokeLine2(u.style, at, c.Min.Y, at, c.Max.Y)
	}
}

// clipped draws a line only where it is inside of the plot, and does not
// widen the axes for it.
type clipped struct{ line *plotter.Line }

// Plot draws the line's part inside.
func (l clipped) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var points []vg.Point
	for _, q := range l.line.XYs {
		points = append(points, vg.Point{X: x(q.X), Y: y(q.Y)})
	}
	c.StrokeLines(l.line.LineStyle, c.ClipLinesXY(points)...)
}

// plotFunc plots with a function that gets the transforms from data to canvas.
type plotFunc func(c draw.Canvas, x, y func(float64) vg.Length)

// Plot calls the function.
func (f plotFunc) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	f(c, x, y)
}
