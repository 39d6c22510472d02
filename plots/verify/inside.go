package verify

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
)

// lens is what the head would predict after each layer.
type lens struct{ kn.LogitLens }

func (r *lens) into() any                    { return &r.LogitLens }
func (r *lens) provenances() []kn.Provenance { return []kn.Provenance{r.Provenance} }

func (r *lens) draw(o plots.Options) (*plots.Figure, error) { return plots.LogitLens(&r.LogitLens, o) }

func (r *lens) limits() error {
	_, err := optionsOf[struct{}](r.Provenance)
	return err
}

func (r *lens) fits(models []*kn.Model) error {
	return ofTokens(len(r.Cells)-1, len(r.Tokens), models[0])
}

// ofTokens says whether a result is of as many layers as the model has, and of no
// more tokens than it takes.
func ofTokens(layers, tokens int, m *kn.Model) error {
	if c := m.Config(); layers != c.Layers || tokens > c.MaxPositions {
		return fmt.Errorf("it is of %d layers and %d tokens, and its model has %d and takes %d", layers, tokens, c.Layers, c.MaxPositions)
	}
	return nil
}

func (r *lens) again(_ context.Context, c *comparison, models []*kn.Model, _ kn.Progress) error {
	got, err := models[0].LogitLens(r.Prompt, r.Answer)
	if err != nil {
		return err
	}
	c.provenance("", r.Provenance, got.Provenance)
	c.exactly("token", r.Token, got.Token)
	c.exactly("words of the vocabulary", r.Vocabulary, got.Vocabulary)
	if !c.tokens(r.Tokens, got.Tokens, r.Mask, got.Mask) {
		return nil
	}
	largest := 0.0
	for _, row := range got.Cells {
		for _, cell := range row {
			largest = max(largest, cell.Probability)
		}
	}
	for k, row := range got.Cells {
		after := fmt.Sprintf("after layer %d", k-1)
		if k == 0 {
			after = "of the embeddings"
		}
		for t, cell := range row {
			at := fmt.Sprintf("%s at token %d", after, t)
			c.exactly("most probable token "+at, r.Cells[k][t].Top, cell.Top)
			c.number("its probability "+at, r.Cells[k][t].TopProbability, cell.TopProbability, 1)
			c.number("probability of the answer "+at, r.Cells[k][t].Probability, cell.Probability, largest)
			c.number("rank of the answer "+at, float64(r.Cells[k][t].Rank), float64(cell.Rank), float64(got.Vocabulary))
		}
	}
	c.numbers(func(k int) string { return fmt.Sprintf("mean probability elsewhere, row %d", k) }, r.Control, got.Control, largest)
	return nil
}

// tokens compares what the model reads, and says whether it is the same.
func (c *comparison) tokens(figure, computed []string, mask, at int) bool {
	c.exactly("tokens", fmt.Sprintf("%q", figure), fmt.Sprintf("%q", computed))
	c.exactly("where the answer is predicted", mask, at)
	return len(figure) == len(computed)
}

// trace is a causal trace.
type trace struct{ kn.CausalTrace }

func (r *trace) into() any                    { return &r.CausalTrace }
func (r *trace) provenances() []kn.Provenance { return []kn.Provenance{r.Provenance} }

func (r *trace) draw(o plots.Options) (*plots.Figure, error) {
	return plots.CausalTrace(&r.CausalTrace, o)
}

func (r *trace) limits() error {
	o, err := optionsOf[kn.TraceOptions](r.Provenance)
	switch {
	case err != nil:
		return err
	case o.Draws < 0 || o.Draws > mostDraws:
		return fmt.Errorf("%d draws of noise", o.Draws)
	}
	return few("runs of the model", mostRuns, o.Draws, len(r.Probability), len(r.Tokens))
}

func (r *trace) fits(models []*kn.Model) error {
	return ofTokens(len(r.Probability), len(r.Tokens), models[0])
}

func (r *trace) again(_ context.Context, c *comparison, models []*kn.Model, _ kn.Progress) error {
	o, err := optionsOf[kn.TraceOptions](r.Provenance)
	if err != nil {
		return err
	}
	o.Seed = r.Provenance.Seed
	got, err := models[0].CausalTrace(r.Prompt, r.Subject, r.Answer, o)
	if err != nil {
		return err
	}
	c.provenance("", r.Provenance, got.Provenance)
	c.exactly("tokens with noise", r.Noisy, got.Noisy)
	c.exactly("what is restored", r.Restore, got.Restore)
	c.exactly("layers restored together", r.Window, got.Window)
	c.number("the noise's standard deviation", r.Sigma, got.Sigma, got.Sigma)
	if !c.tokens(r.Tokens, got.Tokens, r.Mask, got.Mask) {
		return nil
	}
	largest := max(got.Clean, got.Corrupted, slices.Max(slices.Concat(got.Probability...)))
	c.number("probability without noise", r.Clean, got.Clean, largest)
	c.number("probability with noise alone", r.Corrupted, got.Corrupted, largest)
	c.numbers(func(i int) string { return fmt.Sprintf("probability with draw %d of the noise alone", i+1) }, r.Draws, got.Draws, largest)
	for l, row := range got.Probability {
		c.numbers(func(t int) string { return fmt.Sprintf("probability with layer %d restored at token %d", l, t) }, r.Probability[l], row, largest)
	}
	c.numbers(func(l int) string { return fmt.Sprintf("mean probability with layer %d restored at other tokens", l) }, r.Control, got.Control, largest)
	return nil
}

// tokenAttribution are the scores of tokens.
type tokenAttribution struct{ kn.TokenAttribution }

