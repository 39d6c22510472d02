package chart

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Stack puts the panels below one another, their data between the same left
// and right edges.
func (f *Draft) Stack() {
	f.Layout = func(c draw.Canvas) []draw.Canvas {
		n, gap := vg.Length(len(f.Panels)), f.Theme.Pt(6)
		height := (c.Max.Y - c.Min.Y - gap*(n-1)) / n
		canvases := make([]draw.Canvas, len(f.Panels))
		left := c.Min.X
		for i := range f.Panels {
			canvases[i] = c
			canvases[i].Max.Y = c.Max.Y - vg.Length(i)*(height+gap)
			canvases[i].Min.Y = canvases[i].Max.Y - height
			left = max(left, f.Panels[i].DataCanvas(canvases[i]).Min.X)
		}
		for i, p := range f.Panels {
			canvases[i].Min.X += left - p.DataCanvas(canvases[i]).Min.X
		}
		return canvases
	}
}

// SideBySide lays n panels out next to each other.
func SideBySide(n int) func(c draw.Canvas) []draw.Canvas {
	return func(c draw.Canvas) []draw.Canvas {
		gap := (c.Max.X - c.Min.X) * 0.03
		wide := (c.Max.X - c.Min.X - gap*vg.Length(n-1)) / vg.Length(n)
		all := make([]draw.Canvas, n)
		for i := range all {
			all[i] = c
			all[i].Min.X = c.Min.X + vg.Length(i)*(wide+gap)
			all[i].Max.X = all[i].Min.X + wide
		}
		return all
	}
}
