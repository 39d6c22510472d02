package landscapeplots

import (
	"image"
	"math"
	"sort"

	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// field is a function on a grid; within a rectangle, it is linear on each of the
// four triangles that meet in its middle.
type field struct {
	x, y []float64   // rising
	z    [][]float64 // [x][y]
}

// place finds the interval of a rising axis that v lies in, and where in it, from 0 to 1.
func place(axis []float64, v float64) (i int, t float64) {
	i = max(0, min(sort.SearchFloat64s(axis, v)-1, len(axis)-2))
	return i, max(0, min(1, (v-axis[i])/(axis[i+1]-axis[i])))
}

// at interpolates; outside of the grid it keeps the value at the edge.
func (f field) at(x, y float64) float64 {
	i, s := place(f.x, x)
	j, t := place(f.y, y)
	z := [4]float64{f.z[i][j], f.z[i+1][j], f.z[i+1][j+1], f.z[i][j+1]} // round the rectangle
	middle := (z[0] + z[1] + z[2] + z[3]) / 4
	dx, dy := 2*s-1, 2*t-1 // from the middle, -1 to 1
	d := max(math.Abs(dx), math.Abs(dy))
	if d == 0 {
		return middle
	}
	// The ray from the middle meets a side at share e of its length.
	var from, to, e float64
	switch {
	case d == -dx:
		from, to, e = z[0], z[3], dy/d
	case d == dx:
		from, to, e = z[1], z[2], dy/d
	case d == -dy:
		from, to, e = z[0], z[1], dx/d
	default:
		from, to, e = z[3], z[2], dx/d
	}
	return (1-d)*middle + d*(from+(to-from)*(e+1)/2)
}

// contours plots a field as bands of colour with lines between them.
type contours struct {
	field
	bar    chart.ColorBar // its bands are those of the field
	border draw.LineStyle
	line   draw.LineStyle
}

// contourPixels is how finely bands are drawn.
const contourPixels = 420

// Plot draws the bands, then the lines.
func (k contours) Plot(c draw.Canvas, p *plot.Plot) {
	img := image.NewNRGBA(image.Rect(0, 0, contourPixels, contourPixels))
	width, height := p.X.Max-p.X.Min, p.Y.Max-p.Y.Min
	for row := range contourPixels {
		y := p.Y.Max - height*(float64(row)+0.5)/contourPixels
		for column := range contourPixels {
			x := p.X.Min + width*(float64(column)+0.5)/contourPixels
			img.SetNRGBA(column, row, k.bar.Color(k.at(x, y)))
		}
	}
	c.DrawImage(c.Rectangle, img)
	toX, toY := p.Transforms(&c)
	for _, level := range k.bar.Edges() {
		var path vg.Path
		for _, s := range k.segments(level) {
			path.Move(vg.Point{X: toX(s[0].x), Y: toY(s[0].y)})
			path.Line(vg.Point{X: toX(s[1].x), Y: toY(s[1].y)})
		}
		if len(path) > 0 {
			c.SetLineStyle(k.line)
			c.Stroke(path)
		}
	}
	c.StrokeLines(k.border, chart.Corners(c.Rectangle))
}

type spot struct{ x, y float64 }

// segments are the pieces of the field's contour line at a level: marching
// triangles, four of which meet in the middle of each rectangle.
func (f field) segments(level float64) (all [][2]spot) {
	type corner struct {
		spot
		z float64
	}
	for i := range len(f.x) - 1 {
		for j := range len(f.y) - 1 {
			round := [4]corner{
				{spot{f.x[i], f.y[j]}, f.z[i][j]},
				{spot{f.x[i+1], f.y[j]}, f.z[i+1][j]},
				{spot{f.x[i+1], f.y[j+1]}, f.z[i+1][j+1]},
				{spot{f.x[i], f.y[j+1]}, f.z[i][j+1]},
			}
			middle := corner{spot{(f.x[i] + f.x[i+1]) / 2, (f.y[j] + f.y[j+1]) / 2}, (round[0].z + round[1].z + round[2].z + round[3].z) / 4}
			for k, a := range round {
				var cut []spot
				b := round[(k+1)%4]
				for _, e := range [3][2]corner{{a, b}, {b, middle}, {middle, a}} {
					if (e[0].z > level) != (e[1].z > level) {
						t := (level - e[0].z) / (e[1].z - e[0].z)
						cut = append(cut, spot{e[0].x + t*(e[1].x-e[0].x), e[0].y + t*(e[1].y-e[0].y)})
					}
				}
				if len(cut) == 2 {
					all = append(all, [2]spot{cut[0], cut[1]})
				}
			}
		}
	}
	return all
}

// bands rounds the ends of a scale outward, so that it has about n bands with
// round values between them.
func bands(low, high float64, n int) (from, to float64, count int) {
	step := chart.NiceStep((high - low) / float64(n))
	from, to = step*math.Floor(low/step+1e-9), step*math.Ceil(high/step-1e-9)
	return from, to, max(1, int(math.Round((to-from)/step)))
}

// glyphAt plots one mark, with white around it, where it is inside of the plot.
type glyphAt struct {
	spot
	style draw.GlyphStyle
}

// Plot draws the mark.
func (g glyphAt) Plot(c draw.Canvas, p *plot.Plot) {
	x, y := p.Transforms(&c)
	at := vg.Point{X: x(g.x), Y: y(g.y)}
	if !c.Contains(at) {
		return
	}
	g.draw(c, at)
}

func (g glyphAt) draw(c draw.Canvas, at vg.Point) {
	halo := g.style
	halo.Color, halo.Radius = chart.White, g.style.Radius*1.45
	c.DrawGlyphNoClip(halo, at)
	c.DrawGlyphNoClip(g.style, at)
}

// Thumbnail draws the mark in the middle of the canvas.
func (g glyphAt) Thumbnail(c *draw.Canvas) { g.draw(*c, c.Center()) }
