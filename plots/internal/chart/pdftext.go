package chart

import (
	"fmt"
	"image"
	"image/color"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// outlined is a PDF canvas that draws text as the outlines of its letters.
// gonum's own can encode only code page 1252, and of Liberation's styles only
// the regular one; outlines do for every character that the font has.
type outlined struct {
	vg.CanvasSizer
	widths map[int]bool // of the images so far, in pixels
}

// DrawImage draws an image. The file has images in the order of their widths,
// and those of one width in any order, so one whose width has been is made of
// pixels several times as many: its picture is the same, and so are the bytes
// of the file from run to run.
func (c outlined) DrawImage(at vg.Rectangle, img image.Image) {
	times := 1
	for c.widths[times*img.Bounds().Dx()] {
		times++
	}
	c.widths[times*img.Bounds().Dx()] = true
	c.CanvasSizer.DrawImage(at, widened{img, times})
}

// widened is an image with each pixel several times side by side.
type widened struct {
	image.Image
	times int
}

// Bounds returns the image's size.
func (w widened) Bounds() image.Rectangle {
	b := w.Image.Bounds()
	return image.Rect(b.Min.X, b.Min.Y, b.Min.X+w.times*b.Dx(), b.Max.Y)
}

// At returns the color of a pixel.
func (w widened) At(x, y int) color.Color {
	left := w.Image.Bounds().Min.X
	return w.Image.At(left+(x-left)/w.times, y)
}

// FillString draws the outlines of a line of text.
func (c outlined) FillString(f font.Face, at vg.Point, s string) {
	if path := outlines(f, at, s); len(path) > 0 {
		c.Fill(path)
	}
}

// SetColor sets the color. gonum's canvas takes a translucent color's
// components multiplied by its opacity for its true ones.
func (c outlined) SetColor(clr color.Color) {
	if clr != nil {
		clr = unmultiplied{color.NRGBAModel.Convert(clr).(color.NRGBA)}
	}
	c.CanvasSizer.SetColor(clr)
}

type unmultiplied struct{ color.NRGBA }

// RGBA returns the components without multiplying them by the opacity.
func (u unmultiplied) RGBA() (r, g, b, a uint32) {
	return uint32(u.R) * 0x101, uint32(u.G) * 0x101, uint32(u.B) * 0x101, uint32(u.A) * 0x101
}

// boxed is a canvas of pixels that shows a box for each character that the font
// lacks, where gonum's shows nothing. All other text it draws as gonum does.
type boxed struct{ vg.CanvasSizer }

// FillString draws a line of text.
func (c boxed) FillString(f font.Face, at vg.Point, s string) {
	var buffer sfnt.Buffer
	for _, r := range s {
		if glyph, err := f.Face.GlyphIndex(&buffer, r); err != nil || glyph == 0 {
			c.Fill(outlines(f, at, s))
			return
		}
	}
	c.CanvasSizer.FillString(f, at, s)
}

// appendBox appends a box as wide as an em that stands on the baseline.
func appendBox(path vg.Path, at vg.Point, em vg.Length) vg.Path {
	for _, inset := range []vg.Length{0, em / 16} {
		low, high := vg.Point{X: at.X + em/10 + inset, Y: at.Y + inset}, vg.Point{X: at.X + em*9/10 - inset, Y: at.Y + em*3/4 - inset}
		corners := []vg.Point{low, {X: high.X, Y: low.Y}, high, {X: low.X, Y: high.Y}}
		if inset > 0 { // the hole goes round the other way
			slices.Reverse(corners)
		}
		path.Move(corners[0])
		for _, corner := range corners[1:] {
			path.Line(corner)
		}
		path.Close()
	}
	return path
}

// outlines returns the outlines of text that starts at a point of the
// baseline. A character that the font lacks becomes an empty box.
func outlines(f font.Face, at vg.Point, s string) vg.Path {
	const em = 2048 // units to the em in which the font was designed
	var (
		path   vg.Path
		buffer sfnt.Buffer
		x      fixed.Int26_6
		last   sfnt.GlyphIndex
	)
	scale := f.Font.Size / em
	for i, r := range []rune(s) {
		glyph, err := f.Face.GlyphIndex(&buffer, r)
		if err != nil {
			continue
		}
		if glyph == 0 {
			path = appendBox(path, vg.Point{X: at.X + scale*vg.Length(x)/64, Y: at.Y}, f.Font.Size)
			x, last = x+fixed.I(em), 0
			continue
		}
		if kern, err := f.Face.Kern(&buffer, last, glyph, fixed.I(em), 0); err == nil && i > 0 {
			x += kern
		}
		last = glyph
		segments, err := f.Face.LoadGlyph(&buffer, glyph, fixed.I(em), nil)
		if err != nil {
			continue
		}
		path = appendGlyph(path, segments, func(p fixed.Point26_6) vg.Point { // the font's y axis points down
			return vg.Point{X: at.X + scale*vg.Length(p.X+x)/64, Y: at.Y - scale*vg.Length(p.Y)/64}
		})
		if advance, err := f.Face.GlyphAdvance(&buffer, glyph, fixed.I(em), 0); err == nil {
			x += advance
		}
	}
	return path
}

func appendGlyph(path vg.Path, segments sfnt.Segments, place func(fixed.Point26_6) vg.Point) vg.Path {
	for i, s := range segments {
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			if i > 0 {
				path.Close()
			}
			path.Move(place(s.Args[0]))
		case sfnt.SegmentOpLineTo:
			path.Line(place(s.Args[0]))
		case sfnt.SegmentOpQuadTo:
			path.QuadTo(place(s.Args[0]), place(s.Args[1]))
		case sfnt.SegmentOpCubeTo:
			path.CubeTo(place(s.Args[0]), place(s.Args[1]), place(s.Args[2]))
		}
	}
	if len(segments) > 0 {
		path.Close()
	}
	return path
}

// pdfString writes a text string for a PDF's dictionary: ASCII as it is, else UTF-16.
func pdfString(s string) string {
	ascii := strings.IndexFunc(s, func(r rune) bool { return r >= unicode.MaxASCII }) < 0
	if ascii {
		return "(" + strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(s) + ")"
	}
	var b strings.Builder
	for _, unit := range utf16.Encode([]rune(s)) {
		fmt.Fprintf(&b, "%04X", unit)
	}
	return "<FEFF" + b.String() + ">"
}
