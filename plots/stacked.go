package plots

import (
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// stack puts the panels below one another, their data between the same left
// and right edges.
func (f *Draft) stack() {
	f.layout = func(c draw.Canvas) []draw.Canvas {
		n, gap := vg.Length(len(f.panels)), f.theme.pt(6)
		height := (c.Max.Y - c.Min.Y - gap*(n-1)) / n
		canvases := make([]draw.Canvas, len(f.panels))
		left := c.Min.X
		for i := range f.panels {
			canvases[i] = c
			canvases[i].Max.Y = c.Max.Y - vg.Length(i)*(height+gap)
			canvases[i].Min.Y = canvases[i].Max.Y - height
			left = max(left, f.panels[i].DataCanvas(canvases[i]).Min.X)
		}
		for i, p := range f.panels {
			canvases[i].Min.X += left - p.DataCanvas(canvases[i]).Min.X
		}
		return canvases
	}
}

// sideBySide lays n panels out next to each other.
func sideBySide(n int) func(c draw.Canvas) []draw.Canvas {
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
