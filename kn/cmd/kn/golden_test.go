package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// pairs are neurons as JSON has them.
type pairs [][2]int

func TestTokenizeEqualsReference(t *testing.T) {
	for _, dir := range goldens(t) {
		var want struct {
			Cases []struct {
				Text   string
				IDs    []int
				Tokens []string
			}
		}
		sharedtest.ReadJSON(t, &want, dir, "tokenizer.json")
		for _, c := range want.Cases {
			args := []string{"tokenize", "--model", filepath.Join(dir, "model"), "--json", "--", c.Text}
			o := within(args...)
			if !strings.Contains(c.Text, "\x00") { // which no argument can hold
				o = finished(t, command(t, args...))
			}
			if o.code != 0 || o.stderr != "" {
				t.Fatalf("%q: exit status %d, %s", c.Text, o.code, o.stderr)
			}
			var got tokenizeResult
			object(t, o.stdout, &got, "text", "ids", "tokens")
			if got.Text != c.Text || !slices.Equal(got.IDs, c.IDs) || !slices.Equal(got.Tokens, c.Tokens) {
				t.Errorf("%q: got %v, want %v %v", c.Text, got, c.IDs, c.Tokens)
			}
		}
	}
}

func TestPredictEqualsReference(t *testing.T) {
	for _, dir := range goldens(t) {
		var want struct {
			Cases []struct {
				Prompt, Target string
				MaskPosition   int       `json:"mask_position"`
				TargetID       int       `json:"target_id"`
				Probability    float64   `json:"target_probability"`
				Logits         []float64 `json:"logits_at_mask"`
			}
		}
		sharedtest.ReadJSON(t, &want, dir, "forward.json")
		for _, c := range want.Cases {
			p, rank := sharedtest.Softmax(c.Logits), 1
			for _, q := range p {
				if q > p[c.TargetID] {
					rank++
				}
			}
			all := fmt.Sprint(len(p))
			out := succeeds(t, "predict", "--model", filepath.Join(dir, "model"), "--prompt", c.Prompt, "--answer", c.Target, "--top", all, "--json")
			var got predictResult
			object(t, out, &got, "prompt", "mask_position", "predictions", "answer")
			var parts struct{ Answer, Predictions json.RawMessage }
			if err := json.Unmarshal([]byte(out), &parts); err != nil {
				t.Fatal(err)
			}
			object(t, string(parts.Answer), &got.Answer, "token", "id", "probability", "rank")
			if got.Prompt != c.Prompt || got.MaskPosition != c.MaskPosition || got.Answer.ID != c.TargetID ||
				got.Answer.Token != c.Target || got.Answer.Rank != rank || !near(got.Answer.Probability, c.Probability) {
				t.Errorf("%s: got %+v of position %d, want %+v, rank %d", c.Prompt, got.Answer, got.MaskPosition, c, rank)
			}
			if len(got.Predictions) != len(p) {
				t.Fatalf("%s: %d predictions, want %s", c.Prompt, len(got.Predictions), all)
			}
			for k, q := range got.Predictions {
				if !near(q.Probability, p[q.ID]) {
					t.Errorf("%s: token %d has probability %v, want %v", c.Prompt, q.ID, q.Probability, p[q.ID])
				}
				if k > 0 && q.Probability > got.Predictions[k-1].Probability {
					t.Errorf("%s: predictions %d and %d are out of order", c.Prompt, k-1, k)
				}
			}
			// Without --top there are ten; without --answer it is null.
			out = succeeds(t, "predict", "--model", filepath.Join(dir, "model"), "--prompt", c.Prompt, "--json")
			var plain predictResult
			object(t, out, &plain, "prompt", "mask_position", "predictions", "answer")
			if plain.Answer != nil || !reflect.DeepEqual(plain.Predictions, got.Predictions[:10]) {
				t.Errorf("%s: without options: %+v", c.Prompt, plain)
			}
		}
	}
}

