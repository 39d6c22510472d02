package pretrain

import (
	"cmp"
	"context"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// EvaluateOptions are the options of [Evaluate].
type EvaluateOptions struct {
	// Patterns is a folder with PARAREL's patterns, one P*.jsonl a relation;
	// "" leaves recall on them out. A model is never trained on them.
	Patterns string `json:"-"`
	// Beside is the folder of a report of "kn reproduce knowledge-neurons" on
	// another model, whose numbers are to stand beside this one's; "" is none.
	Beside string `json:"-"`
	// Prompts is the number of prompts drawn for each recall. 0 stands for
	// 20,000.
	Prompts int
	// PerRelation is the number of facts of each relation whose neurons are
	// looked for. 0 stands for 20.
	PerRelation int
	// Tolerance of the attributions, see [kn.AttributeOptions]. 0 stands for
	// 0.01, far below the threshold of 0.2 that scores are held against.
	Tolerance float64
	// Seed of everything that is drawn. 0 stands for 1.
	Seed uint64
	// Resamples of the bootstrap behind the confidence intervals. 0 stands
	// for 2,000.
	Resamples int
}

func (o EvaluateOptions) filled() EvaluateOptions {
	o.Prompts, o.PerRelation = cmp.Or(o.Prompts, 20_000), cmp.Or(o.PerRelation, 20)
	o.Tolerance = cmp.Or(o.Tolerance, 0.01)
	o.Seed, o.Resamples = cmp.Or(o.Seed, 1), cmp.Or(o.Resamples, 2000)
	return o
}

// bootstrap returns the options of the intervals.
func (o EvaluateOptions) bootstrap() stats.Options {
	return stats.Options{Resamples: o.Resamples, Seed: o.Seed}
}

// Evaluation is what [Evaluate] measures.
type Evaluation struct {
	Trained  Recall            `json:"trained"`            // prompts that training showed
	HeldOut  Recall            `json:"held_out"`           // templates that training never showed for that fact
	Patterns *Recall           `json:"patterns,omitempty"` // PARAREL's own patterns
	Neurons  NeuronStatistics  `json:"neurons"`
	Beside   *Reported         `json:"beside,omitempty"` // another model's
	Options  EvaluateOptions   `json:"options"`
	Model    kn.Provenance     `json:"model"`
	ByShown  []FrequencyRecall `json:"by_shown"` // held-out prompts by how often a fact was shown
}

// Recall says how often the answer is ranked first among the whole
// vocabulary, and how probable it is.
type Recall struct {
	Prompts int            `json:"prompts"`
	First   stats.Interval `json:"first"` // share
	P10     float64        `json:"p10"`   // tenth percentile of the answer's probability
	Median  float64        `json:"median"`
	P90     float64        `json:"p90"`
	// ByRelation is the share for each relation.
	ByRelation map[string]float64 `json:"by_relation"`
}

// FrequencyRecall is recall on held-out prompts of facts shown about equally
// often.
type FrequencyRecall struct {
	Least  int     `json:"least"` // times shown
	Most   int     `json:"most"`
	First  float64 `json:"first"`
	Median float64 `json:"median"`
}

// Evaluate measures a model that [Run] made: recall on trained prompts, on
// templates held out and on PARAREL's patterns, and what its knowledge neurons
// do. dir is the model's folder, or the name of an embedded one. progress may
// be nil.
func Evaluate(ctx context.Context, dir string, o EvaluateOptions, progress kn.Progress) (*Evaluation, error) {
	o = o.filled()
	if progress == nil {
		progress = func(int, int, string) {}
	}
	m, err := kn.Load(dir, kn.WithContext(ctx), kn.WithCache("off"))
	if err != nil {
		return nil, err
	}
	taught, err := m.Facts()
	if err != nil {
		return nil, err
	}
	e := &Evaluation{Options: o}
	if o.Beside != "" {
		if e.Beside, err = readReported(o.Beside); err != nil {
			return nil, err
		}
	}
	if e.Model.Digest, err = m.Digest(); err != nil {
		return nil, err
	}
	if err := e.recalls(ctx, m, taught, o, progress); err != nil {
		return nil, err
	}
	e.Neurons, err = neuronStatistics(ctx, m, taught, o, progress)
	return e, err
}

func (e *Evaluation) recalls(ctx context.Context, m *kn.Model, taught []facts.Taught, o EvaluateOptions, progress kn.Progress) error {
	for _, held := range []bool{false, true} {
		var questions []question
		for i, f := range taught {
			prompts, err := f.Prompts(held)
			if err != nil {
				return err
			}
			for _, p := range prompts {
				questions = append(questions, question{i, p})
			}
		}
		r, answers, err := recall(ctx, m, taught, questions, o, map[bool]string{false: "trained prompts", true: "held-out prompts"}[held], progress)
		if err != nil {
			return err
		}
		if held {
			e.HeldOut, e.ByShown = r, byShown(taught, answers)
		} else {
			e.Trained = r
		}
	}
	if o.Patterns == "" {
		return nil
	}
	questions, err := patternQuestions(taught, o.Patterns)
	if err != nil {
		return err
	}
	r, _, err := recall(ctx, m, taught, questions, o, "PARAREL prompts", progress)
	e.Patterns = &r
	return err
}

// byShown groups answers by how often their facts were shown, in fifths of
// the prompts.
func byShown(taught []facts.Taught, answers []answered) []FrequencyRecall {
	slices.SortFunc(answers, func(a, b answered) int { return cmp.Compare(taught[a.fact].Shown, taught[b.fact].Shown) })
	var out []FrequencyRecall
	if len(answers) == 0 {
		return out
	}
	for some := range slices.Chunk(answers, (len(answers)+4)/5) {
		var hits []bool
		var p []float64
		for _, a := range some {
			hits, p = append(hits, a.first), append(p, a.probability)
		}
		slices.Sort(p)
		out = append(out, FrequencyRecall{
			Least: taught[some[0].fact].Shown, Most: taught[some[len(some)-1].fact].Shown,
			First: share(hits), Median: stats.Quantile(p, 0.5),
		})
	}
	return out
}
