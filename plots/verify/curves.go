package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
)

// curves are those of a set of neurons over factors.
type curves struct{ kn.FactorCurves }

func (r *curves) into() any                    { return &r.FactorCurves }
func (r *curves) provenances() []kn.Provenance { return []kn.Provenance{r.Provenance} }
func (r *curves) fits([]*kn.Model) error       { return nil }

func (r *curves) draw(o plots.Options) (*plots.Figure, error) {
	return plots.FactorCurves(&r.FactorCurves, o)
}

func (r *curves) limits() error {
	o, err := optionsOf[kn.CurveOptions](r.Provenance)
	switch {
	case err != nil:
		return err
	case o.Draws < 0 || o.Draws > mostDraws || len(o.Factors) == 0:
		return fmt.Errorf("curves of %d factors with %d random controls", len(o.Factors), o.Draws)
	}
	return few("runs of the model", mostRuns, len(r.Prompts), len(o.Factors), o.Draws+2)
}

// few says whether a product is no more than what a figure of ours takes.
func few(what string, most int, factors ...int) error {
	product := 1.0
	for _, n := range factors {
		product *= float64(n)
	}
	if product > float64(most) {
		return fmt.Errorf("it would take %.0f %s, and figures take %d at most", product, what, most)
	}
	return nil
}

func (r *curves) again(_ context.Context, c *comparison, models []*kn.Model, _ kn.Progress) error {
	o, err := optionsOf[kn.CurveOptions](r.Provenance)
	if err != nil {
		return err
	}
	got, err := models[0].FactorCurves(r.Prompts, r.Answer, r.Own.Neurons, o)
	if err != nil {
		return err
	}
	largest := got.Probability
	for _, curve := range []kn.Curve{got.Own, got.Random, got.Matched} {
		largest = max(largest, slices.Max(append(slices.Concat(curve.Probability, curve.High), 0)))
	}
	c.provenance("", r.Provenance, got.Provenance)
	c.number("probability, unmodified", r.Probability, got.Probability, largest)
	c.curve(r.Own, got.Own, largest)
	c.curve(r.Random, got.Random, largest)
	c.curve(r.Matched, got.Matched, largest)
	c.note("the %d neurons that are scaled are taken as given", len(r.Own.Neurons))
	return nil
}

func (c *comparison) curve(figure, computed kn.Curve, largest float64) {
	name := computed.Label
	c.exactly(name+": label", figure.Label, computed.Label)
	c.exactly(name+": neurons", figure.Neurons, computed.Neurons)
	c.exactly(name+": factors", figure.Factors, computed.Factors)
	at := func(which string) func(i int) string {
		return func(i int) string {
			if i < len(computed.Factors) {
				return fmt.Sprintf("%s, %s at factor %g", name, which, computed.Factors[i])
			}
			return fmt.Sprintf("%s, %s at point %d", name, which, i+1)
		}
	}
	c.numbers(at("probability"), figure.Probability, computed.Probability, largest)
	c.numbers(at("lowest"), figure.Low, computed.Low, largest)
	c.numbers(at("highest"), figure.High, computed.High, largest)
}

// scatter is activation against probability.
type scatter struct{ kn.ActivationScatter }

func (r *scatter) into() any                    { return &r.ActivationScatter }
func (r *scatter) provenances() []kn.Provenance { return []kn.Provenance{r.Provenance} }
func (r *scatter) fits([]*kn.Model) error       { return nil }

func (r *scatter) draw(o plots.Options) (*plots.Figure, error) {
	return plots.ActivationScatter(&r.ActivationScatter, o)
}

func (r *scatter) limits() error {
	if _, err := optionsOf[struct{}](r.Provenance); err != nil {
		return err
	}
	return few("prompts", mostPrompts, len(r.Points))
}

