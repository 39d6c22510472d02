package kn

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Restored says what [Model.CausalTrace] restores.
type Restored string

// What is restored at one token: the residual stream after a layer, or what
// attention or FFN adds to it in a window of layers.
const (
	RestoreState     Restored = "state"
	RestoreAttention Restored = "attention"
	RestoreFFN       Restored = "ffn"
)

// points are the hook points of what is restored.
var points = map[Restored]transformer.Point{RestoreState: transformer.ResidPost, RestoreAttention: transformer.AttentionOut, RestoreFFN: transformer.FFNOut}

// TraceOptions are the options of [Model.CausalTrace].
type TraceOptions struct {
	// Restore is what is restored; "" stands for [RestoreState].
	Restore Restored `json:"restore"`
	// Window is how many layers around one are restored together, for attention
	// and FFN. 0 stands for ROME's share, 10 of GPT-2 XL's 48 layers, and at least
	// 3, where there are as many. A state is restored in one layer.
	Window int `json:"window"`
	// Noise is the standard deviation of what is added to the subject's word
	// embeddings, in standard deviations of all entries of the word embeddings. 0
	// stands for 3.
	Noise float64 `json:"noise"`
	// Draws is the number of draws of the noise. 0 stands for 10.
	Draws int `json:"draws"`
	// Seed of the noise.
	Seed uint64 `json:"seed"`
}

// DefaultNoise is the noise of ROME, in standard deviations of the word embeddings.
const DefaultNoise = 3

func (o TraceOptions) filled(layers int) (TraceOptions, error) {
	o.Restore, o.Noise, o.Draws = cmp.Or(o.Restore, RestoreState), cmp.Or(o.Noise, DefaultNoise), cmp.Or(o.Draws, 10)
	if _, ok := points[o.Restore]; !ok {
		return o, fmt.Errorf("kn: cannot restore %q; use %q, %q or %q", o.Restore, RestoreState, RestoreAttention, RestoreFFN)
	}
	if o.Restore == RestoreState && o.Window > 1 {
		return o, fmt.Errorf("kn: a state is restored in one layer, not in a window of %d; restore %q or %q", o.Window, RestoreAttention, RestoreFFN)
	}
	if o.Window < 0 || o.Draws < 0 || o.Noise < 0 || !finite(o.Noise) {
		return o, fmt.Errorf("kn: cannot trace with a window of %d layers, %d draws and a noise of %v; all must be above 0", o.Window, o.Draws, o.Noise)
	}
	if o.Restore == RestoreState {
		o.Window = 1
	}
	o.Window = min(layers, cmp.Or(o.Window, max(3, int(math.Round(float64(layers)*10/48)))))
	return o, nil
}

// CausalTrace is what [Model.CausalTrace] computes. L is the number of layers.
type CausalTrace struct {
	Prompt  string   `json:"prompt"`
	Answer  string   `json:"answer"`
	Subject string   `json:"subject"`
	Tokens  []string `json:"tokens"`   // as the model reads them
	Noisy   []int    `json:"noisy"`    // the subject's tokens
	Mask    int      `json:"mask"`     // where the answer is predicted; of several tokens, the first
	Restore Restored `json:"restored"` // what was restored
	Window  int      `json:"window"`   // in how many layers at a time
	Sigma   float64  `json:"sigma"`    // the noise's standard deviation

	Clean     float64   `json:"clean"`     // the answer's probability without noise
	Corrupted float64   `json:"corrupted"` // with noise: mean over the draws
	Draws     []float64 `json:"draws"`     // with each draw of the noise
	// Probability is the answer's with noise and one state restored, mean over the
	// draws; in a window its middle layer counts.
	Probability [][]float64 `json:"probability"` // [L][tokens]
	// Control[l] is the mean of Probability[l] over the tokens that are neither the
	// subject's nor where the answer is predicted. Empty where there are no others.
	Control []float64 `json:"control"` // [L]

	Provenance Provenance `json:"provenance"`
}

// TotalEffect is what the noise takes of the answer's probability.
func (c CausalTrace) TotalEffect() float64 { return c.Clean - c.Corrupted }

// IndirectEffect is what restoring one state in a layer at a token gives back of
// the answer's probability: Probability less Corrupted.
func (c CausalTrace) IndirectEffect(layer, token int) float64 {
	return c.Probability[layer][token] - c.Corrupted
}

