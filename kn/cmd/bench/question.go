package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// benchQuestion is a prompt with the answer that is attributed.
type benchQuestion struct {
	Prompt      string          `json:"prompt"`
	Tokens      int             `json:"tokens"` // of the prompt, [CLS] and [SEP] included
	Answer      string          `json:"answer"` // as the vocabulary spells it
	Probability float64         `json:"probability"`
	Reference   *benchReference `json:"reference,omitempty"` // null if no row asked for it
}

// benchReference is what errors are measured against.
type benchReference struct {
	Contender  string  `json:"contender"`
	Nodes      int     `json:"nodes"`       // of Gauss-Legendre
	CheckNodes int     `json:"check_nodes"` // with which it was computed once more
	Difference float64 `json:"difference"`  // of the two, as a share of the largest score
	scores     []float64
}

// asked tells which question a contender answers, and against whose reference
// its scores are judged.
type asked int

const (
	another   asked = iota // one of its own, which has no reference
	thePrompt              // that of --prompt
	theFact                // the nine prompts', judged by the built-in one of them
)

// question is the one that is asked, or nil. The nine prompts of one fact have
// one of their own when --prompt asks something else.
func (b *benchmark) question(what asked) *benchQuestion {
	switch {
	case what == another:
		return nil
	case what == theFact && b.Fact != nil:
		return b.Fact
	default:
		return &b.benchQuestion
	}
}

// checkQuestion reports a prompt or an answer that the model cannot be asked,
// before anything takes long.
func (b *benchmark) checkQuestion(o benchOptions) error {
	if _, _, err := b.tokenizer.Prompt(o.prompt, b.maxPositions); err != nil {
		return err
	}
	if !o.answered {
		return nil
	}
	_, err := b.tokenizer.Single(o.answer)
	return err
}

// choose settles the questions.
func (b *benchmark) choose(ctx context.Context, o benchOptions) (err error) {
	builtIn, usual := benchPrompts[benchPrompt], ""
	if _, err := b.tokenizer.Single(benchTruth); b.trained && err == nil {
		usual = benchTruth
	}
	own := o.prompt != builtIn
	answer := usual
	if own || o.answered {
		answer = o.answer
	}
	if b.benchQuestion, err = b.settle(ctx, o.prompt, answer); err != nil || !own {
		return err
	}
	fact, err := b.settle(ctx, builtIn, usual)
	b.Fact = &fact
	return err
}

// settle looks up the answer's probability. Where no answer is given it takes
// the most probable word, so that it is not a vanishing probability that is
// attributed.
func (b *benchmark) settle(ctx context.Context, prompt, answer string) (benchQuestion, error) {
	q := benchQuestion{Prompt: prompt, Tokens: len(b.tokenizer.Encode(prompt).IDs)}
	args := []string{"predict", "--json", "--top", "100", "--model", b.Model, "--prompt", prompt}
	if answer != "" {
		args = append(args, "--answer", answer)
	}
	p := &processContender{command: command(b.kn, []string{"KN_CACHE=off", "KN_BACKEND=" + benchGo}, args...), folder: b.scratch}
	p.read = func(stdout []byte) (sample, error) {
		var r kn.Prediction
		if err := json.Unmarshal(stdout, &r); err != nil {
			return sample{}, err
		}
		if r.Answer != nil {
			q.Answer, q.Probability = r.Answer.Token, r.Answer.Probability
			return sample{}, nil
		}
		for _, token := range r.Predictions {
			_, err := b.tokenizer.Single(token.Token)
			if err == nil && !strings.HasPrefix(token.Token, "##") {
				q.Answer, q.Probability = token.Token, token.Probability
				return sample{}, nil
			}
		}
		return sample{}, errors.New("none of the most probable tokens is a word; choose one with --answer")
	}
	if _, err := p.once(ctx); err != nil {
		return q, fmt.Errorf("no answer for the prompt: %w", err)
	}
	return q, nil
}

// makeReference computes what errors are measured against, on XLA where that
// is there.
func (b *benchmark) makeReference(ctx context.Context, q *benchQuestion) error {
	const nodes, check = 64, 128
	var fine []float64
	for _, backend := range []string{benchXLA, benchGo} {
		r := &benchReference{Contender: "kn on " + backend, Nodes: nodes, CheckNodes: check}
		var err error
		for _, n := range []int{nodes, check} {
			b.say("reference: %s, %d Gauss-Legendre nodes", r.Contender, n)
			var s sample
			if s, err = b.integrate(ctx, q, backend, n); err != nil {
				break
			}
			if n == nodes {
				r.scores = s.scores
			}
			fine = s.scores
		}
		if err == nil {
			r.Difference, err = shareOfLargest(r.scores, fine)
		}
		if err == nil {
			q.Reference = r
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if backend == benchGo {
			return fmt.Errorf("the reference cannot be computed: %w", err)
		}
		b.say("reference: %v", err)
	}
	return nil
}

func (b *benchmark) integrate(ctx context.Context, q *benchQuestion, backend string, nodes int) (sample, error) {
	c, err := ours(backend, benchRequest{
		Prompts: []string{q.Prompt}, Answer: q.Answer, Rule: kn.GaussLegendre, Nodes: nodes,
	})(b)
	if err != nil {
		return sample{}, err
	}
	defer c.close()
	return c.start(ctx)
}
