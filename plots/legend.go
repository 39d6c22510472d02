package plots

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// legendEntry is a label with one or several thumbnails on one another.
type legendEntry struct {
	label  string
	thumbs []plot.Thumbnailer
}

func (f *Draft) addLegend(label string, thumbs ...plot.Thumbnailer) {
	f.legend = append(f.legend, legendEntry{clean(label), thumbs})
}

// drawLegend sets the entries in rows above the data, which they can
// therefore never cover, and returns the height it took.
func (f *Draft) drawLegend(c draw.Canvas) vg.Length {
	if len(f.legend) == 0 {
		return 0
	}
	t := f.theme
	style := t.style(smallSize, ink)
	style.YAlign = draw.YCenter
	icon, gap, row := t.pt(22), t.pt(4), style.Font.Size*1.45
	x, y := c.Min.X, c.Max.Y-row/2
	for _, e := range f.legend {
		label := fit(style, e.label, c.Max.X-c.Min.X-icon-gap)
		need := icon + gap + width(style, label)
		if x > c.Min.X && x+need > c.Max.X {
			x, y = c.Min.X, y-row
		}
		box := c
		box.Rectangle = vg.Rectangle{
			Min: vg.Point{X: x, Y: y - style.Font.Size*0.4},
			Max: vg.Point{X: x + icon, Y: y + style.Font.Size*0.4},
		}
		for _, thumb := range e.thumbs {
			thumb.Thumbnail(&box)
		}
		c.FillText(style, vg.Point{X: x + icon + gap, Y: y + style.Font.Size*0.12}, label)
		x += need + t.pt(12)
	}
	return c.Max.Y - y + row/2 + t.pt(4)
}

// swatch is a thumbnail for filled areas.
type swatch struct {
	fill  color.NRGBA
	hatch bool
}

// Thumbnail fills a rectangle in the middle of the canvas.
func (s swatch) Thumbnail(c *draw.Canvas) {
	middle, half := (c.Min.X+c.Max.X)/2, (c.Max.Y-c.Min.Y)*1.2
	box := c.Rectangle
	box.Min.X, box.Max.X = middle-half, middle+half
	c.FillPolygon(s.fill, corners(box))
	if s.hatch {
		stripe(c, box, (c.Max.Y-c.Min.Y)*0.45)
	}
}