// CausalTrace finds the states through which a fact reaches the answer: causal
// tracing (Meng, Bau, Andonian and Belinkov, 2022, Locating and Editing Factual
// Associations in GPT, https://arxiv.org/abs/2202.05262). Noise is added to the
// word embeddings of the subject's tokens, so that the model does not know what is
// asked; then the value that one state has without noise is put in its place, and
// what this gives back of the answer's probability is its indirect effect:
//
//	total effect    = P - P(noise)
//	indirect effect = P(noise, state restored) - P(noise)
//
// each a mean over draws of the noise. The subject is a part of the prompt. The
// noise comes before position embeddings and LayerNorm; as in ROME it is normal,
// by default with three times the standard deviation of the embeddings, here of
// all words' entries.
//
// Controls are the run with noise and nothing restored, [CausalTrace.Corrupted],
// and that with a state restored at a token that is neither the subject's nor where
// the answer is predicted, [CausalTrace.Control]. Of an answer of several tokens P
// is the product of their probabilities. The same seed gives the same noise on every
// backend.
func (m *Model) CausalTrace(prompt, subject, answer string, options ...TraceOptions) (*CausalTrace, error) {
	o, err := optional(options)
	if err != nil {
		return nil, err
	}
	if o, err = o.filled(m.Config().Layers); err != nil {
		return nil, err
	}
	s, err := m.answerSample(Query{prompt, answer})
	if err != nil {
		return nil, err
	}
	noisy, err := subjectTokens(s.question.Prompt, prompt, subject)
	if err != nil {
		return nil, err
	}
	return cached(m, "causal trace, other tokens", []any{Query{prompt, answer}, subject, o}, func() (*CausalTrace, error) {
		return m.causalTrace(s, noisy, &CausalTrace{
			Prompt: prompt, Answer: answer, Subject: subject, Tokens: s.question.Prompt.Tokens, Noisy: noisy,
			Mask: s.question.Masks[0], Restore: o.Restore, Window: o.Window,
		}, o)
	})
}

// MustCausalTrace is [Model.CausalTrace] for notebook cells: it panics instead of returning an error.
func (m *Model) MustCausalTrace(prompt, subject, answer string, options ...TraceOptions) *CausalTrace {
	return Must(m.CausalTrace(prompt, subject, answer, options...))
}

// subjectTokens are the tokens of a prompt that have characters of its subject.
func subjectTokens(e tokenizer.Encoding, prompt, subject string) ([]int, error) {
	subject = strings.TrimSpace(subject)
	at := strings.Index(prompt, subject)
	switch {
	case subject == "":
		return nil, fmt.Errorf("kn: no subject given; name the words of the prompt %q that say what is asked about", prompt)
	case strings.Contains(subject, tokenizer.Mask):
		return nil, fmt.Errorf("kn: the subject %q holds %s, which is the answer's place; name the words that say what is asked about", subject, tokenizer.Mask)
	case at < 0:
		hint := "write it as it stands there"
		if strings.Contains(strings.ToLower(prompt), strings.ToLower(subject)) {
			hint = "it is written with other capitals"
		}
		return nil, fmt.Errorf("kn: the subject %q is not in the prompt %q; %s", subject, prompt, hint)
	case strings.Contains(prompt[at+len(subject):], subject):
		return nil, fmt.Errorf("kn: the subject %q is more than once in the prompt %q; name more of the words around one of them, or write another prompt", subject, prompt)
	}
	from := len([]rune(prompt[:at]))
	to := from + len([]rune(subject))
	var tokens []int
	for i, o := range e.Offsets {
		if o[0] < to && o[1] > from {
			tokens = append(tokens, i)
		}
	}
	if len(tokens) == 0 {
		return nil, fmt.Errorf("kn: the model reads no token of the subject %q in the prompt %q; a causal one reads only what stands before the answer", subject, prompt)
	}
	return tokens, nil
}

