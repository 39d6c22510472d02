package kn

import (
	"math"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// TestProbabilitiesEqualOneByOne: trials of different lengths and edits in one
// call give what handles with the same edits give.
func TestProbabilitiesEqualOneByOne(t *testing.T) {
	for _, dir := range sharedtest.Goldens(t) {
		m := goldenModel(t, dir)
		handle, err := m.With(Scale([]Neuron{{0, 1}}, 3))
		if err != nil {
			t.Fatal(err)
		}
		var trials []Trial
		for i, c := range goldenAttributions(t, dir) {
			q := Query{c.Prompt, c.Target}
			trials = append(trials, Trial{Query: q}, Trial{q, []Edit{Suppress([]Neuron{{1, i}, {0, 1}})}}, Trial{q, []Edit{SetTo([]Neuron{{0, 2}}, 1).AtAllPositions(), Amplify([]Neuron{{0, 2}})}})
		}
		got, err := handle.Probabilities(trials)
		if err != nil {
			t.Fatal(err)
		}
		for i, trial := range trials {
			edited, err := handle.With(trial.Edits...)
			if err != nil {
				t.Fatal(err)
			}
			want, err := edited.Probability(trial.Prompt, trial.Answer)
			if err != nil {
				t.Fatal(err)
			}
			if math.Abs(got[i]-want) > 1e-5*want {
				t.Errorf("%s, trial %d: %v, alone %v", dir, i, got[i], want)
			}
		}
		_, err = m.Probabilities([]Trial{{Query: trials[0].Query, Edits: []Edit{Suppress([]Neuron{{99, 0}})}}})
		if err == nil || !strings.Contains(err.Error(), "no neuron 99:0") {
			t.Errorf("an edit of a neuron that is not there gives %v", err)
		}
	}
}
