// Package drawn is what a figure's SVG holds of the numbers in it, as JSON, so
// that they can be computed again and the figure drawn again.
package drawn

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// Figure is a figure's result with the chart's options. What result it is the
// kind of chart decides.
type Figure struct {
	Options json.RawMessage `json:"options"` // plots.Options
	Result  json.RawMessage `json:"result"`
}

// Attribution is a [kn.Attribution] without the scores that no chart shows:
// those of most neurons, of which an attribution has some ten thousands.
type Attribution struct {
	Prompt      string    `json:"prompt"`
	Answer      string    `json:"answer"`
	Target      kn.Target `json:"target,omitempty"`
	Probability float64   `json:"probability"`
	Rule        kn.Rule   `json:"rule"`
	Layers      int       `json:"layers"`
	FFN         int       `json:"ffn"`
	Bin         int       `json:"bin"` // neurons to a column of the chart
	// Neurons[l] are indices of layer l, ascending, and Scores[l] their scores, to six digits.
	Neurons    [][]int       `json:"neurons"`
	Scores     [][]float64   `json:"scores"`
	Provenance kn.Provenance `json:"provenance"`
}

// Sparse keeps, of each bin of so many neighbouring neurons, the score of
// largest magnitude, and those of the given neurons. Scores of 0 are left out.
func Sparse(a *kn.Attribution, bin int, top []kn.Neuron) *Attribution {
	s := &Attribution{
		Prompt: a.Prompt, Answer: a.Answer, Target: a.Target, Probability: a.Probability, Rule: a.Rule,
		Layers: len(a.Scores), FFN: len(a.Scores[0]), Bin: bin, Provenance: a.Provenance,
	}
	for l, row := range a.Scores {
		kept := []int{}
		for start := 0; start < len(row); start += bin {
			if i := Strongest(row, start, bin); row[i] != 0 {
				kept = append(kept, i)
			}
		}
		for _, n := range top {
			if n.Layer == l && row[n.Index] != 0 {
				kept = append(kept, n.Index)
			}
		}
		slices.Sort(kept)
		kept = slices.Compact(kept)
		scores := make([]float64, len(kept))
		for k, i := range kept {
			scores[k] = Rounded(row[i])
		}
		s.Neurons, s.Scores = append(s.Neurons, kept), append(s.Scores, scores)
	}
	return s
}

// Strongest is the index of the score of largest magnitude among those from
// start on that are in one bin, the first of equal ones.
func Strongest(row []float64, start, bin int) int {
	best := start
	for i := start; i < min(start+bin, len(row)); i++ {
		if math.Abs(row[i]) > math.Abs(row[best]) {
			best = i
		}
	}
	return best
}

// Rounded is a number to six significant digits.
func Rounded(x float64) float64 {
	r, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	if err != nil {
		return x // beyond the largest number
	}
	return r
}

// Full is the attribution with 0 for the scores that were left out: the same
// figure can be drawn from it. Neurons must be inside of Layers and FFN.
func (s *Attribution) Full() *kn.Attribution {
	a := &kn.Attribution{Prompt: s.Prompt, Answer: s.Answer, Target: s.Target, Probability: s.Probability, Rule: s.Rule, Provenance: s.Provenance}
	for l := range s.Layers {
		row := make([]float64, s.FFN)
		for k, i := range s.Neurons[l] {
			row[i] = s.Scores[l][k]
		}
		a.Scores = append(a.Scores, row)
	}
	return a
}
