package chart

import (
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// ThickRing is a circle's outline of a given width, on white.
type ThickRing struct{ Width vg.Length }

// DrawGlyph implements gonum's GlyphDrawer.
func (r ThickRing) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	c.SetLineStyle(draw.LineStyle{Color: style.Color, Width: r.Width})
	var path vg.Path
	path.Move(vg.Point{X: at.X + style.Radius, Y: at.Y})
	path.Arc(at, style.Radius, 0, 2*math.Pi)
	path.Close()
	c.Stroke(path)
}

// Upright is a vertical line at x over the height of the plot.
type Upright struct {
	X     float64
	Style draw.LineStyle
}

// Plot draws the line if x is in range.
func (u Upright) Plot(c draw.Canvas, p *plot.Plot) {
	x, _ := p.Transforms(&c)
	if at := x(u.X); c.ContainsX(at) {
		c.StrokeLine2(u.Style, at, c.Min.Y, at, c.Max.Y)
	}
}

// Clipped draws a line only where it is inside of the plot, and does not
// widen the axes for it.
type Clipped struct{ Line *plotter.Line }

// Plot draws the line's part inside.
func (l Clipped) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	var points []vg.Point
	for _, q := range l.Line.XYs {
		points = append(points, vg.Point{X: x(q.X), Y: y(q.Y)})
	}
	c.StrokeLines(l.Line.LineStyle, c.ClipLinesXY(points)...)
}

// PlotFunc plots with a function that gets the transforms from data to canvas.
type PlotFunc func(c draw.Canvas, x, y func(float64) vg.Length)

// Plot calls the function.
func (f PlotFunc) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	f(c, x, y)
}
