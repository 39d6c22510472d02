package chart

import (
	"encoding/json"

	"github.com/knowledge-neurons/gonb-kn/plots/internal/drawn"
)

// Record keeps the result that is drawn for the figure's SVG, as it is now, with
// the options that were given. Package verify computes it again. A result that
// has no JSON, as one with a NaN that no chart looks at, is not kept.
func (f *Draft) Record(result any) {
	var d drawn.Figure
	var err error
	if d.Options, err = json.Marshal(f.given); err != nil {
		return
	}
	if d.Result, err = json.Marshal(result); err != nil {
		return
	}
	f.drawn = &d
}

// drawnJSON is what Record kept.
func (f *Draft) drawnJSON() json.RawMessage {
	if f.drawn == nil {
		return nil
	}
	data, err := json.Marshal(f.drawn)
	if err != nil {
		return nil // two texts of JSON are one
	}
	return json.RawMessage(inASCII(data))
}
