package pretrain

import (
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
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// question is a prompt about a fact.
type question struct {
	fact   int
	prompt string
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
	r := Recall{Prompts: len(kept), First: stats.Bootstrap(clusters, o.bootstrap()), ByRelation: map[string]float64{}}
	for relation, hits := range relations {
		r.ByRelation[relation] = share(hits)
	}
	slices.Sort(probability)
	r.P10, r.Median, r.P90 = stats.Quantile(probability, 0.1), stats.Quantile(probability, 0.5), stats.Quantile(probability, 0.9)
	return r, answers, nil
}

// spellQuestions puts questions into ids. Those longer than the model takes,
// which only foreign patterns can be, are left out, and for a causal model
// those whose answer does not come last.
func spellQuestions(m *kn.Model, taught []facts.Taught, questions []question) (prompts []prompt, kept []question, err error) {
	tok := m.Tokenizer()
	for _, q := range questions {
		ask, err := tok.Ask(q.prompt, "", tokenizer.AskOptions{Causal: m.Config().Causal()})
		if errors.Is(err, tokenizer.ErrNotLast) {
			continue
		}
		if err != nil {
			return nil, nil, fmt.Errorf("pretrain: %w", err)
		}
		answer, err := tok.SingleAt(ask.Prompt, taught[q.fact].Answer)
		if err != nil {
			return nil, nil, fmt.Errorf("pretrain: %w", err)
		}
		if padded(len(ask.IDs)) > m.Config().MaxPositions {
			continue
		}
		p := prompt{mask: ask.Places[0], answer: int32(answer)}
		for _, id := range ask.IDs {
			p.ids = append(p.ids, int32(id))
		}
		prompts, kept = append(prompts, p), append(kept, q)
	}
	return prompts, kept, nil
}

// modelScoring scores with a loaded model.
func modelScoring(m *kn.Model) (scoring, error) {
	b, err := m.Transformer()
	if err != nil {
		return nil, err
	}
	exec, err := b.NewExec(4, func(w *transformer.Weights, in []*graph.Node) []*graph.Node {
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
