package chart

import (
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
}

// ErrNoProvenance is wrapped by the error of [ReadProvenance] for an SVG that
// is well formed but was not made by this package.
var ErrNoProvenance = errors.New("no provenance in this SVG")

// namespace of the metadata element.
const namespace = "https://github.com/knowledge-neurons/gonb-kn/plots"

// maxProvenance bounds what ReadProvenance reads.
const maxProvenance = 64 << 20

// json writes the provenance in ASCII, so that it fits into any format.
func (p Provenance) json() (string, error) {
	data, err := json.Marshal(p)
	if err != nil {
		return "", fmt.Errorf("plots: the provenance of the %s cannot be written as JSON: %w", p.Chart, err)
	}
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
	return ascii.String(), nil
}

// ReadProvenance reads back what a figure saved as SVG carries.
func ReadProvenance(svg io.Reader) (*Provenance, error) {
	decoder := xml.NewDecoder(io.LimitReader(svg, maxProvenance))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("plots: %w; only figures that this package saved have it", ErrNoProvenance)
		}
		if err != nil {
			return nil, fmt.Errorf("plots: this is not an SVG: %w", err)
		}
		start, ok := token.(xml.StartElement)
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