func (r *tokenAttribution) into() any                    { return &r.TokenAttribution }
func (r *tokenAttribution) provenances() []kn.Provenance { return []kn.Provenance{r.Provenance} }

func (r *tokenAttribution) draw(o plots.Options) (*plots.Figure, error) {
	return plots.TokenAttribution(&r.TokenAttribution, o)
}

func (r *tokenAttribution) limits() error {
	o, err := optionsOf[kn.TokenOptions](r.Provenance)
	if err != nil {
		return err
	}
	return few("nodes of an integral", mostNodes, o.Nodes)
}

func (r *tokenAttribution) fits(models []*kn.Model) error {
	return ofTokens(models[0].Config().Layers, len(r.Tokens), models[0])
}

func (r *tokenAttribution) again(_ context.Context, c *comparison, models []*kn.Model, _ kn.Progress) error {
	o, err := optionsOf[kn.TokenOptions](r.Provenance)
	if err != nil {
		return err
	}
	got, err := models[0].AttributeTokens(r.Prompt, r.Answer, o)
	if err != nil {
		return err
	}
	c.provenance("", r.Provenance, got.Provenance)
	c.exactly("rule", r.Rule, got.Rule)
	c.exactly("baseline", r.Baseline, got.Baseline)
	c.exactly("target", r.Target, got.Target)
	c.exactly("the other answer", r.Against, got.Against)
	c.exactly("whether it did not converge", r.NotConverged, got.NotConverged)
	if !c.tokens(r.Tokens, got.Tokens, r.Mask, got.Mask) {
		return nil
	}
	largest := 0.0
	for t, s := range got.Scores {
		largest = max(largest, math.Abs(s), math.Abs(got.Occlusion[t]))
	}
	ends := max(largest, math.Abs(got.Value), math.Abs(got.ValueAtBaseline))
	c.number("target of the prompt", r.Value, got.Value, ends)
	c.number("target of the baseline", r.ValueAtBaseline, got.ValueAtBaseline, ends)
	c.numbers(func(t int) string { return fmt.Sprintf("score of token %d", t) }, r.Scores, got.Scores, largest)
	c.numbers(func(t int) string { return fmt.Sprintf("lost without token %d", t) }, r.Occlusion, got.Occlusion, largest)
	c.number("completeness error", r.CompletenessError, got.CompletenessError, largest)
	c.number("estimated error", r.EstimatedError, got.EstimatedError, largest)
	return nil
}

// logitParts are a logit taken apart, in one of two charts.
type logitParts struct {
	kn.LogitParts
	chart func(*kn.LogitParts, ...plots.Options) (*plots.Figure, error)
}

func (r *logitParts) into() any                    { return &r.LogitParts }
func (r *logitParts) provenances() []kn.Provenance { return []kn.Provenance{r.Provenance} }

func (r *logitParts) draw(o plots.Options) (*plots.Figure, error) { return r.chart(&r.LogitParts, o) }

func (r *logitParts) limits() error {
	_, err := optionsOf[kn.LogitOptions](r.Provenance)
	return err
}

func (r *logitParts) fits(models []*kn.Model) error {
	c := models[0].Config()
	for _, p := range []*kn.Parts{&r.Answers, r.Control} {
		if p == nil {
			continue
		}
		if len(p.FFN) != c.Layers || len(p.Attention) != c.Layers || len(p.Heads) != c.Layers || len(p.AttentionBias) != c.Layers {
			return fmt.Errorf("its parts are not of the %d layers that its model has", c.Layers)
		}
		for _, heads := range p.Heads {
			if len(heads) != c.Heads {
				return fmt.Errorf("a layer has %d heads, and its model's have %d", len(heads), c.Heads)
			}
		}
	}
	return nil
}

func (r *logitParts) again(_ context.Context, c *comparison, models []*kn.Model, _ kn.Progress) error {
	o, err := optionsOf[kn.LogitOptions](r.Provenance)
	if err != nil {
		return err
	}
	got, err := models[0].LogitParts(r.Prompt, r.Answer, o)
	if err != nil {
		return err
	}
	c.provenance("", r.Provenance, got.Provenance)
	c.exactly("token", r.Token, got.Token)
	c.exactly("the other token", r.Against, got.Against)
	c.exactly("whether the mean word is there", r.Control != nil, got.Control != nil)
	c.parts("", r.Answers, got.Answers)
	if r.Control != nil && got.Control != nil {
		c.parts("to the mean word, ", *r.Control, *got.Control)
	}
	return nil
}

// parts compares what the parts of a model add to a logit.
func (c *comparison) parts(to string, figure, computed kn.Parts) {
	largest := 0.0
	for _, v := range append(slices.Concat(computed.Attention, computed.FFN), computed.Embeddings, computed.Biases, computed.Sum) {
		largest = max(largest, math.Abs(v))
	}
	c.number(to+"embeddings", figure.Embeddings, computed.Embeddings, largest)
	c.number(to+"biases", figure.Biases, computed.Biases, largest)
	c.number(to+"sum", figure.Sum, computed.Sum, largest)
	c.number(to+"logit", figure.Logit, computed.Logit, largest)
	layer := func(what string) func(l int) string {
		return func(l int) string { return fmt.Sprintf("%s%s of layer %d", to, what, l) }
	}
	c.numbers(layer("attention"), figure.Attention, computed.Attention, largest)
	c.numbers(layer("bias of attention"), figure.AttentionBias, computed.AttentionBias, largest)
	c.numbers(layer("FFN"), figure.FFN, computed.FFN, largest)
	for l, heads := range computed.Heads {
		c.numbers(func(h int) string { return fmt.Sprintf("%shead %d of layer %d", to, h, l) }, figure.Heads[l], heads, largest)
	}
}
