package plots

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/unicode/norm"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
)

// westernCanvas draws text in the characters of code page 1252, the only ones
// that gonum's PDF canvas can encode.
type westernCanvas struct{ vg.CanvasSizer }

// FillString draws the string, with other characters replaced.
func (c westernCanvas) FillString(f font.Face, pt vg.Point, s string) {
	c.CanvasSizer.FillString(f, pt, western(s))
}

// western replaces what code page 1252 lacks: letters lose the accents that
// it does not have, other characters become question marks.
func western(s string) string {
	var b strings.Builder
	for _, r := range norm.NFC.String(s) {
		if _, ok := charmap.Windows1252.EncodeRune(r); ok {
			b.WriteRune(r)
			continue
		}
		base := []rune(norm.NFD.String(string(r)))[0]
		if _, ok := charmap.Windows1252.EncodeRune(base); ok {
			b.WriteRune(base)
		} else if !unicode.Is(unicode.Mn, r) {
			b.WriteByte('?')
		}
	}
	return b.String()
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