type goldenAttribution struct {
	Prompt, Target    string
	LeftRiemann       [][]float64 `json:"left_riemann_20"`
	Linspace          [][]float64 `json:"linspace_inclusive_20"`
	Trapezoid         [][]float64 `json:"trapezoid_20"`
	GaussLegendre     [][]float64 `json:"gauss_legendre_8"`
	Exact             [][]float64 `json:"gauss_legendre_64"`
	ProbabilityAtZero []float64   `json:"probability_at_zero"`
	Probability       float64
}

func goldenAttributions(t *testing.T, dir string) []goldenAttribution {
	t.Helper()
	var want struct{ Cases []goldenAttribution }
	sharedtest.ReadJSON(t, &want, dir, "attribution.json")
	return want.Cases
}

func TestAttributeEqualsReference(t *testing.T) {
	named := []string{"prompt", "answer", "probability", "probability_at_zero", "completeness_error", "rule", "nodes", "scores"}
	adaptive := append([]string{"estimated_error", "not_converged"}, named...)
	for _, dir := range goldens(t) {
		for _, c := range goldenAttributions(t, dir) {
			for _, way := range []struct {
				flags []string
				rule  string
				nodes int // 0: any
				keys  []string
				want  [][]float64
			}{
				{[]string{"--rule", "left_riemann", "--nodes", "20"}, "left_riemann", 20, named, c.LeftRiemann},
				{[]string{"--rule", "linspace_inclusive"}, "linspace_inclusive", 20, named, c.Linspace},
				{[]string{"--rule=trapezoid", "--nodes=20"}, "trapezoid", 20, named, c.Trapezoid},
				{[]string{"--rule", "gauss_legendre", "--nodes", "8"}, "gauss_legendre", 8, named, c.GaussLegendre},
				{[]string{"--rule", "gauss_legendre", "--nodes", "64"}, "gauss_legendre", 64, named, c.Exact},
				{[]string{"--rule", "adaptive"}, "adaptive", 0, adaptive, c.Exact},
				{nil, "adaptive", 0, adaptive, c.Exact},
			} {
				args := []string{"attribute", "--model", filepath.Join(dir, "model"), "--prompt", c.Prompt, "--answer", c.Target, "--json"}
				var got attributeResult
				object(t, succeeds(t, append(args, way.flags...)...), &got, way.keys...)
				checkAttribution(t, fmt.Sprint(c.Prompt, way.flags), got, c, way.want)
				for _, n := range got.Nodes {
					if string(got.Rule) != way.rule || way.nodes != 0 && n != way.nodes || n < 1 {
						t.Errorf("%s %v: rule %s with %v nodes", c.Prompt, way.flags, got.Rule, got.Nodes)
					}
				}
			}
		}
	}
}

func checkAttribution(t *testing.T, name string, got attributeResult, want goldenAttribution, scores [][]float64) {
	t.Helper()
	layers := len(scores)
	if got.Prompt != want.Prompt || got.Answer != want.Target || !near(got.Probability, want.Probability) {
		t.Errorf("%s: got %q, %q, %v; want %v", name, got.Prompt, got.Answer, got.Probability, want.Probability)
	}
	if len(got.Scores) != layers || len(got.ProbabilityAtZero) != layers || len(got.CompletenessError) != layers || len(got.Nodes) != layers {
		t.Fatalf("%s: %d layers of scores, want %d", name, len(got.Scores), layers)
	}
	largest, worst := 0.0, 0.0
	for l, row := range scores {
		if len(got.Scores[l]) != len(row) {
			t.Fatalf("%s: layer %d has %d scores, want %d", name, l, len(got.Scores[l]), len(row))
		}
		sum := 0.0
		for i, s := range row {
			largest, worst = max(largest, math.Abs(s)), max(worst, math.Abs(got.Scores[l][i]-s))
			sum += got.Scores[l][i]
		}
		if !near(got.ProbabilityAtZero[l], want.ProbabilityAtZero[l]) {
			t.Errorf("%s: probability at zero of layer %d is %v, want %v", name, l, got.ProbabilityAtZero[l], want.ProbabilityAtZero[l])
		}
		if d := sum - (got.Probability - got.ProbabilityAtZero[l]) - got.CompletenessError[l]; math.Abs(d) > 1e-12 {
			t.Errorf("%s: completeness error of layer %d is off by %g", name, l, d)
		}
	}
	if worst > 1e-3*largest {
		t.Errorf("%s: scores are off by %.2g of the largest", name, worst/largest)
	}
}

