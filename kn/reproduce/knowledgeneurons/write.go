package knowledgeneurons

import (
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
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
	return b.Write(e.run, dir, b.report(append(sections, made)), e.done)
}

// report is the report of these sections.
func (b *book) report(sections []report.Section) *report.Report {
	return &report.Report{Title: "Knowledge neurons of " + b.model, Subtitle: b.introduction(), Sections: sections}
}

// sections are all of the report but the last, on how it was made. dir has the
// result files.
func (e *experimenter) sections(dir string, of setting, published bool) (*book, []report.Section) {
	f := e.found
	b := &book{Book: reproduce.OpenBook(dir), published: published, setting: of, nothing: e.nothing, stages: map[string]bool{}}
	for _, stage := range e.done {
		b.stages[stage] = true
	}
	b.paper, b.facts = b.File("paper"), b.File("facts")
	var sections []report.Section
	for _, part := range []struct {
		title, stage string
		write        func() report.Section
	}{
		{"which neurons, and where", "neurons", func() report.Section { return b.where(f.neurons) }},
		{"suppressing and amplifying", "intervene", func() report.Section { return b.effect(f.intervene) }},
		{"activation and expression", "express", func() report.Section { return b.texts(f.express) }},
		{"updating facts", "update", func() report.Section { return b.updating(f.update) }},
		{"erasing relations", "erase", func() report.Section { return b.erasing(f.erase) }},
		{"the published codes", "recipes", func() report.Section { return b.codes(f.recipes) }},
		{"exactness", "exactness", func() report.Section { return b.exactness(f.convergence, f.exactness) }},
	} {
		if e.ran[part.stage] || part.stage == "express" && e.source.texts == nil {
			sections = append(sections, part.write())
		} else {
			b.missing = append(b.missing, part.title)
		}
	}
	return b, append([]report.Section{b.claimSection(), b.numbers(), b.settingSection()}, sections...)
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

func (b *book) introduction() report.Text {
	beside := "Beside each number of the paper stands the one measured here by the authors' definition, and whether the paper's lies within its interval; the section on the setting says what of model, data and integral is the paper's. "
	if b.taught {
		beside = "The paper's numbers stand beside those measured here, which are not expected to equal them: model, facts and integrals differ. What can be compared is the paper's claims. "
	}
	return report.Join("The experiments of ", report.Link(b.paper.String("/citation"), b.paper.String("/url")), ", on ", b.model, " and ",
		b.facts.Number("/facts", report.Count), " facts of ", b.facts.Number("/relations", report.Count), " relations. ", beside,
		"Brackets are 95 % bootstrap intervals over facts.", b.toCome())
}

// toCome says what a run that is not at its end has not measured yet.
func (b *book) toCome() report.Text {
	if len(b.missing) == 0 {
		return nil
	}
	return report.Join(" Still to be measured: ", strings.Join(b.missing, ", "), ".")
}

// claimSection has the claims that the other sections found out about.
func (b *book) claimSection() report.Section {
	s := report.Section{Title: "The paper's claims"}
	if b.taught {
		s.Say(b.model, " is a specimen: this project taught it facts and nothing else, in the way that BERT was taught, with few neurons that fire (see its model card). "+
			"What holds here is evidence that the methods do what they should, and none of where other models keep facts.")
	}
	s.Say(b.Claims.Tally(), " A claim holds here if the rule below it says so of the confidence intervals; it does not if the rule says the opposite, and otherwise, or with fewer than ten facts, it cannot be told.")
	s.Add(b.Claims)
	return s
}

func (b *book) settingSection() report.Section {
	s := report.Section{Title: "Setting"}
	t := &report.Table{ID: "setting", Caption: report.Join("What was measured on what."), Columns: report.Columns("", "here", "paper")}
	p, f, w := b.paper, b.facts, b.File("sweep")
	t.Row("model", b.model, p.String("/model"))
	t.Row("facts", report.Join(f.Number("/facts", report.Count), " of ", f.Number("/given", report.Count), " that the model can be asked"), p.Number("/facts", report.Count))
	t.Row("from", f.String("/source"), report.Join(p.String("/data"), ", relations with more than three templates"))
	t.Row("relations", f.Number("/relations", report.Count), p.Number("/relations", report.Count))
	t.Row("prompts", f.Number("/prompts", report.Count), p.Number("/prompts", report.Count))
	t.Row("integral", report.Join("adaptive rule, estimated error of the scores below ", f.Number("/tolerance", report.Percent(1)), " of the largest; ",
		w.Number("/nodes_a_layer", report.Decimals(1)), " nodes a layer"), "left sum of 20 nodes")
	t.Row("not converged", report.Join(w.Number("/not_converged", report.Count), " prompts"), dash)
	t.Row("LayerNorm's ε", "the checkpoint's", "1e-5 (the authors' fork of BERT); the checkpoint says 1e-12")
	t.Row("seed", f.Number("/seed", report.Count), "not stated")
	s.Add(t)
	if f.Float("/limit") > 0 {
		s.Say("The facts are a sample, drawn as evenly from the relations as they allow, so that means over facts weigh relations alike. ", b.listed(FactsFile, "They are listed, with their prompts, in "))
	}
	if n := f.Len("/left_out"); n > 0 {
		left := &report.Table{
			ID: "left-out", Caption: report.Join("What the data set has and the model cannot be asked. ", b.listed(LeftOutFile, "One by one it is in ")),
			Columns: report.Columns("reason", ">facts", ">prompts of other facts"),
		}
		for i := range n {
			at := fmt.Sprintf("/left_out/%d", i)
			left.Row(f.String(at+"/reason"), f.Number(at+"/facts", report.Count), f.Number(at+"/prompts", report.Count))
		}
		s.Add(left)
	}
	return s
}

// listed says which file has the sentences.
func (b *book) listed(file, where string) report.Text {
	if b.published {
		return report.Join("The sentences are the data set's, and not repeated here.")
	}
	return report.Join(where, report.Mono(file), ".")
}

// made says how the report was made.
func (e *experimenter) made(b *book) (report.Section, error) {
	digest, err := e.m.Digest()
	on, _ := backend.Choose("", checkpoint.Parameters(e.m.Config().Expected()))
	return e.run.Made(e.o.Command, on, report.Pairs{
		{Name: "Model", Text: report.Join(e.m.Label(), ", SHA-256 ", report.Mono(digest))},
		{Name: "Facts", Text: report.Join("SHA-256 ", report.Mono(b.facts.String("/digest")))},
		{Name: "Seed", Text: report.Join(b.facts.Number("/seed", report.Count))},
	}, e.done), err
}
