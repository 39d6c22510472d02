package chart

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Line is a line with its points, and a band around it if it has one.
type Line struct {
	Label     string
	X, Y      []float64
	Low, High []float64    // none: no band
	Series    int          // decides colour, dashes and mark
	Wash      float64      // opacity of the band
	Color     *color.NRGBA // nil: the series'
	Bare      bool         // no marks at the points
	Faint     bool         // thin, without dashes, marks and legend: one of many
}

// Add appends a point: middle, low and high.
func (l *Line) Add(x float64, v [3]float64) {
	l.X, l.Y = append(l.X, x), append(l.Y, v[0])
	l.Low, l.High = append(l.Low, v[1]), append(l.High, v[2])
}

// AddLines adds the bands below, the lines above, in this order, and their
// legend from the last on.
func (f *Draft) AddLines(p *plot.Plot, lines []Line) error {
	first := len(f.Legend)
	bands := make([]*plotter.Polygon, len(lines))
	for i, l := range lines {
		if len(l.Low) == 0 || len(l.X) == 0 {
			continue
		}
		band, err := plotter.NewPolygon(outline(l))
		if err != nil {
			return fmt.Errorf("plots: band of the %s: %w", l.Label, err)
		}
		band.Color = Wash(f.Color(l.Series), l.Wash)
		band.LineStyle.Width = 0
		bands[i] = band
		p.Add(band)
	}
	for i, l := range lines {
		if len(l.X) == 0 {
			continue
		}
		line, points, err := plotter.NewLinePoints(Sorted(l.X, l.Y))
		if err != nil {
			return fmt.Errorf("plots: %s: %w", l.Label, err)
		}
		color := f.Color(l.Series)
		if l.Color != nil {
			color = *l.Color
		}
		line.LineStyle = f.Theme.Line(1.6, color)
		if l.Faint {
			line.Width = f.Theme.Pt(0.5)
			p.Add(line)
			continue
		}
		line.Dashes = Dashes(l.Series, line.Width)
		points.GlyphStyle = draw.GlyphStyle{Color: color, Radius: f.Theme.Pt(2.4), Shape: Glyphs[l.Series%len(Glyphs)]}
		p.Add(line)
		thumbs := []plot.Thumbnailer{line}
		if !l.Bare {
			p.Add(points)
			thumbs = append(thumbs, points)
		}
		if bands[i] != nil {
			thumbs = append([]plot.Thumbnailer{bands[i]}, thumbs...)
		}
		f.AddLegend(l.Label, thumbs...)
	}
	slices.Reverse(f.Legend[first:])
	return nil
}

// outline is the polygon around a line's band.
func outline(l Line) plotter.XYs {
	low, high := Sorted(l.X, l.Low), Sorted(l.X, l.High)
	slices.Reverse(high)
	return append(low, high...)
}

// Sorted pairs xs with ys, ordered by x.
func Sorted(xs, ys []float64) plotter.XYs {
	pairs := make(plotter.XYs, len(xs))
	for i := range xs {
		pairs[i] = plotter.XY{X: xs[i], Y: ys[i]}
	}
	slices.SortStableFunc(pairs, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
	return pairs
}