func TestNeuronsEqualReference(t *testing.T) {
	for _, dir := range goldens(t) {
		var want struct{ Coarse []pairs }
		sharedtest.ReadJSON(t, &want, dir, "neurons.json")
		for i, c := range goldenAttributions(t, dir) {
			file := filepath.Join(t.TempDir(), "prompts.txt")
			if err := os.WriteFile(file, []byte("\ufeff\r\n"+c.Prompt+"\r\n\r\n  \n"), 0o600); err != nil {
				t.Fatal(err)
			}
			var got struct {
				Coarse  []pairs
				Refined pairs
			}
			out := succeeds(t, "neurons", "--model", filepath.Join(dir, "model"), "--prompts", file, "--answer", c.Target, "--tolerance", "1e-5", "--json")
			object(t, out, &got, "coarse", "refined")
			if len(got.Coarse) != 1 || !reflect.DeepEqual(got.Coarse[0], want.Coarse[i]) || !reflect.DeepEqual(got.Refined, want.Coarse[i]) {
				t.Errorf("%s: got %v, want %v", c.Prompt, got, want.Coarse[i])
			}
		}
	}
}

func TestScaleEqualsReference(t *testing.T) {
	for _, dir := range goldens(t) {
		var want struct {
			Scaling []struct {
				Prompt, Target string
				Neurons        pairs
				Factors        []float64
				Probability    []float64 `json:"target_probability"`
			}
		}
		sharedtest.ReadJSON(t, &want, dir, "neurons.json")
		for _, c := range want.Scaling {
			var neurons, factors []string
			for _, n := range c.Neurons {
				neurons = append(neurons, fmt.Sprintf("%d:%d", n[0], n[1]))
			}
			for _, f := range c.Factors {
				factors = append(factors, fmt.Sprint(f))
			}
			var got scaleResult
			object(t, succeeds(t, "scale", "--model", filepath.Join(dir, "model"), "--prompt", c.Prompt, "--answer", c.Target,
				"--neurons", strings.Join(neurons, ","), "--factors", strings.Join(factors, ","), "--json"), &got, "factors", "probability")
			if !slices.Equal(got.Factors, c.Factors) || !slices.EqualFunc(got.Probability, c.Probability, near) {
				t.Errorf("%s: got %v, want %v", c.Prompt, got, c.Probability)
			}
		}
	}
}

// near compares probabilities with the tolerance of the reference values.
func near(got, want float64) bool { return math.Abs(got-want) <= 1e-4*want }

// TestNotConverged: results come with a warning when they are not exact.
func TestNotConverged(t *testing.T) {
	hard := []string{"--answer", "Paris", "--tolerance", "1e-12", "--nodes", "17", "--json", "--model", small(t)}
	for _, args := range [][]string{{"attribute", "--prompt", prompt}, {"neurons", "--prompts", written(t, prompt)}} {
		o := finished(t, command(t, append(args, hard...)...))
		if o.code != 0 || !strings.Contains(o.stderr, "did not converge") || !strings.Contains(o.stderr, prompt) {
			t.Errorf("%v: exit status %d, stderr %q", args, o.code, o.stderr)
		}
		var got attributeResult
		if args[0] == "attribute" && (json.Unmarshal([]byte(o.stdout), &got) != nil || len(got.NotConverged) == 0) {
			t.Errorf("not_converged is %v", got.NotConverged)
		}
	}
}
