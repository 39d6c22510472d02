package chart

import (
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Palette is the set of a figure's colours. A part that is empty stands for
// the default one.
type Palette struct {
	// Series colours lines, points and bars, in order; after the last it
	// starts again.
	Series []color.NRGBA `json:"series,omitempty"`
	// Sequential goes from the smallest value to the largest.
	Sequential []color.NRGBA `json:"sequential,omitempty"`
	// Diverging goes from the most negative value over 0, in the middle, to
	// the most positive.
	Diverging []color.NRGBA `json:"diverging,omitempty"`
}

// The default palettes.
var (
	// OkabeIto is the colours of Okabe and Ito, Color Universal Design
	// (2008), without their yellow, which is too pale for lines on white.
	OkabeIto = hex(0x0072B2, 0xD55E00, 0x009E73, 0xCC79A7, 0xE69F00, 0x56B4E9, 0x000000)
	// Blues goes from white to dark blue.
	Blues = hex(0xF7FBFF, 0xDEEBF7, 0xC6DBEF, 0x9ECAE1, 0x6BAED6, 0x4292C6, 0x2171B5, 0x08519C, 0x08306B)
	// BlueOrange is blue below zero, orange above it, and equally dark at both ends.
	BlueOrange = hex(0x08306B, 0x2171B5, 0x6BAED6, 0xC6DBEF, 0xFAFAFA, 0xFDD0A2, 0xFD8D3C, 0xD94801, 0x7F2704)
)

var (
	Ink   = color.NRGBA{0x22, 0x22, 0x22, 0xFF} // text and axes
	Faint = color.NRGBA{0x59, 0x59, 0x59, 0xFF} // text of lesser rank; 7:1 on white
	Rule  = color.NRGBA{0xE2, 0xE2, 0xE2, 0xFF} // grid lines
	Gray  = color.NRGBA{0x8A, 0x8A, 0x8A, 0xFF} // what is left over
	White = color.NRGBA{0xFF, 0xFF, 0xFF, 0xFF}
)

func hex(codes ...uint32) []color.NRGBA {
	colors := make([]color.NRGBA, len(codes))
	for i, c := range codes {
		colors[i] = color.NRGBA{uint8(c >> 16), uint8(c >> 8), uint8(c), 0xFF}
	}
	return colors
}

func (p Palette) filled() Palette {
	if len(p.Series) == 0 {
		p.Series = OkabeIto
	}
	if len(p.Sequential) == 0 {
		p.Sequential = Blues
	}
	if len(p.Diverging) == 0 {
		p.Diverging = BlueOrange
	}
	return p
}

func (p Palette) series(i int) color.NRGBA { return p.Series[i%len(p.Series)] }

// Shade interpolates a scale of colours at t in [0, 1].
func Shade(scale []color.NRGBA, t float64) color.NRGBA {
	x := math.Max(0, math.Min(1, t)) * float64(len(scale)-1)
	i := min(int(x), max(0, len(scale)-2))
	a, b := scale[i], scale[min(i+1, len(scale)-1)]
	mix := func(u, v uint8) uint8 {
		return uint8(math.Round(float64(u) + (float64(v)-float64(u))*(x-float64(i))))
	}
	return color.NRGBA{mix(a.R, b.R), mix(a.G, b.G), mix(a.B, b.B), mix(a.A, b.A)}
}

// On returns the colour of text that can be read on a background.
func On(background color.NRGBA) color.NRGBA {
	luma := 0.299*float64(background.R) + 0.587*float64(background.G) + 0.114*float64(background.B)
	if luma < 140 {
		return White
	}
	return Ink
}

// Wash returns the colour with the given opacity.
func Wash(c color.NRGBA, opacity float64) color.NRGBA {
	c.A = uint8(math.Round(255 * opacity))
	return c
}

// Glyphs and dashes tell series apart where colours do not.
var Glyphs = []draw.GlyphDrawer{
	draw.CircleGlyph{},
	draw.PyramidGlyph{},
	draw.BoxGlyph{},
	draw.CrossGlyph{},
	draw.RingGlyph{},
	draw.TriangleGlyph{},
	draw.SquareGlyph{},
	draw.PlusGlyph{},
}

// Dashes returns the i-th dash pattern for lines of the given width.
func Dashes(i int, width vg.Length) []vg.Length {
	switch i % 4 {
	case 1:
		return []vg.Length{4 * width, 2 * width}
	case 2:
		return []vg.Length{1.2 * width, 1.8 * width}
	case 3:
		return []vg.Length{5 * width, 2 * width, width, 2 * width}
	}
	return nil
}

// WebColor writes a colour for a page.
func WebColor(c color.NRGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }
