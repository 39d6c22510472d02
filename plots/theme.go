package plots

import (
	"image/color"

	stdfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// theme derives all lengths from the size of the text.
type theme struct {
	text vg.Length
}

func (t theme) pt(points float64) vg.Length { return t.text * vg.Length(points) / 10 }

// The ranks of text, relative to the text at the axes.
const (
	titleSize  = 1.2
	normalSize = 1.0
	smallSize  = 0.9
)

func (t theme) style(size vg.Length, c color.Color) draw.TextStyle {
	return draw.TextStyle{
		Color:   c,
		Font:    font.From(typeface, t.text*size),
		XAlign:  text.XLeft,
		YAlign:  text.YTop,
		Handler: letters,
	}
}

func (t theme) bold(size vg.Length, c color.Color) draw.TextStyle {
	s := t.style(size, c)
	s.Font.Weight = stdfont.WeightBold
	return s
}

func (t theme) line(points float64, c color.Color) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: t.pt(points)}
}

// plot returns an empty plot in the theme's style.
func (t theme) plot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.LineStyle = t.line(0.8, faint)
		axis.Padding = t.pt(2)
		axis.Label.TextStyle = t.aligned(t.style(normalSize, ink), axis.Label.TextStyle)
		axis.Label.Padding = t.pt(2)
		axis.Tick.Label = t.aligned(t.style(smallSize, ink), axis.Tick.Label)
		axis.Tick.LineStyle = t.line(0.8, faint)
		axis.Tick.Length = t.pt(3)
		axis.Tick.Marker = niceTicks{}
	}
	return p
}

// aligned returns a style with the alignment of another.
func (t theme) aligned(style, like draw.TextStyle) draw.TextStyle {
	style.XAlign, style.YAlign = like.XAlign, like.YAlign
	return style
}
