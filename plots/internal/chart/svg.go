package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"strings"

	"gonum.org/v1/plot/vg/vgsvg"
)

// families lists fonts with Liberation Sans's metrics, for readers that do
// not have it installed.
const families = "font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"

// SVG returns the figure as an SVG document with title, description and
// provenance.
func (f *Figure) SVG() ([]byte, error) {
	canvas := vgsvg.New(f.d.Options.Size.Width, f.d.Options.Size.Height)
	if err := f.d.Draw(canvas); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	if _, err := canvas.WriteTo(&b); err != nil {
		return nil, fmt.Errorf("plots: cannot write the %s as SVG: %w", f.d.chart, err)
	}
	svg := bytes.ReplaceAll(b.Bytes(), []byte("font-family:Liberation Sans;"), []byte(families))
	svg = bytes.ReplaceAll(svg, []byte(`"data:image/jpg;`), []byte(`"data:image/png;`)) // which it is
	// An image fills the rectangle given for it, as in PNG and PDF; readers
	// would otherwise keep its pixels square.
	svg = bytes.ReplaceAll(svg, []byte("<image "), []byte(`<image preserveAspectRatio="none" `))
	return f.describe(svg)
}

// describe puts title, description and metadata first in the SVG.
func (f *Figure) describe(svg []byte) ([]byte, error) {
	provenance, err := f.Provenance().json()
	if err != nil {
		return nil, err
	}
	start := bytes.Index(svg, []byte("<svg"))
	if start < 0 {
		return nil, errors.New("plots: gonum/plot wrote no svg element")
	}
	end := start + bytes.IndexByte(svg[start:], '>')
	var b bytes.Buffer
	b.WriteString("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n")
	b.Write(svg[start:end])
	b.WriteString(" role=\"img\">\n<title>" + escape(f.d.Title) + "</title>\n")
	b.WriteString("<desc>" + escape(f.d.Description) + "</desc>\n")
	b.WriteString("<metadata><kn:provenance xmlns:kn=\"" + namespace + "\">")
	b.WriteString(strings.ReplaceAll(escape(provenance), "&#34;", `"`)) // in a text quotes are only quotes
	b.WriteString("</kn:provenance></metadata>\n")
	b.Write(bytes.TrimLeft(svg[end+1:], "\n"))
	return b.Bytes(), nil
}

// Inline makes an SVG document a part of a page: no XML declaration, and no
// wider than the page. Programs other than browsers do not take that style.
func Inline(svg []byte) []byte {
	svg = svg[max(0, bytes.Index(svg, []byte("<svg"))):]
	return bytes.Replace(svg, []byte("<svg "), []byte("<svg style=\"max-width:100%;height:auto\" "), 1)
}

func escape(s string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(s)) // a bytes.Buffer takes everything
	return b.String()
}
