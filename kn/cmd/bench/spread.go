package main

import (
	"cmp"
	"fmt"
	"slices"
)

// promptTimes are the repetitions of one of several prompts.
type promptTimes struct {
	Prompt  string    `json:"prompt"`
	Tokens  int       `json:"tokens"` // [CLS] and [SEP] included
	Seconds []float64 `json:"seconds"`
	Minimum float64   `json:"minimum"`
	Median  float64   `json:"median"`
	Nodes   float64   `json:"nodes"` // gradients a layer
}

// recordPrompts takes what each prompt took in one repetition, where the
// contender tells.
func (m *benchMeasure) recordPrompts(b *benchmark, prompts []string, taken []promptTaken) {
	if len(taken) != len(prompts) {
		return
	}
	if m.byPrompt == nil {
		for _, prompt := range prompts {
			m.byPrompt = append(m.byPrompt, promptTimes{Prompt: prompt, Tokens: len(b.tokenizer.Encode(prompt).IDs)})
		}
	}
	for i, t := range taken {
		p := &m.byPrompt[i]
		p.Seconds, p.Nodes = append(p.Seconds, t.Seconds), t.Nodes
		p.Minimum, p.Median = minimum(p.Seconds), median(p.Seconds)
	}
}

// spread turns the row of one contender that attributes several prompts one by
// one into its fastest prompt, the median one, and the slowest.
func (r *benchRowResult) spread() {
	m := r.Measures[0]
	if len(m.byPrompt) == 0 { // it was not measured, and has a note
		return
	}
	r.ByPrompt = m.byPrompt
	sorted := slices.SortedFunc(slices.Values(m.byPrompt), func(a, b promptTimes) int { return cmp.Compare(a.Median, b.Median) })
	r.Measures = nil
	for _, at := range []struct {
		name string
		p    promptTimes
	}{{"fastest", sorted[0]}, {"median", sorted[(len(sorted)-1)/2]}, {"slowest", sorted[len(sorted)-1]}} {
		r.Measures = append(r.Measures, benchMeasure{
			Contender: fmt.Sprintf("%s, %d tokens", at.name, at.p.Tokens),
			Seconds:   at.p.Seconds, Minimum: at.p.Minimum, Median: at.p.Median, Nodes: at.p.Nodes, Peak: m.Peak,
		})
	}
}
