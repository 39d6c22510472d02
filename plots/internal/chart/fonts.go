package chart

import (
	"bytes"

	"codeberg.org/go-fonts/liberation/liberationsansbold"
	"codeberg.org/go-fonts/liberation/liberationsansregular"
	stdfont "golang.org/x/image/font"
	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// typeface is the one that all text is set in.
var typeface = font.Font{Typeface: "Liberation", Variant: "Sans"}

// letters sets text in Liberation Sans without its kerning, which pulls the
// ones of 11 into each other and closes the space after an A: "SVCCAdistance".
var letters = func() text.Handler {
	bold := typeface
	bold.Weight = stdfont.WeightBold
	return text.Plain{Fonts: font.NewCache(font.Collection{
		{Font: typeface, Face: unkerned(liberationsansregular.TTF)},
		{Font: bold, Face: unkerned(liberationsansbold.TTF)},
	})}
}()

// unkerned parses a font without its tables of kerning: their names in the
// directory of tables become ones that nobody knows, and that keep their order.
func unkerned(ttf []byte) *opentype.Font {
	ttf = bytes.Clone(ttf)
	const header, entry = 12, 16
	tables := int(ttf[4])<<8 | int(ttf[5])
	for i := range tables {
		switch tag := ttf[header+i*entry:][:4]; string(tag) {
		case "kern":
			copy(tag, "kerm")
		case "GPOS":
			copy(tag, "GPOR")
		}
	}
	return kn.Must(opentype.Parse(ttf)) // it is part of the program
}