func (m *Model) causalTrace(s sampled, noisy []int, c *CausalTrace, o TraceOptions) (*CausalTrace, error) {
	edits, err := m.composed()
	if err != nil {
		return nil, err
	}
	tokens, layers := len(c.Tokens), m.Config().Layers
	// What the model reads in several passes is restored in each.
	inPasses := func(t int) (all []int) {
		for pass := range max(1, s.Passes) {
			all = append(all, pass*tokens+t)
		}
		return all
	}
	row := engine.Row{Sample: s.Sample, Edits: edits, Noise: engine.Noise{Tokens: noisy, Scale: o.Noise, Seed: o.Seed}}
	rows := []engine.Row{{Sample: s.Sample, Edits: edits}} // without noise, then for each draw without and with something restored
	for draw := range o.Draws {
		row.Noise.Draw = uint64(draw)
		rows = append(rows, row)
		for l := range layers {
			for t := range tokens {
				restored := row
				for k := range o.Window {
					at := l - o.Window/2 + k
					for _, place := range inPasses(t) {
						if at >= 0 && at < layers {
							restored.Restored = append(restored.Restored, engine.Place{Site: transformer.Site{Point: points[o.Restore], Layer: at}, Token: place})
						}
					}
				}
				rows = append(rows, restored)
			}
		}
	}
	results, err := m.compute(engine.Traced, rows, "states restored")
	if err != nil {
		return nil, err
	}
	sigma, err := m.compute(engine.Deviation, []engine.Row{{}}, "")
	if err != nil {
		return nil, err
	}
	c.Clean, c.Sigma = results[0].Probability, o.Noise*sigma[0].Probability
	c.Probability = make([][]float64, layers)
	for l := range c.Probability {
		c.Probability[l] = make([]float64, tokens)
	}
	share, next := 1/float64(o.Draws), results[1:]
	for range o.Draws {
		c.Draws, next = append(c.Draws, next[0].Probability), next[1:]
		for l := range layers {
			for t := range tokens {
				c.Probability[l][t] += share * next[t].Probability
			}
			next = next[tokens:]
		}
	}
	c.Corrupted, c.Control = mean(c.Draws), c.atOthers(s.question.Masks)
	c.Provenance, err = m.provenance(o)
	c.Provenance.Seed = o.Seed
	return c, err
}

// atOthers is each layer's mean over the tokens that are neither the subject's nor
// where the answer is predicted.
func (c *CausalTrace) atOthers(masks []int) (control []float64) {
	for _, row := range c.Probability {
		var others []float64
		for t, p := range row {
			if !slices.Contains(c.Noisy, t) && !slices.Contains(masks, t) {
				others = append(others, p)
			}
		}
		if len(others) == 0 {
			return nil
		}
		control = append(control, mean(others))
	}
	return control
}

// Table lists for each layer the token whose state gives back most, beside the
// mean of the tokens that are neither subject nor answer.
func (c CausalTrace) Table() Table {
	what := map[Restored]string{RestoreState: "a state", RestoreAttention: "attention", RestoreFFN: "FFN"}[c.Restore]
	t := Table{
		Title:   fmt.Sprintf("P(%s) = %s, with noise on %q %s, and %s restored: %s", c.Answer, significant(c.Clean), c.Subject, significant(c.Corrupted), what, c.Prompt),
		Columns: []string{"layer", "best at", "P", "of the total effect", "P at the subject's last token", "mean P at other tokens"},
	}
	last := c.Noisy[len(c.Noisy)-1]
	for l, p := range c.Probability {
		best := slices.Index(p, slices.Max(p))
		of, control := "-", "-"
		if c.TotalEffect() > 0 {
			of = share(c.IndirectEffect(l, best) / c.TotalEffect())
		}
		if len(c.Control) > 0 {
			control = significant(c.Control[l])
		}
		t.Rows = append(t.Rows, []string{fmt.Sprint(l), c.Tokens[best], significant(p[best]), of, significant(p[last]), control})
	}
	t.Notes = append(t.Notes, fmt.Sprintf("mean of %s of noise with standard deviation %s; with noise alone P is %s to %s",
		counted(len(c.Draws), "draw"), significant(c.Sigma), significant(slices.Min(c.Draws)), significant(slices.Max(c.Draws))))
	if c.Window > 1 {
		t.Notes = append(t.Notes, fmt.Sprintf("restored in %d layers around each", c.Window))
	}
	if c.TotalEffect() <= 0 {
		t.Notes = append(t.Notes, "the noise does not lower the probability: the answer does not depend on the subject, so there is nothing to trace")
	}
	return t
}

// String returns [CausalTrace.Table] as text.
func (c CausalTrace) String() string { return c.Table().String() }
