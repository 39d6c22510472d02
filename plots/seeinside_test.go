package plots_test

import (
	"math"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/charttest"
)

// TestSeeInsideSVG: the figures have their tokens, layers and answer in them, in
// every size, for long prompts, and for a trace in which nothing happens.
func TestSeeInsideSVG(t *testing.T) {
	long, flat := logitLens(), causalTrace()
	for k := range long.Cells {
		for range 40 {
			long.Cells[k] = append(long.Cells[k], long.Cells[k][1])
		}
	}
	for range 40 {
		long.Tokens = append(long.Tokens[:len(long.Tokens):len(long.Tokens)], "extraordinarily")
	}
	flat.Clean, flat.Corrupted = 0, 0
	for l, row := range flat.Probability {
		clear(row)
		flat.Control[l] = 0
	}
	for _, o := range []plots.Options{{}, {Size: plots.PaperColumn}} {
		for name, f := range map[string]*plots.Figure{
			"trace": plots.MustCausalTrace(causalTrace(), o), "flat": plots.MustCausalTrace(flat, o),
			"lens": plots.MustLogitLens(logitLens(), o), "long": plots.MustLogitLens(long, o),
		} {
			text := charttest.Text(t, charttest.SVG(t, f))
			want := []string{"P(Paris)"}
			switch name {
			case "trace":
				want = append(want, "France *", "mean of others", "Layer", "11")
			case "lens":
				want = append(want, "embeddings", "After layer", "11")
			}
			for _, w := range want {
				if !strings.Contains(text, w) {
					t.Errorf("%s, %v: no %q in %q", name, o.Size.Width, w, text)
				}
			}
		}
	}
}

func TestSeeInsideBadInput(t *testing.T) {
	trace := func(change func(*kn.CausalTrace)) error {
		c := causalTrace()
		change(c)
		_, err := plots.CausalTrace(c)
		return err
	}
	lens := func(change func(*kn.LogitLens)) error {
		l := logitLens()
		change(l)
		_, err := plots.LogitLens(l)
		return err
	}
	tokens := func(change func(*kn.TokenAttribution)) error {
		a := tokenAttribution()
		change(a)
		_, err := plots.TokenAttribution(a)
		return err
	}
	parts := func(change func(*kn.LogitParts)) error {
		p := logitParts()
		change(p)
		_, bars := plots.LogitParts(p)
		if _, heads := plots.LogitHeads(p); (heads == nil) != (bars == nil) {
			t.Errorf("of the same parts one chart says %v, the other %v", bars, heads)
		}
		return bars
	}
	_, nilTokens := plots.TokenAttribution(nil)
	_, nilParts := plots.LogitParts(nil)
	nilTrace, nilLens := func() error { _, err := plots.CausalTrace(nil); return err }(), func() error { _, err := plots.LogitLens(nil); return err }()
	for words, err := range map[string]error{
		"causal trace to draw is nil": nilTrace,
		"token attribution to draw":   nilTokens,
		"logit parts to draw is nil":  nilParts,
		"attribution has no tokens":   tokens(func(a *kn.TokenAttribution) { a.Tokens = nil }),
		"token 12 of 9":               tokens(func(a *kn.TokenAttribution) { a.Mask = 12 }),
		"Scores has 2 values":         tokens(func(a *kn.TokenAttribution) { a.Scores = a.Scores[:2] }),
		"Occlusion[3] is NaN":         tokens(func(a *kn.TokenAttribution) { a.Occlusion[3] = math.NaN() }),
		"no layers or no heads":       parts(func(p *kn.LogitParts) { p.Answers.FFN = nil }),
		"Control.Heads[2] has 1":      parts(func(p *kn.LogitParts) { p.Control.Heads[2] = p.Control.Heads[2][:1] }),
		"Answers.Attention has 3":     parts(func(p *kn.LogitParts) { p.Answers.Attention = p.Answers.Attention[:3] }),
		"Answers[1] is +Inf":          parts(func(p *kn.LogitParts) { p.Answers.Biases = math.Inf(1) }),
		"logit lens to draw is nil":   nilLens,
		"has no layers":               trace(func(c *kn.CausalTrace) { c.Probability = nil }),
		"Control has 1 values":        trace(func(c *kn.CausalTrace) { c.Control = c.Control[:1] }),
		"Probability[3] has 2":        trace(func(c *kn.CausalTrace) { c.Probability[3] = c.Probability[3][:2] }),
		"Probability[2][1] is NaN":    trace(func(c *kn.CausalTrace) { c.Probability[2][1] = math.NaN() }),
		"no probability":              trace(func(c *kn.CausalTrace) { c.Clean = 2 }),
		"names token 40":              trace(func(c *kn.CausalTrace) { c.Noisy = []int{40} }),
		"lens has no layers":          lens(func(l *kn.LogitLens) { l.Cells = nil }),
		"token 9 of 9":                lens(func(l *kn.LogitLens) { l.Mask = 9 }),
		"Cells[4] has 1":              lens(func(l *kn.LogitLens) { l.Cells[4] = l.Cells[4][:1] }),
		"Cells[0][0] is -1":           lens(func(l *kn.LogitLens) { l.Cells[0][0].Probability = -1 }),
	} {
		if err == nil || !strings.Contains(err.Error(), words) {
			t.Errorf("want an error with %q, got %v", words, err)
		}
	}
}
