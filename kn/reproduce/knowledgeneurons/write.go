package knowledgeneurons

import (
	"io"
	"path/filepath"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

// reports writes the report, and the copy to pass on.
func (e *experimenter) reports() (*reproduce.Outcome, error) {
	outcome, err := e.report(e.run.Dir())
	if err == nil && e.o.Publish != "" {
		err = e.publish()
	}
	return outcome, err
}

// report writes what was found into dir, which has the result files.
func (e *experimenter) report(dir string) (*reproduce.Outcome, error) {
	b, sections := e.sections(dir, e.setting(), dir != e.run.Dir())
	made, err := e.made(b)
	if err != nil {
		return nil, err
	}
	if err := e.writeNeurons(dir); err != nil {
		return nil, err
	}
	return b.Write(e.run, dir, b.Report(append(sections, made)...), e.done)
}

// sections are all of the report but the last, on how it was made. dir has the
// result files.
func (e *experimenter) sections(dir string, of setting, published bool) (book, []report.Section) {
	f, b := e.found, e.openBook(dir, of, published)
	noTexts := e.source.texts == nil && !e.ran["express"]
	var sections []report.Section
	var missing []string // what is still to come
	for _, part := range []struct {
		title, stage string
		write        func() report.Section
	}{
		{"which neurons, and where", "neurons", func() report.Section { return b.where(f.neurons) }},
		{"suppressing and amplifying", "intervene", func() report.Section { return b.effect(f.intervene) }},
		{"activation and expression", "express", func() report.Section { return b.texts(f.express, noTexts) }},
		{"updating facts", "update", func() report.Section { return b.updating(f.update) }},
		{"erasing relations", "erase", func() report.Section { return b.erasing(f.erase) }},
		{"the published codes", "recipes", func() report.Section { return b.codes(f.recipes) }},
		{"exactness", "exactness", func() report.Section { return b.exactness(f.convergence, f.exactness) }},
	} {
		if e.ran[part.stage] || part.stage == "express" && noTexts {
			sections = append(sections, part.write())
		} else {
			missing = append(missing, part.title)
		}
	}
	b.Data["missing"], b.Data["tally"] = strings.Join(missing, ", "), b.Claims.Tally()
	return b, append([]report.Section{b.Section("claims", report.Content{}), b.numbers(), b.Section("setting", report.Content{})}, sections...)
}

// writeNeurons writes the facts' neurons.
func (e *experimenter) writeNeurons(dir string) error {
	if err := e.gather(); err != nil {
		return err
	}
	return writeFile(filepath.Join(dir, NeuronsFile), func(w io.Writer) error {
		return experiments.WritePublishedSets(w, e.gathered, e.found.neurons.Provenance)
	})
}

func (e *experimenter) setting() setting {
	_, err := e.m.Facts()
	return setting{model: e.m.Label(), activation: e.m.Config().HiddenAct, taught: err == nil}
}

// made says how the report was made.
func (e *experimenter) made(b book) (report.Section, error) {
	digest, err := e.m.Digest()
	on, _ := backend.Choose("", e.m.Config().Parameters())
	made := e.run.HowMade(e.o.Command, on, e.done)
	made["digest"] = digest
	return b.Section("made", report.Content{Data: made}), err
}
