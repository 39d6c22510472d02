package chart

import (
	"image/color"

	stdfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Theme derives all lengths from the size of the text.
type Theme struct {
	Text vg.Length
}

// Pt is a length in points at text of 10.
func (t Theme) Pt(points float64) vg.Length { return t.Text * vg.Length(points) / 10 }

// The ranks of text, relative to the text at the axes.
const (
	titleSize  = 1.2
	NormalSize = 1.0
	SmallSize  = 0.9
)

// Style is that of text of a rank.
func (t Theme) Style(size vg.Length, c color.Color) draw.TextStyle {
	return draw.TextStyle{
		Color:   c,
		Font:    font.From(typeface, t.Text*size),
		XAlign:  text.XLeft,
		YAlign:  text.YTop,
		Handler: letters,
	}
}

// Bold is the same in bold letters.
func (t Theme) Bold(size vg.Length, c color.Color) draw.TextStyle {
	s := t.Style(size, c)
	s.Font.Weight = stdfont.WeightBold
	return s
}

// Line is the style of a line, its width in points at text of 10.
func (t Theme) Line(points float64, c color.Color) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: t.Pt(points)}
}

// Plot returns an empty plot in the theme's style.
func (t Theme) Plot(x, y string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil
	p.X.Label.Text, p.Y.Label.Text = x, y
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		axis.LineStyle = t.Line(0.8, Faint)
		axis.Padding = t.Pt(2)
		axis.Label.TextStyle = t.Aligned(t.Style(NormalSize, Ink), axis.Label.TextStyle)
		axis.Label.Padding = t.Pt(2)
		axis.Tick.Label = t.Aligned(t.Style(SmallSize, Ink), axis.Tick.Label)
		axis.Tick.LineStyle = t.Line(0.8, Faint)
		axis.Tick.Length = t.Pt(3)
		axis.Tick.Marker = NiceTicks{}
	}
	return p
}

// Aligned returns a style with the alignment of another.
func (t Theme) Aligned(style, like draw.TextStyle) draw.TextStyle {
	style.XAlign, style.YAlign = like.XAlign, like.YAlign
	return style
}
