package chart

import (
	"image/color"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Cell is one of a matrix, a unit wide and high around its place.
type Cell struct {
	X, Y float64
	Fill color.NRGBA
	Text string
}

// AddCells draws a matrix in the first panel, with the cells' text if written.
func (f *Draft) AddCells(cells []Cell, written bool) {
	var boxes Rects
	var texts Labels
	for _, c := range cells {
		boxes = append(boxes, Rect{X0: c.X - 0.5, X1: c.X + 0.5, Y0: c.Y - 0.5, Y1: c.Y + 0.5, Fill: c.Fill, outline: f.Theme.Line(0.5, White)})
		style := f.Theme.Style(SmallSize, On(c.Fill))
		style.XAlign, style.YAlign = draw.XCenter, draw.YCenter
		texts = append(texts, Label{c.X, c.Y, c.Text, style, vg.Point{Y: style.Font.Size * 0.08}})
	}
	p := f.Panels[0]
	p.Add(boxes)
	if written {
		p.Add(texts)
	}
	p.X.Padding, p.Y.Padding = 0, 0
}

// BareAxes labels a matrix's columns and rows without lines.
func (f *Draft) BareAxes(columns, rows []plot.Tick) {
	p := f.Panels[0]
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.ConstantTicks(columns), plot.ConstantTicks(rows)
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.Tick.Length, axis.Width = 0, 0
	}
	p.X.Tick.Width, p.Y.Tick.Width = 0, 0
	p.Y.Tick.Label.Color = Ink
}
