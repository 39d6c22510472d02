package verify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/experimentplots"
)

// DefaultTolerance is the difference of two numbers that counts as none, as a
// share of the largest number on their axis.
const DefaultTolerance = 1e-3

// Options are the options of [Figure].
type Options struct {
	// Models are those that the figure may be of, without edits: a figure's own
	// edits are applied. Models that are part of the program need not be given.
	Models []*kn.Model
	// Tolerance up to which numbers count as equal, from 0 to 1, as a share of the
	// largest number on their axis. 0 stands for [DefaultTolerance].
	Tolerance float64
	// AnyVersion compares although another version made the figure.
	AnyVersion bool
	// Progress is told how far computing is. nil stands for each model's own.
	Progress kn.Progress
}

// Open verifies the figure in a file, see [Figure].
func Open(ctx context.Context, path string, options ...Options) (*Report, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("verify: cannot read the figure: %w", err)
	}
	defer file.Close()
	return Figure(ctx, file, options...)
}

// MustOpen is [Open] for notebook cells: it panics instead of returning an error.
func MustOpen(ctx context.Context, path string, options ...Options) *Report {
	return kn.Must(Open(ctx, path, options...))
}

// Figure reads an SVG that package plots saved, computes its numbers again and
// compares them; see the package's documentation for what counts as equal.
//
// That the figure shows something else is no error: see [Report.Equal]. It is one
// if nothing can be compared, which wraps [plots.ErrNoProvenance], [ErrDamaged],
// [ErrNoModel], [ErrOtherModel], [ErrOtherVersion] or [ErrTakesHours].
func Figure(ctx context.Context, svg io.Reader, options ...Options) (*Report, error) {
	if len(options) > 1 {
		return nil, fmt.Errorf("verify: %d options are given; give one", len(options))
	}
	o := append(options, Options{})[0]
	if o.Tolerance == 0 {
		o.Tolerance = DefaultTolerance
	}
	if !(o.Tolerance > 0 && o.Tolerance < 1) {
		return nil, fmt.Errorf("verify: a tolerance of %v is none; give a number between 0 and 1", o.Tolerance)
	}
	f, err := read(svg)
	if err != nil {
		return nil, err
	}
	if err := f.tells(); err != nil {
		return nil, err
	}
	if err := sameVersion(f.provenance.Results, o.AnyVersion); err != nil {
		return nil, err
	}
	if err := f.decode(); err != nil {
		return nil, err
	}
	of := f.result.provenances()
	if err := sameVersion(of, o.AnyVersion); err != nil {
		return nil, err
	}
	// A cache of its own: what is in the user's was not computed now.
	cache, err := os.MkdirTemp("", "kn-verify-*")
	if err != nil {
		return nil, fmt.Errorf("verify: no room for results: %w", err)
	}
	defer os.RemoveAll(cache)
	models, err := modelsOf(ctx, of, o, cache)
	if err != nil {
		return nil, err
	}
	if err := f.result.fits(models); err != nil {
		return nil, damaged(err)
	}
	c := &comparison{Report{Title: printable(f.provenance.Title), Chart: f.provenance.Chart, Tolerance: o.Tolerance, Differences: []Difference{}, Notes: []string{}}}
	for _, p := range of {
		c.Models, c.Digests, c.Version = append(c.Models, printable(p.Model)), append(c.Digests, printable(p.Digest)), printable(p.Version)
	}
	for _, m := range o.Models {
		if digest, err := m.Digest(); err == nil && !slices.Contains(c.Digests, printable(digest)) {
			c.note("%s was given and not asked: the figure is of another model", m.Label())
		}
	}
	if c.Picture, err = f.redraw(); err != nil {
		return nil, damaged(err)
	}
	if err := f.result.again(ctx, c, models, o.Progress); err != nil {
		return nil, fmt.Errorf("verify: cannot compute the figure's numbers again: %w", err)
	}
	return &c.Report, nil
}

// sameVersion says whether this version made all results.
func sameVersion(of []kn.Provenance, anyVersion bool) error {
	for _, p := range of {
		if p.Version != kn.Version && !anyVersion {
			return fmt.Errorf("verify: %w, %s, and this is %s, which may compute or draw otherwise; verify it with that version, or allow any",
				ErrOtherVersion, printable(p.Version), kn.Version)
		}
	}
	return nil
}

