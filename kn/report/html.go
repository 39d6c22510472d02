package report

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
)

//go:embed report.html
var page string

var pageTemplate = template.Must(template.New("page").Funcs(template.FuncMap{"anchor": anchor, "next": func(i int) int { return i + 1 }}).Parse(page))

// html is the report as one page. drawn has the SVG of each figure.
func (r *Report) html(drawn map[string][]byte) ([]byte, error) {
	charts := map[string]template.HTML{}
	for id, svg := range drawn {
		charts[id] = inline(svg)
	}
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, struct {
		*Report
		Charts map[string]template.HTML
	}{r, charts})
	if err != nil {
		return nil, fmt.Errorf("report: %w", err)
	}
	return b.Bytes(), nil
}

// inline makes an SVG document a part of a page: no XML declaration, and as
// wide as its place.
func inline(svg []byte) template.HTML {
	svg = svg[max(0, bytes.Index(svg, []byte("<svg"))):]
	return template.HTML(bytes.Replace(svg, []byte("<svg "), []byte(`<svg class="chart" `), 1)) // the drawing escapes its texts
}

// What the template asks for: it cannot tell types apart.

// Kind names the kind of block.
func (Paragraph) Kind() string { return "paragraph" }

// Kind names the kind of block.
func (*Table) Kind() string { return "table" }

// Kind names the kind of block.
func (*figure) Kind() string { return "figure" }

// Kind names the kind of block.
func (Claims) Kind() string { return "claims" }

// Kind names the kind of block.
func (pairs) Kind() string { return "pairs" }

// Class is the span's class on the page.
func (s style) Class() string { return [...]string{"", "faint", "code"}[s] }

// Class is the verdict's class on the page.
func (v Verdict) Class() string {
	return map[Verdict]string{Holds: "holds", Fails: "fails", Unknown: "unknown", Differs: "unknown"}[v]
}
