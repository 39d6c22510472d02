// Package publishedneurons reports how far facts' knowledge neurons are those
// that somebody published.
package publishedneurons

import (
	"embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

//go:embed *.tmpl
var files embed.FS

var texts = reproduce.Templates(files)

// ResultFile has the comparison, in the report's folder of results.
const ResultFile = "published.json"

// result is what ResultFile has: the comparison, and the causes of what differs.
type result struct {
	*experiments.ExactFirst
	Causes []cause  `json:"causes"`
	Why    []reason `json:"why"` // of each fact of Exact.Differences
}

// reason is why a fact's sets differ.
type reason struct {
	Cause experiments.Cause `json:"cause"`
	// Margin of the neurons that differ by the recipe's own rule too; nil if none do.
	Margin *float64 `json:"margin"`
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
		why := reason{Cause: experiments.CauseRule}
		if again := e.Again(d); again != nil {
			why = reason{again.Cause(), &again.Margin}
		}
		r.Why = append(r.Why, why)
		for i := range r.Causes {
			if r.Causes[i].Cause == why.Cause {
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
	var neurons []string // that only one of a fact's two sets has
	for _, d := range e.Exact.Differences {
		neurons = append(neurons, signed(d.Neurons))
	}
	b := reproduce.OpenBook(dir, texts, "published")
	b.Data["source"], b.Data["command"], b.Data["every"], b.Data["neurons"] = source, command, experiments.ControlEvery, neurons
	written := b.Report(b.Section("agreement", report.Content{}), b.Section("differences", report.Content{}), b.Section("made", report.Content{}))
	if err := b.Err(); err != nil {
		return err
	}
	return written.Write(dir)
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