// modelsOf finds the model of each result by its digest, and applies the
// result's edits and order.
func modelsOf(ctx context.Context, of []kn.Provenance, o Options, cache string) ([]*kn.Model, error) {
	var models []*kn.Model
	for _, p := range of {
		m, err := find(p, o.Models)
		if err != nil {
			return nil, err
		}
		edits, err := editsOf(p)
		if err != nil {
			return nil, damaged(err)
		}
		order, err := orderOf(p)
		if err != nil {
			return nil, damaged(err)
		}
		if m, err = m.WithContext(ctx).WithCache(cache).WithOrder(order).With(edits...); err != nil {
			return nil, damaged(err)
		}
		if o.Progress != nil {
			m = m.WithProgress(o.Progress)
		}
		models = append(models, m)
	}
	return models, nil
}

// find is the given model with the digest, or one that is part of the program
// and has the name.
func find(p kn.Provenance, given []*kn.Model) (*kn.Model, error) {
	candidates := slices.Clone(given)
	if slices.Contains(kn.Embedded(), p.Model) {
		m, err := kn.Load(p.Model)
		if err != nil {
			return nil, err
		}
		candidates = append(candidates, m)
	}
	var others error
	for _, m := range candidates {
		switch {
		case m == nil:
			return nil, errors.New("verify: a model is nil; check the error that came with it")
		case len(m.Edits()) > 0:
			return nil, fmt.Errorf("verify: %s has edits; give the model without them, since the figure's own are applied", m.Label())
		}
		digest, err := m.Digest()
		if err != nil {
			return nil, err
		}
		if digest == p.Digest {
			return m, nil
		}
		others = errors.Join(others, fmt.Errorf("that of %s is %s", m.Label(), digest))
	}
	if others != nil {
		return nil, fmt.Errorf("verify: %w: the SHA-256 of its %s is %s, and %w", ErrOtherModel, printable(p.Model), printable(p.Digest), others)
	}
	return nil, fmt.Errorf("verify: %w: %s, whose SHA-256 is %s; say where it is", ErrNoModel, printable(p.Model), printable(p.Digest))
}

// redraw draws the figure from its own numbers, and says where the file is another.
func (f *figure) redraw() (where string, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the %s cannot be drawn: %v", f.provenance.Chart, r)
		}
	}()
	again, err := f.result.draw(f.options)
	if err != nil {
		return "", err
	}
	if chart := again.Provenance().Chart; chart != f.provenance.Chart {
		return "", fmt.Errorf("it is the %s, not the %s", chart, f.provenance.Chart)
	}
	want, err := again.SVG()
	if err != nil {
		return "", err
	}
	return otherwise(f.svg, want), nil
}

// otherwise says where two files differ first; carriage returns, which some tools
// add, do not count.
func otherwise(got, want []byte) string {
	lines := func(svg []byte) [][]byte {
		return bytes.Split(bytes.ReplaceAll(svg, []byte("\r\n"), []byte("\n")), []byte("\n"))
	}
	a, b := lines(bytes.TrimRight(got, "\r\n")), lines(bytes.TrimRight(want, "\r\n"))
	for i := range max(len(a), len(b)) {
		switch {
		case i >= len(a):
			return fmt.Sprintf("it ends at line %d of %d", len(a), len(b))
		case i >= len(b):
			return fmt.Sprintf("more follows line %d: %s", len(b), excerpt(a[i], 0))
		case !bytes.Equal(a[i], b[i]):
			at := 0
			for at < min(len(a[i]), len(b[i])) && a[i][at] == b[i][at] {
				at++
			}
			return fmt.Sprintf("line %d has %q, not %q", i+1, excerpt(a[i], at), excerpt(b[i], at))
		}
	}
	return ""
}

// excerpt is the part of a line around a place.
func excerpt(line []byte, at int) string {
	return printable(string(line[max(0, at-20):min(len(line), at+40)]))
}

// comparison fills in a report.
type comparison struct{ Report }

// differs notes a difference.
func (c *comparison) differs(d Difference) {
	c.Different++
	if len(c.Differences) < mostDifferences {
		d.What, d.Figure, d.Computed = printable(d.What), printable(d.Figure), printable(d.Computed)
		c.Differences = append(c.Differences, d)
	}
}

