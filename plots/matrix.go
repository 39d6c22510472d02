package plots

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// cell is one of a matrix, a unit wide and high around its place.
type cell struct {
	x, y float64
	fill color.NRGBA
	text string
}

// addCells draws a matrix in the first panel, with the cells' text if written.
func (f *Draft) addCells(cells []cell, written bool) {
	var boxes rects
	var texts labels
	for _, c := range cells {
		boxes = append(boxes, rect{x0: c.x - 0.5, x1: c.x + 0.5, y0: c.y - 0.5, y1: c.y + 0.5, fill: c.fill, outline: f.theme.line(0.5, white)})
		style := f.theme.style(smallSize, on(c.fill))
		style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
		texts = append(texts, label{c.x, c.y, c.text, style, vg.Point{Y: style.Font.Size * 0.08}})
	}
	p := f.panels[0]
	p.Add(boxes)
	if written {
		p.Add(texts)
	}
	p.X.Padding, p.Y.Padding = 0, 0
}

// bareAxes labels a matrix's columns and rows without lines.
func (f *Draft) bareAxes(columns, rows []plot.Tick) {
	p := f.panels[0]
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(columns), plot.ConstantTicks(rows)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Tick.Length, axis.Width = 0, 0
	}
	p.X.Tick.Width, p.Y.Tick.Width = 0, 0
	p.Y.Tick.Label.Color = ink
}
