package plots

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots/internal/chart"
)

//go:embed slider.html
var sliderPage string

// Slider makes the chart of [FactorCurves] answer to a slider: it moves over
// the factors of the fact's own curve, and with it a mark on each curve and
// the probabilities in words. predictions, nil for none, are the model's at
// each of curves.Own.Factors, in their order; their most probable tokens are
// shown as bars. All is computed beforehand and lies in the fragment, with a
// few lines of JavaScript, so that it also works in an exported page, without
// a kernel and without a network. Where scripts do not run, as in a notebook
// that is not trusted, the chart stands there as a picture.
func Slider(curves *kn.FactorCurves, predictions []*kn.Prediction, options ...Options) (HTML, error) {
	figure, err := FactorCurves(curves, options...)
	if err != nil {
		return "", err
	}
	if err := checkSlider(curves, predictions); err != nil {
		return "", err
	}
	svg, err := figure.SVG() // and with it, where the data is
	if err != nil {
		return "", err
	}
	data := sliderData(chart.DraftOf(figure), curves, predictions)
	data.SVG = string(chart.Inline(svg))
	return chart.Fragment(sliderPage, figure, data.ID, data, "{{last}}", strconv.Itoa(len(data.factors)-1), "{{start}}", strconv.Itoa(nearest(data.factors, 1)))
}

// MustSlider is [Slider] for notebook cells: it panics instead of returning an error.
func MustSlider(curves *kn.FactorCurves, predictions []*kn.Prediction, options ...Options) HTML {
	return kn.Must(Slider(curves, predictions, options...))
}

func checkSlider(curves *kn.FactorCurves, predictions []*kn.Prediction) error {
	if predictions == nil {
		return nil
	}
	if err := chart.CheckLength("predictions", len(predictions), "Own.Factors", len(curves.Own.Factors)); err != nil {
		return err
	}
	for i, p := range predictions {
		if p == nil {
			return chart.Missing(fmt.Sprintf("prediction at factor %v", curves.Own.Factors[i]))
		}
		if err := checkPrediction(fmt.Sprintf("at factor %v", curves.Own.Factors[i]), p); err != nil {
			return err
		}
	}
	return nil
}

// sliderJSON is what the script works with. Lengths are the SVG's.
type sliderJSON struct {
	ID         string          `json:"id"`
	SVG        string          `json:"svg"`
	Labels     []string        `json:"labels"` // [factors]
	X          []float64       `json:"x"`      // [factors]
	TopY       float64         `json:"top"`
	BottomY    float64         `json:"bottom"`
	Radius     float64         `json:"radius"`
	Unmodified float64         `json:"unmodified"`
	Curves     []sliderCurve   `json:"curves"`
	Tokens     [][]sliderToken `json:"tokens,omitempty"` // [factors][top]
	Prompt     string          `json:"prompt,omitempty"` // which prompt the tokens are of, where the curves are of several

	factors []float64
}

type sliderCurve struct {
	Label       string     `json:"label"`
	Color       string     `json:"color"`
	Probability []*float64 `json:"probability"` // [factors], null where the curve has no point
	Y           []float64  `json:"y"`           // [factors]
}

type sliderToken struct {
	Token       string  `json:"token"`
	Probability float64 `json:"probability"`
}

func sliderData(f *chart.Draft, curves *kn.FactorCurves, predictions []*kn.Prediction) sliderJSON {
	height := f.Options.Size.Height
	order := make([]int, len(curves.Own.Factors))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(curves.Own.Factors[i], curves.Own.Factors[j]) })
	d := sliderJSON{
		TopY: chart.Round(float64(height - f.Data.Max.Y)), BottomY: chart.Round(float64(height - f.Data.Min.Y)),
		Radius: f.Theme.Pt(4.5).Points(), Unmodified: curves.Probability,
	}
	axis := f.Panels[0].X
	for _, i := range order {
		factor := curves.Own.Factors[i]
		d.factors = append(d.factors, factor)
		d.Labels = append(d.Labels, strconv.FormatFloat(factor, 'g', 4, 64))
		d.X = append(d.X, chart.Round(float64(f.Data.Min.X)+axis.Norm(factor)*float64(f.Data.Max.X-f.Data.Min.X)))
		if predictions != nil {
			d.Tokens = append(d.Tokens, topTokens(predictions[i], f.Top(5)))
		}
	}
	for _, s := range slices.Backward(curveStyles(curves)) {
		if len(s.curve.Factors) > 0 {
			d.Curves = append(d.Curves, curveJSON(f, s, d.factors))
		}
	}
	d.Prompt = tokensPrompt(curves, predictions)
	d.ID = sliderID(d, f)
	return d
}

// tokensPrompt says which prompt the tokens are of, where the probabilities of
// the curves are means over several.
func tokensPrompt(curves *kn.FactorCurves, predictions []*kn.Prediction) string {
	if len(curves.Prompts) < 2 || len(predictions) == 0 {
		return ""
	}
	for _, p := range predictions {
		if p.Prompt != predictions[0].Prompt {
			return "each of a prompt of its own; the probabilities above are means over " + chart.Plural(len(curves.Prompts), "prompt")
		}
	}
	if predictions[0].Prompt == curves.Prompts[0] {
		return "of the first prompt alone; the probabilities above are means over " + chart.Plural(len(curves.Prompts), "prompt")
	}
	return fmt.Sprintf("of %s alone; the probabilities above are means over %s", chart.Quoted(predictions[0].Prompt), chart.Plural(len(curves.Prompts), "prompt"))
}

func curveJSON(f *chart.Draft, s curveStyle, factors []float64) sliderCurve {
	color := f.Color(s.series)
	c := sliderCurve{Label: chart.Clean(s.legend()), Color: chart.WebColor(color)}
	height, axis := f.Options.Size.Height, f.Panels[0].Y
	for _, factor := range factors {
		var p *float64
		y := 0.0
		if i := slices.Index(s.curve.Factors, factor); i >= 0 {
			p = &s.curve.Probability[i]
			y = chart.Round(float64(height-f.Data.Min.Y) - axis.Norm(*p)*float64(f.Data.Max.Y-f.Data.Min.Y))
		}
		c.Probability, c.Y = append(c.Probability, p), append(c.Y, y)
	}
	return c
}

func topTokens(p *kn.Prediction, n int) []sliderToken {
	var tokens []sliderToken
	for _, t := range p.Predictions[:min(n, len(p.Predictions))] {
		tokens = append(tokens, sliderToken{chart.Clean(t.Token), t.Probability})
	}
	return tokens
}

// sliderID tells sliders on one page apart; the same slider has the same.
func sliderID(d sliderJSON, f *chart.Draft) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %v %v", f.Title, f.Description, d.X, d.Tokens)
	return fmt.Sprintf("%x", h.Sum(nil)[:6])
}

// nearest returns the index of the value that is nearest to v.
func nearest(values []float64, v float64) int {
	best := 0
	for i, w := range values {
		if math.Abs(w-v) < math.Abs(values[best]-v) {
			best = i
		}
	}
	return best
}