// number compares two numbers by the largest on their axis.
func (c *comparison) number(what string, figure, computed, largest float64) {
	c.Numbers++
	off := math.Abs(figure - computed)
	if largest > 0 {
		off /= largest
	}
	if !(off <= c.Tolerance) { // NaN
		if off != off {
			off = math.Inf(1)
		}
		c.differs(Difference{what, significant(figure), significant(computed), min(off, math.MaxFloat64)})
	}
	c.Largest = max(c.Largest, min(off, math.MaxFloat64))
}

// numbers compares two lists; what names an entry.
func (c *comparison) numbers(what func(i int) string, figure, computed []float64, largest float64) {
	for i := range max(len(figure), len(computed)) {
		switch {
		case i >= len(figure):
			c.exactly(what(i), "none", significant(computed[i]))
		case i >= len(computed):
			c.exactly(what(i), significant(figure[i]), "none")
		default:
			c.number(what(i), figure[i], computed[i], largest)
		}
	}
}

// exactly compares what is no number, or is counted.
func (c *comparison) exactly(what string, figure, computed any) {
	c.Numbers++
	if a, b := fmt.Sprint(figure), fmt.Sprint(computed); a != b {
		c.differs(Difference{What: what, Figure: a, Computed: b})
	}
}

// between compares a count that can have been rounded by neurons at a threshold:
// it may be anything from least to most.
func (c *comparison) between(what string, figure, computed, least, most int) {
	c.Numbers++
	if figure < least || figure > most {
		c.differs(Difference{What: what, Figure: fmt.Sprint(figure), Computed: fmt.Sprint(computed)})
	}
}

// set compares a set of neurons with what it has at least, and at most.
func (c *comparison) set(what string, figure, least, most []kn.Neuron) {
	c.Numbers++
	for _, n := range figure {
		if !slices.Contains(most, n) {
			c.differs(Difference{What: what, Figure: "has " + n.String(), Computed: "has it not"})
		}
	}
	for _, n := range least {
		if !slices.Contains(figure, n) {
			c.differs(Difference{What: what, Figure: "has it not", Computed: "has " + n.String()})
		}
	}
}

// provenance compares the options and the seed that a result says it was made
// with: those that are left out, and what they come to, included.
func (c *comparison) provenance(name string, figure, computed kn.Provenance) {
	written := func(options map[string]any) string {
		if len(options) == 0 {
			return "none"
		}
		data, _ := json.Marshal(options) // that came as JSON
		return string(data)
	}
	c.exactly(name+"options", written(figure.Options), written(computed.Options))
	c.exactly(name+"seed", figure.Seed, computed.Seed)
}

func (c *comparison) note(format string, args ...any) {
	c.Notes = append(c.Notes, printable(fmt.Sprintf(format, args...)))
}

// result is what a kind of chart draws.
type result interface {
	into() any                    // what its JSON is decoded into
	provenances() []kn.Provenance // of the models that it takes, in order
	limits() error                // what is more than a figure of ours has
	fits(models []*kn.Model) error
	draw(o plots.Options) (*plots.Figure, error)
	again(ctx context.Context, c *comparison, models []*kn.Model, progress kn.Progress) error
}

// results makes the results that can be computed again, by the kind of chart.
var results = map[string]func() result{
	"factor curves":          func() result { return &curves{} },
	"activation scatter":     func() result { return &scatter{} },
	"attribution heat map":   func() result { return &attribution{} },
	"overlap":                func() result { return &overlap{} },
	"neurons per layer":      func() result { return &neurons{} },
	"predictions":            func() result { return &predictions{} },
	"sensitivity":            func() result { return &sensitivity{} },
	"comparison of two sets": func() result { return &sets{} },
	"logit lens":             func() result { return &lens{} },
	"causal trace":           func() result { return &trace{} },
	"token attribution":      func() result { return &tokenAttribution{} },
	"logit parts":            func() result { return &logitParts{chart: plots.LogitParts} },
	"logit heads":            func() result { return &logitParts{chart: plots.LogitHeads} },
	"interventions":          func() result { return &interventions{chart: experimentplots.Interventions} },
	"suppressed by relation": func() result { return &interventions{chart: experimentplots.SuppressedByRelation} },
	"amplified by relation":  func() result { return &interventions{chart: experimentplots.AmplifiedByRelation} },
}
