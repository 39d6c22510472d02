package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"
	"unicode"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/drawn"
)

// What a figure of ours has at most. Files come from anybody.
const (
	mostBytes     = 64 << 20 // of the whole file
	mostText      = 4096     // bytes of one text: a prompt of 512 tokens has some 3000
	mostPrompts   = 10_000   // to attribute or to predict
	mostRuns      = 200_000  // of the model
	mostNodes     = 10_000   // of an integral
	mostDraws     = 10_000   // of a control
	mostResamples = 100_000  // of a bootstrap
	mostGrid      = 1000     // values of a grid's side
)

// figure is a file that was read.
type figure struct {
	svg        []byte
	provenance *plots.Provenance
	drawn      drawn.Figure
	options    plots.Options
	result     result
}

// read reads a file and finds out what is drawn. Nothing is computed yet.
func read(r io.Reader) (*figure, error) {
	svg, err := io.ReadAll(io.LimitReader(r, mostBytes+1))
	if err != nil {
		return nil, fmt.Errorf("verify: cannot read the figure: %w", err)
	}
	if len(svg) > mostBytes {
		return nil, fmt.Errorf("verify: %w: it has more than %d MB", ErrDamaged, mostBytes>>20)
	}
	f := &figure{svg: svg}
	if f.provenance, err = plots.ReadProvenance(bytes.NewReader(svg)); errors.Is(err, plots.ErrNoProvenance) {
		return nil, err
	} else if err != nil {
		return nil, damaged(err)
	}
	return f, nil
}

// tells says whether the figure holds what it takes to compute it again.
func (f *figure) tells() error {
	if len(f.provenance.Drawn) > 0 {
		return nil
	}
	chart := printable(f.provenance.Chart)
	if command := commandOf(f.provenance.Chart); command != "" {
		return fmt.Errorf("verify: %w: the %s chart; run %s, and compare with what that draws", ErrTakesHours, chart, command)
	}
	return fmt.Errorf("verify: %w to compute from: the file tells which model the chart %q is of, but not what that was asked; draw and save it again", plots.ErrNoProvenance, chart)
}

// decode reads the figure's result.
func (f *figure) decode() error {
	make, known := results[f.provenance.Chart]
	if !known {
		return damaged(fmt.Errorf("there is no chart %q", f.provenance.Chart))
	}
	if err := shortTexts(f.provenance.Drawn); err != nil {
		return damaged(err)
	}
	f.result = make()
	err := strictly(f.provenance.Drawn, &f.drawn)
	if err == nil {
		err = strictly(f.drawn.Options, &f.options)
	}
	if err == nil {
		err = strictly(f.drawn.Result, f.result.into())
	}
	if err != nil {
		return damaged(err)
	}
	if err := f.result.limits(); err != nil {
		return damaged(err)
	}
	return nil
}

// damaged wraps what is wrong with a figure's data.
func damaged(err error) error {
	return fmt.Errorf("verify: %w: %s", ErrDamaged, printable(strings.TrimPrefix(err.Error(), "plots: ")))
}

// strictly decodes JSON that has no other fields than v.
func strictly(data json.RawMessage, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return err
	}
	if decoder.More() {
		return errors.New("more follows the first value")
	}
	return nil
}

// shortTexts says whether all texts in JSON are as short as ours are: what is
// drawn is cut to fit, which takes a time that grows with the square of its length.
func shortTexts(data json.RawMessage) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if text, ok := token.(string); ok && len(text) > mostText {
			return fmt.Errorf("a text has %d bytes, and ours have %d at most: %.40q", len(text), mostText, text)
		}
	}
}

// optionsOf reads a result's options, without what is the model's: its edits and
// order stand among them.
func optionsOf[T any](p kn.Provenance) (options T, err error) {
	all := maps.Clone(p.Options)
	delete(all, "edits")
	delete(all, "order")
	data, err := json.Marshal(all)
	if err == nil && all != nil {
		err = strictly(data, &options)
	}
	return options, err
}

// editsOf are the edits of the model that a result is of.
func editsOf(p kn.Provenance) (edits []kn.Edit, err error) {
	of, ok := p.Options["edits"]
	if !ok {
		return nil, nil
	}
	data, err := json.Marshal(of)
	if err == nil {
		err = json.Unmarshal(data, &edits)
	}
	return edits, err
}

// orderOf is the order in which the model predicted answers of several tokens.
func orderOf(p kn.Provenance) (kn.Order, error) {
	switch o := p.Options["order"]; o {
	case nil:
		return kn.AllAtOnce, nil
	case string(kn.LeftToRight):
		return kn.LeftToRight, nil
	default:
		return "", fmt.Errorf("a result has the order %.40q, and ours have %q or none", fmt.Sprint(o), kn.LeftToRight)
	}
}

// printable makes a text from a file fit for a terminal: one line of what can be
// printed, and not too long.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return ' '
		}
		if !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD"))
	if r := []rune(s); len(r) > 300 {
		s = string(r[:299]) + "…"
	}
	return s
}
