package chart

import (
	"bufio"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// Provenance is what a figure's file says about where the figure comes from.
type Provenance struct {
	Chart   string          `json:"chart"` // kind of chart, such as "factor curves"
	Title   string          `json:"title"`
	Results []kn.Provenance `json:"results"` // of each result drawn
	// Drawn are the results themselves with the chart's options, in an SVG of a
	// chart of one fact, or of a few: package verify computes them again. PNG and
	// PDF do without.
	Drawn json.RawMessage `json:"drawn,omitempty"`
}

// ErrNoProvenance is wrapped by the error of [ReadProvenance] for an SVG that
// is well formed but was not made by this package.
var ErrNoProvenance = errors.New("no provenance in this SVG")

// namespace of the metadata element.
const namespace = "https://github.com/knowledge-neurons/gonb-kn/plots"

// What ReadProvenance reads at most, in bytes and in elements within one
// another: the provenance stands at the beginning.
const maxProvenance, maxDepth = 16 << 20, 100

// json writes the provenance in ASCII, so that it fits into any format.
func (p Provenance) json() (string, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("plots: the provenance of the %s cannot be written as JSON: %w", p.Chart, err)
	}
	return inASCII(data), nil
}

// inASCII writes the other characters of a JSON text as \uXXXX.
func inASCII(data []byte) string {
	var ascii strings.Builder
	for _, r := range string(data) {
		if r < 0x7F {
			ascii.WriteRune(r)
			continue
		}
		for _, unit := range utf16.Encode([]rune{r}) {
			fmt.Fprintf(&ascii, `\u%04x`, unit)
		}
	}
	return ascii.String()
}

// brief is the provenance without what was drawn.
func (p Provenance) brief() Provenance {
	p.Drawn = nil
	return p
}

// ReadProvenance reads back what a figure saved as SVG carries.
func ReadProvenance(svg io.Reader) (*Provenance, error) {
	begins := bufio.NewReader(io.LimitReader(svg, maxProvenance))
	head, _ := begins.Peek(8) // an error comes again
	for kind, magic := range map[string]string{"PNG": "\x89PNG", "PDF": "%PDF"} {
		if strings.HasPrefix(string(head), magic) {
			return nil, fmt.Errorf("plots: %w that can be read: this is a %s; give the figure as SVG", ErrNoProvenance, kind)
		}
	}
	decoder := xml.NewDecoder(begins)
	for depth := 0; ; {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("plots: %w; only figures that this package saved have it", ErrNoProvenance)
		}
		if err != nil {
			return nil, fmt.Errorf("plots: this is not an SVG: %w", err)
		}
		if _, ends := token.(xml.EndElement); ends {
			depth--
		}
		start, ok := token.(xml.StartElement)
		if ok {
			depth++
		}
		if depth > maxDepth {
			return nil, fmt.Errorf("plots: this is no figure: it has more than %d elements within one another", maxDepth)
		}
		if !ok || start.Name != (xml.Name{Space: namespace, Local: "provenance"}) {
			continue
		}
		var text string
		if err := decoder.DecodeElement(&text, &start); err != nil {
			return nil, fmt.Errorf("plots: the provenance is cut off or damaged: %w", err)
		}
		p := new(Provenance)
		if err := json.Unmarshal([]byte(text), p); err != nil {
			return nil, fmt.Errorf("plots: the provenance is damaged: %w", err)
		}
		return p, nil
	}
}
