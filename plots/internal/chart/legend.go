package chart

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// LegendEntry is a label with one or several thumbnails on one another.
type LegendEntry struct {
	Label  string
	Thumbs []plot.Thumbnailer
}

// AddLegend appends a label with its thumbnails, the first below the others.
func (f *Draft) AddLegend(label string, thumbs ...plot.Thumbnailer) {
	f.Legend = append(f.Legend, LegendEntry{Clean(label), thumbs})
}

// drawLegend sets the entries in rows above the data, which they can
// therefore never cover, and returns the height it took.
func (f *Draft) drawLegend(c draw.Canvas) vg.Length {
	if len(f.Legend) == 0 {
		return 0
	}
	t := f.Theme
	style := t.Style(SmallSize, Ink)
	style.YAlign = draw.YCenter
	icon, gap, row := t.Pt(22), t.Pt(4), style.Font.Size*1.45
	x, y := c.Min.X, c.Max.Y-row/2
	for _, e := range f.Legend {
		label := Fit(style, e.Label, c.Max.X-c.Min.X-icon-gap)
		need := icon + gap + Width(style, label)
		if x > c.Min.X && x+need > c.Max.X {
			x, y = c.Min.X, y-row
		}
		box := c
		box.Rectangle = vg.Rectangle{
			Min: vg.Point{X: x, Y: y - style.Font.Size*0.4},
			Max: vg.Point{X: x + icon, Y: y + style.Font.Size*0.4},
		}
		for _, thumb := range e.Thumbs {
			thumb.Thumbnail(&box)
		}
		c.FillText(style, vg.Point{X: x + icon + gap, Y: y + style.Font.Size*0.12}, label)
		x += need + t.Pt(12)
	}
	return c.Max.Y - y + row/2 + t.Pt(4)
}

// Swatch is a thumbnail for filled areas.
type Swatch struct {
	Fill  color.NRGBA
	Hatch bool
}

// Thumbnail fills a rectangle in the middle of the canvas.
func (s Swatch) Thumbnail(c *draw.Canvas) {
	middle, half := (c.Min.X+c.Max.X)/2, (c.Max.Y-c.Min.Y)*1.2
	box := c.Rectangle
	box.Min.X, box.Max.X = middle-half, middle+half
	c.FillPolygon(s.Fill, Corners(box))
	if s.Hatch {
		stripe(c, box, (c.Max.Y-c.Min.Y)*0.45)
	}
}
