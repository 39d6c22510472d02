package knowledgeneurons

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"path/filepath"
	"slices"

	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// The files beside the report.
const (
	NeuronsFile = "neurons.jsonl"  // their neurons, see [experiments.ReadPublishedSets]
	FactsFile   = "facts.jsonl"    // those that the report is about, see [facts.ReadBags]
	LeftOutFile = "left-out.jsonl" // what the model could not be asked, see [facts.LeftOut]
)

// FactSummary is results/facts.json: what the report is about.
type FactSummary struct {
	Source    string   `json:"source"`
	Texts     string   `json:"texts"` // where open texts come from; empty: there are none
	Facts     int      `json:"facts"`
	Prompts   int      `json:"prompts"`
	Relations int      `json:"relations"`
	Chosen    []string `json:"chosen"` // relations asked for; empty: all
	Limit     int      `json:"limit"`  // of facts; 0: none
	Seed      uint64   `json:"seed"`
	Tolerance float64  `json:"tolerance"` // of the attributions

	Given   int       `json:"given"` // facts in the source that the model can be asked
	LeftOut []LeftOut `json:"left_out"`
	Digest  string    `json:"digest"` // SHA-256 of the facts
}

// LeftOut counts what was left out for one reason.
type LeftOut struct {
	Reason  facts.Reason `json:"reason"`
	Facts   int          `json:"facts"`
	Prompts int          `json:"prompts"`
}

// source is what the facts and the open texts come from.
type source struct {
	facts    facts.Source
	name     string
	texts    iter.Seq2[facts.OpenText, error] // nil: none
	textName string
}

// formatNames say what a data set has.
var formatNames = map[facts.Format]string{
	facts.FormatDai:     "the authors' data: LAMA's T-REx under PARAREL's patterns",
	facts.FormatPARAREL: "PARAREL's triples and patterns",
	facts.FormatLAMA:    "LAMA's T-REx",
	facts.FormatMerged:  "the authors' merged file",
	facts.FormatBags:    "facts with their prompts",
	facts.FormatTaught:  "facts that a model was taught",
}

// openSource opens the data set, or what the model was taught, and the texts.
func openSource(m *kn.Model, o Options) (s source, err error) {
	taught, notTaught := m.Facts()
	switch {
	case notTaught != nil && !errors.Is(notTaught, kn.ErrNoFacts):
		return s, notTaught
	case o.Facts != "":
		var format facts.Format
		s.facts, format, err = facts.Open(o.Facts)
		s.name = fmt.Sprintf("%s (%s)", filepath.Base(o.Facts), formatNames[format])
	case notTaught != nil:
		return s, fmt.Errorf("%w; give a data set, such as PARAREL's folder", notTaught)
	default:
		s.facts, s.name = facts.Bags(taught), fmt.Sprintf("what %s was taught, in this project's sentences", m.Name())
	}
	if err != nil {
		return s, err
	}
	switch {
	case o.Texts != "":
		s.texts, s.textName = facts.ReadOpenText(o.Texts), filepath.Base(o.Texts)
	case notTaught == nil:
		made, err := facts.HeldOutText(taught, o.Seed)
		if err != nil {
			return s, err
		}
		s.texts = func(yield func(facts.OpenText, error) bool) {
			for _, t := range made {
				if !yield(t, nil) {
					return
				}
			}
		}
		s.textName = "made of sentences that were held out when the model was taught, with the answer filled in; for T2 of other relations' sentences about the subject"
	}
	return s, nil
}

// drawFacts chooses the facts and writes them into the folder.
func drawFacts(ctx context.Context, m *kn.Model, dir string, from source, o Options) (*FactSummary, error) {
	s := &FactSummary{Source: from.name, Texts: from.textName, Chosen: o.Relations, Limit: o.Limit, Seed: o.Seed, Tolerance: o.Tolerance, LeftOut: []LeftOut{}}
	reader := m.Reader()
	reader.AnswerTokens = o.AnswerTokens
	usable, perRelation, err := s.survey(ctx, reader, facts.OfRelations(from.facts, o.Relations...), filepath.Join(dir, LeftOutFile))
	if err != nil {
		return nil, err
	}
	drawn := atMost(facts.Draw(usable, perRelation, o.Seed), o.Limit)
	relations, sum := map[string]bool{}, sha256.New()
	counted := func(yield func(facts.Bag, error) bool) {
		for b, err := range drawn {
			if err == nil {
				err = ctx.Err()
			}
			if err == nil {
				s.Facts, s.Prompts = s.Facts+1, s.Prompts+len(b.Prompts)
				relations[b.Relation] = true
				fmt.Fprintln(sum, b.Key())
			}
			if !yield(b, err) {
				return
			}
		}
	}
	if err := writeFile(filepath.Join(dir, FactsFile), func(w io.Writer) error { return facts.WriteBags(w, counted) }); err != nil {
		return nil, err
	}
	if s.Facts == 0 {
		return nil, fmt.Errorf("knowledgeneurons: %s has no fact that %s can be asked; %s says why", from.name, m.Name(), filepath.Join(dir, LeftOutFile))
	}
	s.Relations, s.Digest = len(relations), hex.EncodeToString(sum.Sum(nil))
	return s, nil
}

// survey finds and counts the facts that can be asked, lists what cannot, and
// says how many facts of each relation keep the limit.
func (s *FactSummary) survey(ctx context.Context, reader facts.Reader, source facts.Source, list string) (usable facts.Source, perRelation int, err error) {
	have, counts := map[string]int{}, map[facts.Reason]*LeftOut{}
	err = writeFile(list, func(w io.Writer) error {
		encoder := json.NewEncoder(w)
		encoder.SetEscapeHTML(false)
		var failed error
		usable = facts.Usable(source, reader, func(l facts.LeftOut) {
			if counts[l.Reason] == nil {
				counts[l.Reason] = &LeftOut{Reason: l.Reason}
			}
			if l.Prompt == "" {
				counts[l.Reason].Facts++
			} else {
				counts[l.Reason].Prompts++
			}
			failed = errors.Join(failed, encoder.Encode(l))
		})
		for b, err := range usable {
			if err = errors.Join(err, ctx.Err()); err != nil {
				return err
			}
			have[b.Relation]++
			s.Given++
		}
		return failed
	})
	for _, reason := range slices.Sorted(maps.Keys(counts)) {
		s.LeftOut = append(s.LeftOut, *counts[reason])
	}
	return usable, evenly(slices.Collect(maps.Values(have)), s.Limit), err
}

// evenly is the largest number of facts of each relation, at least 1, of which
// all relations together have no more than the limit; 0 if all have.
func evenly(have []int, limit int) int {
	total := func(n int) (sum int) {
		for _, h := range have {
			sum += min(h, n)
		}
		return sum
	}
	if limit <= 0 || len(have) == 0 || total(slices.Max(have)) <= limit {
		return 0
	}
	n := 1
	for total(n+1) <= limit {
		n++
	}
	return n
}

// atMost ends a source after n facts; 0 stands for all.
func atMost(source facts.Source, n int) facts.Source {
	if n <= 0 {
		return source
	}
	return func(yield func(facts.Bag, error) bool) {
		left := n
		for b, err := range source {
			if left--; !yield(b, err) || left == 0 {
				return
			}
		}
	}
}

// writeFile writes a file that appears when it is complete.
func writeFile(path string, write func(w io.Writer) error) error {
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("knowledgeneurons: %w", err)
	}
	defer func() { _ = file.Cleanup() }() // does nothing after it was put in place
	if err := write(file); err != nil {
		return err
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("knowledgeneurons: %w", err)
	}
	return nil
}
