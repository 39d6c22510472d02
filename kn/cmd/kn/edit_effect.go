package main

import (
	"bytes"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

type editResult struct {
	Edits   []kn.Edit      `json:"edits"`
	Effects []promptEffect `json:"effects"`
	Out     string         `json:"out,omitempty"`
}

// promptEffect is what edits do to one prompt.
type promptEffect struct {
	Prompt      string              `json:"prompt"`
	FirstBefore kn.TokenProbability `json:"first_before"` // most probable
	FirstAfter  kn.TokenProbability `json:"first_after"`
	Tokens      []tokenEffect       `json:"tokens"` // the answer, and an update's new one
}

type tokenEffect struct {
	Token  string   `json:"token"`
	ID     int      `json:"id"`
	Before standing `json:"before"`
	After  standing `json:"after"`
}

// standing is a token's among the vocabulary.
type standing struct {
	Probability float64 `json:"probability"`
	Rank        int     `json:"rank"`
}

// question is a prompt with the tokens to look at.
type question struct {
	prompt string
	tokens []string // none: what comes first before the edits
}

func newQuestion(prompt string, tokens ...string) question {
	q := question{prompt: prompt}
	for _, token := range tokens {
		if token != "" {
			q.tokens = append(q.tokens, token)
		}
	}
	return q
}

// effects answers the questions before edits and after them.
func effects(plain, edited *kn.Model, questions []question) ([]promptEffect, error) {
	var trials []kn.Trial
	for i, q := range questions {
		if len(q.tokens) == 0 {
			p, err := plain.Predict(q.prompt)
			if err != nil {
				return nil, err
			}
			questions[i].tokens = []string{firstWord(plain, p)}
		}
		for _, token := range questions[i].tokens {
			trials = append(trials, kn.Trial{Query: kn.Query{Prompt: q.prompt, Answer: token}})
		}
	}
	before, err := plain.Outcomes(trials)
	if err != nil {
		return nil, err
	}
	after, err := edited.Outcomes(trials)
	if err != nil {
		return nil, err
	}
	all := []promptEffect{}
	for _, q := range questions {
		e := promptEffect{Prompt: q.prompt, FirstBefore: before[0].Top, FirstAfter: after[0].Top}
		for range q.tokens {
			b, a := before[0].Answer, after[0].Answer
			e.Tokens = append(e.Tokens, tokenEffect{b.Token, b.ID, standing{b.Probability, b.Rank}, standing{a.Probability, a.Rank}})
			before, after = before[1:], after[1:]
		}
		all = append(all, e)
	}
	return all, nil
}

// firstWord is the most probable token that can be asked about.
func firstWord(m *kn.Model, p *kn.Prediction) string {
	for _, t := range p.Predictions {
		if !m.Tokenizer().IsSpecial(t.ID) {
			return t.Token
		}
	}
	return p.Predictions[0].Token
}

func (r *editResult) write(w *bytes.Buffer, s cli.Style) {
	t := newTable("edit", ">neurons", "", "which")
	for _, e := range r.Edits {
		t.add(nil, string(e.Op), len(e.Neurons), inWords(e), joinNeurons(e.Neurons))
	}
	t.write(w, s)
	if len(r.Effects) > 0 {
		fmt.Fprintln(w)
		r.writeEffects(w, s)
	}
	if r.Out != "" {
		fmt.Fprintf(w, "\nsaved in %s\n", s.Good(r.Out))
	}
}

// inWords says by how much an edit changes its neurons.
func inWords(e kn.Edit) string {
	where := "at [MASK]"
	if e.Everywhere {
		where = "everywhere"
	}
	switch e.Op {
	case kn.OpScale:
		return fmt.Sprintf("times %g %s", e.Value, where)
	case kn.OpSet:
		return fmt.Sprintf("to %g %s", e.Value, where)
	case kn.OpUpdate:
		return fmt.Sprintf("%s to %s, λ1 = %g, λ2 = %g", e.Old, e.New, e.Lambda1, e.Lambda2)
	}
	return "weights to 0"
}

func (r *editResult) writeEffects(w *bytes.Buffer, s cli.Style) {
	t := newTable("token", ">rank", ">probability", ">rank after", ">probability after", "first after", "prompt")
	var first [2]int
	for _, e := range r.Effects {
		for i, token := range e.Tokens {
			paint, top, prompt := (func(a ...any) string)(nil), e.FirstAfter.Token, e.Prompt
			if i > 0 {
				paint, top, prompt = s.Good, "", ""
			}
			t.add(paint, token.Token, token.Before.Rank, token.Before.Probability, token.After.Rank, token.After.Probability, top, prompt)
		}
		for k, at := range []standing{e.Tokens[0].Before, e.Tokens[0].After} {
			if at.Rank == 1 {
				first[k]++
			}
		}
	}
	t.write(w, s)
	fmt.Fprintln(w, s.Faint(fmt.Sprintf("the answer comes first in %d of %d prompts before, in %d after", first[0], len(r.Effects), first[1])))
}
