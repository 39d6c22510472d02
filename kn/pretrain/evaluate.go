package pretrain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/bert"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// EvaluateOptions are the options of [Evaluate].
type EvaluateOptions struct {
	// Patterns is a folder with PARAREL's patterns, one P*.jsonl a relation;
	// "" leaves recall on them out. A model is never trained on them.
	Patterns string
	// Prompts is the number of prompts drawn for each recall. 0 stands for
	// 20,000.
	Prompts int
	// Facts is the number of facts whose neurons are looked for. 0 stands for
	// 400.
	Facts int
	// Seed of everything that is drawn. 0 stands for 1.
	Seed uint64
	// Resamples of the bootstrap behind the confidence intervals. 0 stands
	// for 2,000.
	Resamples int
}

func (o EvaluateOptions) filled() EvaluateOptions {
	o.Prompts, o.Facts = cmp.Or(o.Prompts, 20_000), cmp.Or(o.Facts, 400)
	o.Seed, o.Resamples = cmp.Or(o.Seed, 1), cmp.Or(o.Resamples, 2000)
	return o
}

// Evaluation is what [Evaluate] measures.
type Evaluation struct {
	Trained  Recall            `json:"trained"`            // prompts that training showed
	HeldOut  Recall            `json:"held_out"`           // templates that training never showed for that fact
	Patterns *Recall           `json:"patterns,omitempty"` // PARAREL's own patterns
	Neurons  NeuronStatistics  `json:"neurons"`
	Options  EvaluateOptions   `json:"options"`
	Model    kn.Provenance     `json:"model"`
	ByShown  []FrequencyRecall `json:"by_shown"` // held-out prompts by how often a fact was shown
}

// Recall says how often the answer is ranked first among the whole
// vocabulary, and how probable it is.
type Recall struct {
	Prompts int      `json:"prompts"`
	First   Interval `json:"first"` // share
	P10     float64  `json:"p10"`   // tenth percentile of the answer's probability
	Median  float64  `json:"median"`
	P90     float64  `json:"p90"`
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
	if e.Model.Digest, err = m.Digest(); err != nil {
		return nil, err
	}
	if err := e.recalls(ctx, m, taught, o, progress); err != nil {
		return nil, err
	}
	e.Neurons, err = neuronStatistics(ctx, m, taught, o, progress)
	return e, err
}

// question is a prompt about a fact.
type question struct {
	fact   int
	prompt string
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

// patternQuestions puts every fact into PARAREL's patterns of its relation.
func patternQuestions(taught []facts.Taught, dir string) ([]question, error) {
	patterns := map[string][]facts.Template{}
	var questions []question
	for i, f := range taught {
		if _, ok := patterns[f.Relation]; !ok {
			path := filepath.Join(dir, f.Relation+".jsonl")
			file, err := os.Open(path)
			if errors.Is(err, fs.ErrNotExist) {
				patterns[f.Relation] = nil // PARAREL leaves some relations out
				continue
			}
			if err != nil {
				return nil, fmt.Errorf("pretrain: %w", err)
			}
			patterns[f.Relation], err = facts.ReadPatterns(file, path)
			file.Close()
			if err != nil {
				return nil, err
			}
		}
		for _, p := range patterns[f.Relation] {
			questions = append(questions, question{i, p.Prompt(f.Subject)})
		}
	}
	if len(questions) == 0 {
		return nil, fmt.Errorf("pretrain: %s has no patterns for any of the model's relations; give the folder with files like P19.jsonl", dir)
	}
	return questions, nil
}

// answered is a question with what the model said.
type answered struct {
	question
	first       bool
	probability float64
}

// recall asks a sample of the questions.
func recall(ctx context.Context, m *kn.Model, taught []facts.Taught, questions []question, o EvaluateOptions, what string, progress kn.Progress) (Recall, []answered, error) {
	rng := rand.New(rand.NewPCG(o.Seed, 0xeca11))
	rng.Shuffle(len(questions), func(i, j int) { questions[i], questions[j] = questions[j], questions[i] })
	questions = questions[:min(o.Prompts, len(questions))]
	prompts, kept, err := spellQuestions(m, taught, questions)
	if err != nil {
		return Recall{}, nil, err
	}
	compute, err := modelScoring(m)
	if err != nil {
		return Recall{}, nil, err
	}
	first, probability, err := score(ctx, compute, prompts, func(done int) { progress(done, len(prompts), what) })
	if err != nil {
		return Recall{}, nil, err
	}
	answers := make([]answered, len(kept))
	clusters := map[int][]float64{} // by fact: its prompts are not independent
	relations := map[string][]bool{}
	for i, q := range kept {
		answers[i] = answered{q, first[i], probability[i]}
		hit := 0.0
		if first[i] {
			hit = 1
		}
		clusters[q.fact] = append(clusters[q.fact], hit)
		relations[taught[q.fact].Relation] = append(relations[taught[q.fact].Relation], first[i])
	}
	r := Recall{Prompts: len(kept), First: bootstrap(clusters, o), ByRelation: map[string]float64{}}
	for relation, hits := range relations {
		r.ByRelation[relation] = share(hits)
	}
	slices.Sort(probability)
	r.P10, r.Median, r.P90 = quantile(probability, 0.1), quantile(probability, 0.5), quantile(probability, 0.9)
	return r, answers, nil
}

// spellQuestions puts questions into ids; those longer than the model takes,
// which only foreign patterns can be, are left out.
func spellQuestions(m *kn.Model, taught []facts.Taught, questions []question) (prompts []prompt, kept []question, err error) {
	tok := m.Tokenizer()
	for _, q := range questions {
		e, mask, err := tok.Prompt(q.prompt, 0)
		if err != nil {
			return nil, nil, fmt.Errorf("pretrain: %w", err)
		}
		answer, err := tok.Single(taught[q.fact].Answer)
		if err != nil {
			return nil, nil, fmt.Errorf("pretrain: %w", err)
		}
		if padded(len(e.IDs)) > m.Config().MaxPositions {
			continue
		}
		p := prompt{mask: mask, answer: int32(answer)}
		for _, id := range e.IDs {
			p.ids = append(p.ids, int32(id))
		}
		prompts, kept = append(prompts, p), append(kept, q)
	}
	return prompts, kept, nil
}

// modelScoring scores with a loaded model.
func modelScoring(m *kn.Model) (scoring, error) {
	b, err := m.BERT()
	if err != nil {
		return nil, err
	}
	exec, err := b.NewExec(4, func(w *bert.Weights, in []*graph.Node) []*graph.Node {
		first, probability := recallGraph(w, in)
		return []*graph.Node{first, probability}
	})
	if err != nil {
		return nil, err
	}
	return func(ctx context.Context, g grid) ([]*tensors.Tensor, error) {
		return exec.Call(ctx, g.ids, g.mask, g.pick, g.answer)
	}, nil
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
			First: share(hits), Median: quantile(p, 0.5),
		})
	}
	return out
}