func (r *scatter) again(_ context.Context, c *comparison, models []*kn.Model, _ kn.Progress) error {
	var queries []kn.Query
	grouped := false
	for _, p := range r.Points {
		queries = append(queries, kn.Query{Prompt: p.Prompt, Answer: p.Answer})
		grouped = grouped || p.Group != ""
	}
	got, err := models[0].ActivationScatter(queries, r.Neurons)
	if err != nil {
		return err
	}
	c.provenance("", r.Provenance, got.Provenance)
	activation, probability := 0.0, 0.0
	for _, p := range got.Points {
		activation, probability = max(activation, p.Activation, -p.Activation), max(probability, p.Probability)
	}
	for i, p := range got.Points {
		of := fmt.Sprintf("of point %d, %q", i+1, p.Prompt)
		c.number("activation "+of, r.Points[i].Activation, p.Activation, activation)
		c.number("probability "+of, r.Points[i].Probability, p.Probability, probability)
	}
	c.number("Pearson's correlation", r.Pearson, got.Pearson, 1)
	c.note("the %d neurons that are read are taken as given", len(r.Neurons))
	if grouped {
		c.note("which group a point is in is the author's word")
	}
	return nil
}

// predictions are those before and after an edit.
type predictions struct{ sides []*kn.Prediction }

func (r *predictions) into() any { return &r.sides }

func (r *predictions) provenances() (of []kn.Provenance) {
	for _, p := range r.sides {
		of = append(of, p.Provenance)
	}
	return of
}

func (r *predictions) fits([]*kn.Model) error { return nil }

func (r *predictions) draw(o plots.Options) (*plots.Figure, error) {
	return plots.Predictions(r.sides[0], r.sides[1], o)
}

func (r *predictions) limits() error {
	if len(r.sides) != 2 || r.sides[0] == nil || r.sides[1] == nil {
		return errors.New("there are not two predictions")
	}
	for _, p := range r.sides {
		if _, err := optionsOf[kn.PredictOptions](p.Provenance); err != nil {
			return err
		}
		if len(p.Predictions) == 0 {
			return errors.New("a prediction lists no tokens")
		}
	}
	return nil
}

// margin is how many tokens more are asked for than are in the figure: those at
// its end may come in another order.
const margin = 20

func (r *predictions) again(_ context.Context, c *comparison, models []*kn.Model, _ kn.Progress) error {
	for side, p := range r.sides {
		o, err := optionsOf[kn.PredictOptions](p.Provenance)
		if err != nil {
			return err
		}
		plain, err := models[side].Predict(p.Prompt, o)
		if err != nil {
			return err
		}
		o.Top = len(p.Predictions) + margin
		got, err := models[side].Predict(p.Prompt, o)
		if err != nil {
			return err
		}
		when := [2]string{"before", "after"}[side]
		c.provenance(when+": ", p.Provenance, plain.Provenance)
		c.exactly(when+": tokens listed", len(p.Predictions), len(plain.Predictions))
		c.exactly(when+": position of [MASK]", p.MaskPosition, plain.MaskPosition)
		largest := got.Predictions[0].Probability
		listed := map[int]bool{}
		for i, t := range p.Predictions {
			listed[t.ID] = true
			what := fmt.Sprintf("%s: probability of token %d, %q", when, i+1, t.Token)
			k := slices.IndexFunc(got.Predictions, func(g kn.TokenProbability) bool { return g.ID == t.ID })
			if k < 0 {
				c.exactly(what, significant(t.Probability), "below "+significant(got.Predictions[len(got.Predictions)-1].Probability))
				continue
			}
			c.exactly(what+": name", t.Token, got.Predictions[k].Token)
			c.number(what, t.Probability, got.Predictions[k].Probability, largest)
		}
		last := p.Predictions[len(p.Predictions)-1].Probability
		for _, g := range got.Predictions[:min(len(p.Predictions), len(got.Predictions))] {
			if !listed[g.ID] && g.Probability > last+c.Tolerance*largest {
				c.exactly(fmt.Sprintf("%s: probability of %q", when, g.Token), "not listed", significant(g.Probability))
			}
		}
		c.exactly(when+": whether an answer is asked about", p.Answer != nil, got.Answer != nil)
		if p.Answer != nil && got.Answer != nil {
			c.exactly(when+": the answer", []any{p.Answer.Token, p.Answer.ID}, []any{got.Answer.Token, got.Answer.ID})
			c.number(when+": probability of the answer", p.Answer.Probability, got.Answer.Probability, largest)
		}
	}
	return nil
}
