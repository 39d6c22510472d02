package knowledgeneurons

import (
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

// book is the report while it is written: the result files, and what they are
// of.
type book struct {
	*reproduce.Book
	paper     *report.Result
	facts     *report.Result
	stages    map[string]bool                    // that have results
	nothing   map[string]experiments.NothingLeft // why an experiment, by its name, has no result
	published bool                               // without the data sets' sentences
	missing   []string                           // experiments that are still to come

	setting
}

// setting is what all tables have in common.
type setting struct {
	model      string
	activation string // the model's activation function, such as "gelu"
	// taught says that this project pre-trained the model, whose objective
	// makes some claims true by construction.
	taught bool
}

// ours says what the numbers beside the paper's are of.
func (b *book) ours() report.Text {
	return report.Join("Here: ", b.model, ", ", b.facts.Number("/facts", report.Count), " facts of ", b.facts.Number("/relations", report.Count),
		" relations, adaptive rule to ", b.facts.Number("/tolerance", report.Percent(1)), " of the largest score, seed ", b.facts.Number("/seed", report.Count), ".")
}

// theirs says what the paper's numbers are of.
func (b *book) theirs() report.Text {
	return report.Join("Paper: ", b.paper.String("/model"), ", ", b.paper.Number("/facts", report.Count), " facts of ",
		b.paper.Number("/relations", report.Count), " relations of ", b.paper.String("/data"), ", left sum of 20 nodes; it states no seed and no intervals.")
}

// settings are both, for a note below a table.
func (b *book) settings(more ...any) report.Text {
	return report.Join(b.ours(), " ", b.theirs(), report.Join(more...))
}

// dash stands where the paper reports nothing.
const dash = "–"
