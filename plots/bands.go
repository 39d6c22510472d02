package plots

import (
	"cmp"
	"fmt"
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// bandedLine is a line with its points, and a band around it if it has one.
type bandedLine struct {
	label     string
	x, y      []float64
	low, high []float64    // none: no band
	series    int          // decides colour, dashes and mark
	wash      float64      // opacity of the band
	color     *color.NRGBA // nil: the series'
	bare      bool         // no marks at the points
	faint     bool         // thin, without dashes, marks and legend: one of many
}

// addLines adds the bands below, the lines above, in this order, and their
// legend from the last on.
func (f *Draft) addLines(p *plot.Plot, lines []bandedLine) error {
	first := len(f.legend)
	bands := make([]*plotter.Polygon, len(lines))
	for i, l := range lines {
		if len(l.low) == 0 || len(l.x) == 0 {
			continue
		}
		band, err := plotter.NewPolygon(outline(l))
		if err != nil {
			return fmt.Errorf("plots: band of the %s: %w", l.label, err)
		}
		band.Color = wash(f.color(l.series), l.wash)
		band.LineStyle.Width = 0
		bands[i] = band
		p.Add(band)
	}
	for i, l := range lines {
		if len(l.x) == 0 {
			continue
		}
		line, points, err := plotter.NewLinePoints(sorted(l.x, l.y))
		if err != nil {
			return fmt.Errorf("plots: %s: %w", l.label, err)
		}
		color := f.color(l.series)
		if l.color != nil {
			color = *l.color
		}
		line.LineStyle = f.theme.line(1.6, color)
		if l.faint {
			line.Width = f.theme.pt(0.5)
			p.Add(line)
			continue
		}
		line.Dashes = dashes(l.series, line.Width)
		points.GlyphStyle = draw.GlyphStyle{Color: color, Radius: f.theme.pt(2.4), Shape: glyphs[l.series%len(glyphs)]}
		p.Add(line)
		thumbs := []plot.Thumbnailer{line}
		if !l.bare {
			p.Add(points)
			thumbs = append(thumbs, points)
		}
		if bands[i] != nil {
			thumbs = append([]plot.Thumbnailer{bands[i]}, thumbs...)
		}
		f.addLegend(l.label, thumbs...)
	}
	slices.Reverse(f.legend[first:])
	return nil
}

// outline is the polygon around a line's band.
func outline(l bandedLine) plotter.XYs {
	low, high := sorted(l.x, l.low), sorted(l.x, l.high)
	slices.Reverse(high)
	return append(low, high...)
}

// sorted pairs xs with ys, ordered by x.
func sorted(xs, ys []float64) plotter.XYs {
	pairs := make(plotter.XYs, len(xs))
	for i := range xs {
		pairs[i] = plotter.XY{X: xs[i], Y: ys[i]}
	}
	slices.SortStableFunc(pairs, func(a, b plotter.XY) int { return cmp.Compare(a.X, b.X) })
	return pairs
}
