// Package publishedneurons reports how far facts' knowledge neurons are those
// that somebody published.
package publishedneurons

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
)

// ResultFile has the comparison, in the report's folder of results.
const ResultFile = "published.json"

// result is what ResultFile has: the comparison, and the causes of what differs.
type result struct {
	*experiments.ExactFirst
	Causes []cause `json:"causes"`
	// Of each fact of Exact.Differences.
	CauseOf []experiments.Cause `json:"cause_of"`
}

type cause struct {
	Cause experiments.Cause `json:"cause"`
	Facts int               `json:"facts"`
}

// Write writes the report into dir: report.md, report.html, the comparison as JSON
// and the tables as CSV and Markdown. command is what it says it was made by, and
// source whose neurons they are.
func Write(dir string, e *experiments.ExactFirst, source, command string) error {
	r := result{ExactFirst: e, Causes: []cause{{Cause: experiments.CauseRule}, {Cause: experiments.CauseRounding}, {Cause: experiments.CauseUnknown}}}
	for _, d := range e.Exact.Differences {
		why := e.Cause(d)
		r.CauseOf = append(r.CauseOf, why)
		for i := range r.Causes {
			if r.Causes[i].Cause == why {
				r.Causes[i].Facts++
			}
		}
	}
	data, err := json.MarshalIndent(r, "", " ")
	if err == nil {
		err = os.MkdirAll(filepath.Join(dir, report.ResultsDir), 0o755)
	}
	if err == nil {
		err = renameio.WriteFile(filepath.Join(dir, report.ResultsDir, ResultFile), append(data, '\n'), 0o644)
	}
	if err != nil {
		return fmt.Errorf("publishedneurons: %w; choose a folder that can be written", err)
	}
	results := report.OpenResults(dir)
	b := &book{Result: results.File(strings.TrimSuffix(ResultFile, ".json")), e: e, source: source}
	made := report.Section{Title: "How this was made"}
	made.Add(report.Pairs{
		{Name: "Command", Text: report.Join(report.Mono(command))},
		{Name: "Model", Text: report.Join(b.String("/exact/provenance/model"), ", SHA-256 ", report.Mono(b.String("/exact/provenance/digest")))},
		{Name: "Version", Text: report.Join("kn ", b.String("/exact/provenance/version"))},
	})
	written := &report.Report{
		Title:    "Published knowledge neurons of " + e.Exact.Provenance.Model,
		Subtitle: b.introduction(), Sections: []report.Section{b.agreement(), b.differences(), made},
	}
	if err := results.Err(); err != nil {
		return err
	}
	return written.Write(dir)
}

// book is the report while it is written.
type book struct {
	*report.Result
	e      *experiments.ExactFirst
	source string
}

func (b *book) introduction() report.Text {
	return report.Join("The knowledge neurons of ", b.Number("/exact/facts", report.Count), " facts of ", b.Number("/exact/relations", report.Count), " relations, drawn from those in ", report.Mono(b.source),
		", found again by the published recipe: ", b.rule("/recipe"), ", a threshold of ", b.Number("/recipe/threshold", report.Decimals(2)), " of the prompt's largest score, and a share of ",
		b.Number("/recipe/share", report.Decimals(2)), " of the prompts. Brackets are 95 % bootstrap intervals over facts.")
}

// rule says how a recipe integrates.
func (b *book) rule(pointer string) report.Text {
	return report.Join("rule ", report.Mono(b.String(pointer+"/attribute/rule")), " with ", b.Number(pointer+"/attribute/nodes", report.Count), " nodes")
}

// agreement is the section on how many sets are the same.
func (b *book) agreement() report.Section {
	s := report.Section{Title: "How many facts have the published neurons"}
	s.Say("All facts are first asked by integrals exact to 0.1 % of the largest score. Where the sets then differ, and for every ", fmt.Sprint(experiments.ControlEvery),
		"th of the others, the recipe's own rule is computed. With it the sets are the same for ", b.Interval("/share", report.Percent(1)), " of the facts, if what was not computed by it is as the control.")
	t := &report.Table{
		ID: "agreement", Caption: report.Join("Facts whose neurons are exactly those that were published, and the overlap of the two sets (Jaccard index, mean over facts)."),
		Columns: report.Columns("", ">facts", ">prompts", ">the same neurons", ">share", ">overlap"),
	}
	for _, row := range []struct {
		name, at string
		of       *experiments.PublishedComparison
	}{
		{"exact integrals: all facts", "/exact", b.e.Exact},
		{"the recipe's rule: those that differ by exact integrals", "/differing", b.e.Differing},
		{"the recipe's rule: the control, of those that do not", "/control", b.e.Control},
	} {
		if row.of != nil {
			t.Row(row.name, b.Number(row.at+"/facts", report.Count), b.Number(row.at+"/prompts", report.Count), b.Number(row.at+"/identical", report.Count),
				b.Interval(row.at+"/share", report.Percent(1)), b.Interval(row.at+"/overlap", report.Decimals(3)))
		}
	}
	s.Add(t)
	return s
}

// meanings of the causes, in the order of result.Causes.
var meanings = []string{
	"the rule: by the recipe's own rule, which is less exact, the sets are the same",
	"rounding: by the recipe's own rule they differ by neurons whose scores are within 0.1 % of what decides",
	"not explained: they differ by the recipe's own rule too, and by more",
}

// differences is the section on the others.
func (b *book) differences() report.Section {
	s := report.Section{Title: "What differs, and why"}
	causes := &report.Table{ID: "causes", Caption: report.Join("Facts whose neurons by exact integrals are not those that were published."), Columns: report.Columns("cause", ">facts")}
	for i, meaning := range meanings {
		causes.Row(meaning, b.Number(fmt.Sprintf("/causes/%d/facts", i), report.Count))
	}
	s.Add(causes)
	if len(b.e.Exact.Differences) == 0 {
		return s
	}
	each := &report.Table{
		ID: "differences", Caption: report.Join("Each of these facts, by exact integrals. A margin of 1 % says that scores 1 % larger, or smaller, would have made the same choice."),
		Columns: report.Columns("relation", "subject", "answer", ">published", ">here", "neurons", ">margin", "cause"),
		Note:    report.Join("+ is chosen here and not published, − the other way round. The margin is the largest of these neurons'."),
	}
	for i, d := range b.e.Exact.Differences {
		at := fmt.Sprintf("/exact/differences/%d", i)
		each.Row(b.String(at+"/relation"), b.String(at+"/subject"), b.String(at+"/answer"), b.Entries(at+"/published"), b.Entries(at+"/here"),
			signed(d.Neurons), b.Number(at+"/margin", report.Percent(2)), b.String(fmt.Sprintf("/cause_of/%d", i)))
	}
	s.Add(each)
	return s
}

// signed lists the neurons that one of two sets has.
func signed(neurons []experiments.MarginNeuron) string {
	var each []string
	for _, n := range neurons {
		sign := "−"
		if n.Here {
			sign = "+"
		}
		each = append(each, sign+n.Neuron.String())
	}
	return strings.Join(each, " ")
}
