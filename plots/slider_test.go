package plots_test

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strings"
	"testing"

	"github.com/dop251/goja"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/plots"
)

// page is as much of a browser as the slider's script needs.
//
//go:embed testdata/page.js
var page string

// slide runs the slider's script and returns what the page shows with the
// slider at each of the positions.
func slide(t *testing.T, fragment plots.HTML, positions ...int) []shown {
	t.Helper()
	script := regexp.MustCompile(`(?s)<script>(.*)</script>`).FindStringSubmatch(string(fragment))
	start := regexp.MustCompile(`type="range" min="0" max="\d+" step="1" value="(\d+)"`).FindStringSubmatch(string(fragment))
	if script == nil || start == nil {
		t.Fatal("the fragment has no script or no slider")
	}
	vm := goja.New()
	if _, err := vm.RunString(page + "\nvar input = newInput(" + start[1] + ");\n" + script[1]); err != nil {
		t.Fatal(err)
	}
	states := make([]shown, len(positions))
	for i, at := range positions {
		value, err := vm.RunString(fmt.Sprintf("JSON.stringify(moveTo(%d))", at))
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(value.String()), &states[i]); err != nil {
			t.Fatal(err)
		}
	}
	return states
}

// shown is what the page shows.
type shown struct {
	Factor, Readings, Tokens string
	Still, Live              string // styles
	LineX                    float64
	Dots                     []struct{ X, Y float64 }
}

func TestSliderAnswers(t *testing.T) {
	curves := factorCurves()
	before, after := predictions()
	var at []*kn.Prediction
	for _, f := range curves.Own.Factors {
		if f < 1 {
			at = append(at, after)
		} else {
			at = append(at, before)
		}
	}
	fragment, err := plots.Slider(curves, at)
	if err != nil {
		t.Fatal(err)
	}
	states := slide(t, fragment, 0, 4, 12)
	// The curves are means over prompts, the tokens are one prompt's.
	const ofOne = "most probable tokens at this factorof the first prompt alone; the probabilities above are means over 5 prompts"
	for i, want := range []struct{ factor, own, token string }{
		{"× 0", "knowledge neurons (5)0.359 (−44.4 %)", "Lyon"},
		{"× 1", "knowledge neurons (5)0.646 (0.0 %)", "Paris"},
		{"× 3", "knowledge neurons (5)0.923 (+42.9 %)", "Paris"},
	} {
		s := states[i]
		if s.Factor != want.factor || !strings.Contains(s.Readings, want.own) || !strings.Contains(s.Readings, "random control") ||
			!strings.HasPrefix(s.Tokens, ofOne+want.token) {
			t.Errorf("position %d shows %+v, want %+v", i, s, want)
		}
		if s.Still != "display:none" || s.Live != "" {
			t.Errorf("position %d: the still picture's words have style %q, the slider %q", i, s.Still, s.Live)
		}
		if len(s.Dots) != 3 || s.Dots[0].X != s.LineX {
			t.Errorf("position %d: dots %v, line at %v", i, s.Dots, s.LineX)
		}
	}
	// The axis is linear: factor 1 is a third of the way, and a larger
	// probability is higher up.
	if x := states[0].LineX + (states[2].LineX-states[0].LineX)/3; math.Abs(states[1].LineX-x) > 0.02 {
		t.Errorf("factor 1 is marked at %v, want %v", states[1].LineX, x)
	}
	if !(states[0].Dots[0].Y > states[1].Dots[0].Y && states[1].Dots[0].Y > states[2].Dots[0].Y) {
		t.Errorf("the mark does not rise: %v %v %v", states[0].Dots, states[1].Dots, states[2].Dots)
	}
}

func TestSliderIsSelfContained(t *testing.T) {
	curves := factorCurves()
	curves.Own.Label = `</script><script>alert("{{id}}")`
	fragment := string(plots.MustSlider(curves, nil))
	if n := strings.Count(fragment, "<script"); n != 1 {
		t.Errorf("%d scripts, want 1", n)
	}
	// Without its script, as in a notebook that is not trusted, a picture
	// stands there, and nothing that does not work.
	if !regexp.MustCompile(`<img [^>]*src="data:image/png;base64,[^"]{1000,}"`).MatchString(fragment) || !strings.Contains(fragment, `<div data-kn="live" style="display:none">`) {
		t.Error("without a script there is nothing to see, or too much")
	}
	bare := regexp.MustCompile(`src="data:image/png;base64,[^"]*"|xmlns(:\w+)?=\\?"[^"]*\\?"|"http://www\.w3\.org/2000/svg"`).ReplaceAllString(fragment, "")
	if m := regexp.MustCompile(`(src|href)=|https?:|@import|url\(`).FindString(bare); m != "" {
		t.Errorf("the fragment reaches out: %q", m)
	}
	if again := string(plots.MustSlider(curves, nil)); again != fragment {
		t.Error("the same slider gave different bytes")
	}
	if s := slide(t, plots.HTML(fragment), 4)[0]; !strings.Contains(s.Readings, "</script>") || s.Tokens != "" {
		t.Errorf("shows %+v", s)
	}
}

func TestSliderWithOtherFactors(t *testing.T) {
	curves := factorCurves()
	curves.Random.Factors = []float64{0, 3}
	curves.Random.Probability, curves.Random.Low, curves.Random.High = []float64{0.6, 0.6}, nil, nil
	states := slide(t, plots.MustSlider(curves, nil), 0, 4)
	if !strings.Contains(states[0].Readings, "random") || strings.Contains(states[1].Readings, "random") {
		t.Errorf("a control without a point at a factor must not be read there: %+v", states)
	}
}
