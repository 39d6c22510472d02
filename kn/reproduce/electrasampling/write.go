package electrasampling

import (
	"embed"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/electra"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/plots/electraplots"
)

//go:embed *.tmpl
var files embed.FS

var texts = reproduce.Templates(files)

// report writes what was found.
func (e *experimenter) report() (*reproduce.Outcome, error) {
	summary, err := e.summarize()
	if err != nil {
		return nil, err
	}
	if err := e.run.Keep("summary", summary); err != nil {
		return nil, err
	}
	b := reproduce.OpenBook(e.run.Dir(), texts, "summary")
	b.Data["model"], b.Data["options"], b.Data["config"] = e.model, e.o, e.o.config(e.model, variants[0], 1).WithDefaults()
	b.Data["relations"], b.Data["metrics"] = strings.Join(e.o.Relations, ", "), electra.Metrics
	made := e.run.HowMade(e.o.Command, backend.Name(), e.stages())
	made["digest"] = e.digest
	return b.Write(e.run, e.run.Dir(), b.Report(
		b.Section("claims", report.Content{Data: map[string]any{"equal": []string{"steps", "time"}}, Verdicts: summary.verdicts()}),
		b.Section("setting", report.Content{}),
		measured(b, summary, "steps", func(v Variant) Compared { return v.Steps }),
		measured(b, summary, "time", func(v Variant) Compared { return v.Time }),
		e.curves(b),
		b.Section("made", report.Content{Data: made}),
	), e.stages())
}

// measured is what the variants come to.
func measured(b *reproduce.Book, s *Summary, equal string, at func(Variant) Compared) report.Section {
	accuracy := func(v Variant) stats.Interval { return at(v).AboveAllOriginal }
	loss := func(v Variant) stats.Interval { return at(v).AboveBaseRate }
	return b.Section("measured", report.Content{Data: map[string]any{
		"equal":         equal,
		"more_accurate": s.beyond(accuracy, false), "less_accurate": s.beyond(accuracy, true),
		"higher_loss": s.beyond(loss, false), "lower_loss": s.beyond(loss, true),
	}})
}

// beyond names the variants whose interval is all above 0, or below.
func (s *Summary) beyond(of func(Variant) stats.Interval, below bool) string {
	var names []string
	for _, v := range s.Variants {
		interval := of(v)
		if below {
			interval = report.Negated(interval)
		}
		if report.Exceeds(interval, 0) == report.Holds {
			names = append(names, "“"+v.Name+"”")
		}
	}
	switch len(names) {
	case 0:
		return "no variant"
	case len(s.Variants):
		return "all variants"
	}
	return strings.Join(names, ", ")
}

func (e *experimenter) curves(b *reproduce.Book) report.Section {
	var records, predicting []*electra.Record
	for _, v := range variants {
		for _, t := range e.of(v) {
			records = append(records, t.record)
			if v.sampler.HasHead() {
				predicting = append(predicting, t.record)
			}
		}
	}
	figures := report.Drawings{lessPlain.Name + "-steps": b.Draw(electraplots.Steps(predicting, lessPlain))}
	for _, m := range electra.Metrics {
		figures[m.Name+"-steps"] = b.Draw(electraplots.Steps(records, m))
		if m.Name == "correct" || m.Name == "detection" {
			figures[m.Name+"-time"] = b.Draw(electraplots.Time(records, m))
		}
	}
	return b.Section("curves", report.Content{Figures: figures})
}

// correct is the place of that metric in results/summary.json.
const correct = 0

func (s *Summary) verdicts() report.Verdicts {
	focal, loss, lossFocal, dist, distFocal := s.Variants[1], s.Variants[2], s.Variants[3], s.Variants[4], s.Variants[5]
	below := func(all ...stats.Interval) report.Verdict {
		verdicts := make([]report.Verdict, len(all))
		for i, interval := range all {
			verdicts[i] = report.Exceeds(report.Negated(interval), 0)
		}
		return report.All(verdicts...)
	}
	downstream := func(loss, dist Compared) report.Verdict {
		return gated(report.All(report.Exceeds(loss.MeanAbove, 0), report.Exceeds(dist.MeanAbove, 0)),
			report.All(report.Exceeds(loss.AboveCommonest, 0), report.Exceeds(dist.AboveCommonest, 0)))
	}
	return report.Verdicts{
		"fewer-correct":    below(loss.Steps.Difference[correct], dist.Steps.Difference[correct], loss.CorrectLessPlain, dist.CorrectLessPlain),
		"variance":         below(loss.OwnLessPlain, dist.OwnLessPlain),
		"focal":            below(focal.Steps.ConfidenceAbove, lossFocal.Steps.ConfidenceAbove, distFocal.Steps.ConfidenceAbove),
		"downstream-steps": downstream(lossFocal.Steps, distFocal.Steps),
		"downstream-time":  downstream(lossFocal.Time, distFocal.Time),
	}
}

// gated is a verdict on which models are better, which can only hold if they
// are better than guessing as well.
func gated(better, learned report.Verdict) report.Verdict {
	if better == report.Holds && learned != report.Holds {
		return report.Unknown
	}
	return better
}
