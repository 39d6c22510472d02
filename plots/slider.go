package plots

import (
	"cmp"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/janpfeifer/gonb/gonbui"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// HTML is a fragment of a page, complete in itself: it loads nothing.
type HTML string

// Save writes the fragment to a file as a page of its own.
func (h HTML) Save(path string) error {
	page := "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n" + string(h) + "\n</html>\n"
	if err := renameio.WriteFile(path, []byte(page), 0o644); err != nil {
		return fmt.Errorf("plots: cannot save the page: %w", err)
	}
	return nil
}

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
	svg, err := figure.SVG() // and with it, figure.data
	if err != nil {
		return "", err
	}
	png, err := figure.PNG()
	if err != nil {
		return "", err
	}
	data := sliderData(figure, curves, predictions)
	data.SVG = string(inline(svg))
	text, err := json.Marshal(data) // escapes < and >, so that it is safe in a script
	if err != nil {
		return "", fmt.Errorf("plots: the slider's data cannot be written as JSON: %w", err)
	}
	size := figure.options.Size
	start := nearest(data.factors, 1)
	return HTML(strings.NewReplacer(
		"{{id}}", data.ID, "{{data}}", string(text), "{{words}}", escape(figure.words()), "{{png}}", base64.StdEncoding.EncodeToString(png),
		"{{width}}", fmt.Sprint(size.Width.Points()), "{{font}}", fmt.Sprint(size.Text.Points()),
		"{{last}}", strconv.Itoa(len(data.factors)-1), "{{start}}", strconv.Itoa(start),
	).Replace(sliderPage)), nil
}

// MustSlider is [Slider] for notebook cells: it panics instead of returning an error.
func MustSlider(curves *kn.FactorCurves, predictions []*kn.Prediction, options ...Options) HTML {
	return kn.Must(Slider(curves, predictions, options...))
}

// ShowHTML shows a fragment below the cell that is running. Outside a
// notebook it returns [ErrNoNotebook].
func ShowHTML(fragment HTML) error {
	if !gonbui.IsNotebook {
		return ErrNoNotebook
	}
	gonbui.DisplayHTML(string(fragment))
	return sent()
}

// MustShowHTML is [ShowHTML] for notebook cells: it panics instead of returning an error.
func MustShowHTML(fragment HTML) {
	if err := ShowHTML(fragment); err != nil {
		panic(err)
	}
}

func checkSlider(curves *kn.FactorCurves, predictions []*kn.Prediction) error {
	if predictions == nil {
		return nil
	}
	if err := sameLength("predictions", len(predictions), "Own.Factors", len(curves.Own.Factors)); err != nil {
		return err
	}
	for i, p := range predictions {
		if p == nil {
			return missing(fmt.Sprintf("prediction at factor %v", curves.Own.Factors[i]))
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

func sliderData(f *Figure, curves *kn.FactorCurves, predictions []*kn.Prediction) sliderJSON {
	height := f.options.Size.Height
	order := make([]int, len(curves.Own.Factors))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(curves.Own.Factors[i], curves.Own.Factors[j]) })
	d := sliderJSON{
		TopY: round(float64(height - f.data.Max.Y)), BottomY: round(float64(height - f.data.Min.Y)),
		Radius: f.theme.pt(4.5).Points(), Unmodified: curves.Probability,
	}
	axis := f.panels[0].X
	for _, i := range order {
		factor := curves.Own.Factors[i]
		d.factors = append(d.factors, factor)
		d.Labels = append(d.Labels, strconv.FormatFloat(factor, 'g', 4, 64))
		d.X = append(d.X, round(float64(f.data.Min.X)+axis.Norm(factor)*float64(f.data.Max.X-f.data.Min.X)))
		if predictions != nil {
			d.Tokens = append(d.Tokens, topTokens(predictions[i], f.options.top(5)))
		}
	}
	for _, s := range slices.Backward(curveStyles(curves)) {
		if len(s.curve.Factors) > 0 {
			d.Curves = append(d.Curves, f.sliderCurve(s, d.factors))
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
			return "each of a prompt of its own; the probabilities above are means over " + plural(len(curves.Prompts), "prompt")
		}
	}
	if predictions[0].Prompt == curves.Prompts[0] {
		return "of the first prompt alone; the probabilities above are means over " + plural(len(curves.Prompts), "prompt")
	}
	return fmt.Sprintf("of %s alone; the probabilities above are means over %s", quoted(predictions[0].Prompt), plural(len(curves.Prompts), "prompt"))
}

func (f *Figure) sliderCurve(s curveStyle, factors []float64) sliderCurve {
	color := f.options.Palette.series(s.series)
	c := sliderCurve{Label: clean(s.legend()), Color: webColor(color)}
	height, axis := f.options.Size.Height, f.panels[0].Y
	for _, factor := range factors {
		var p *float64
		y := 0.0
		if i := slices.Index(s.curve.Factors, factor); i >= 0 {
			p = &s.curve.Probability[i]
			y = round(float64(height-f.data.Min.Y) - axis.Norm(*p)*float64(f.data.Max.Y-f.data.Min.Y))
		}
		c.Probability, c.Y = append(c.Probability, p), append(c.Y, y)
	}
	return c
}

func topTokens(p *kn.Prediction, n int) []sliderToken {
	var tokens []sliderToken
	for _, t := range p.Predictions[:min(n, len(p.Predictions))] {
		tokens = append(tokens, sliderToken{clean(t.Token), t.Probability})
	}
	return tokens
}

// sliderID tells sliders on one page apart; the same slider has the same.
func sliderID(d sliderJSON, f *Figure) string {
	h := sha256.New()
	fmt.Fprintf(h, "%q %q %v %v", f.title, f.desc, d.X, d.Tokens)
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

// round keeps a hundredth of a point.
func round(v float64) float64 { return math.Round(100*v) / 100 }
