package learningdynamics

import (
	"math"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

func TestThirds(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   [3]float64
	}{
		{[]float64{1, 2, 3}, [3]float64{1, 2, 3}},
		{[]float64{1, 2, 3, 4, 5, 6}, [3]float64{1.5, 3.5, 5.5}},
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, [3]float64{1.5, 6, 10.5}},
	} {
		for k, want := range c.want {
			if got := third(c.values, k); got != want {
				t.Errorf("third %d of %v: %v, want %v", k, c.values, got, want)
			}
		}
	}
}

// TestSummaries: differences are taken within each training and model.
func TestSummaries(t *testing.T) {
	run := func(jsd, svcca []float64) RunMovement {
		return RunMovement{Layers: &dynamics.LayersBySteps{Steps: []int{5}, AttentionJSD: [][]float64{jsd}, SVCCADistance: [][]float64{svcca}, CKADistance: [][]float64{svcca}}}
	}
	m := Movement{Runs: []RunMovement{run([]float64{0.1, 0.3}, []float64{0, 0.4, 0.2}), run([]float64{0.2, 0.1}, []float64{0.1, 0.5, 0.9})}}
	m.summarize()
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	near("attention, first", m.AttentionTop.Values[0], 0.2)
	near("attention, second", m.AttentionTop.Values[1], -0.1)
	near("features, first", m.FeaturesAbove.Values[0], 0.2)
	near("features, second", m.FeaturesAbove.Values[1], 0.4)
	near("mean", m.Mean.SVCCADistance[0][2], 0.55)
	near("end", m.AttentionJSD[1].Mean, 0.2)

	// Models 0 and 1 are of one task, 2 and 3 of another.
	matrix := [][]float64{{0, 0.1, 0.5, 0.3}, {0.1, 0, 0.7, 0.9}, {0.5, 0.7, 0, 0.2}, {0.3, 0.9, 0.2, 0}}
	all := [][][]float64{matrix}
	d := Distances{Runs: reproduce.Trainings([]*reproduce.Task{{Name: "a"}, {Name: "b"}}, 2), Matrices: &dynamics.PairMatrices{AttentionJSD: all, SVCCADistance: all, CKADistance: all}}
	d.summarize()
	near("same task", d.Measures[1].Seeds[0].Values[1], 0.1)
	near("other task", d.Measures[1].Tasks[0].Values[1], 0.8)
	near("further", d.Measures[2].Further.Values[3], 0.6-0.2)
}

// TestControl: what is left is a quotient of means, within each training.
func TestControl(t *testing.T) {
	run := func(start, end, controlStart, controlEnd float64) RunKnowledge {
		at := func(values ...float64) (out []stats.Interval) {
			for _, v := range values {
				out = append(out, stats.Interval{Mean: v})
			}
			return out
		}
		both := at(start, end)
		return RunKnowledge{Knowledge: &dynamics.KnowledgeBySteps{
			Steps: []int{0, 5}, Probability: both, First: both, Overlap: both, Control: at(controlStart, controlEnd), Kept: [][]*float64{nil, nil},
		}}
	}
	k := Knowledge{Runs: []RunKnowledge{run(0.5, 0.1, 0.4, 0.3), run(0.5, 0.4, 0.4, 0.1)}}
	k.summarize()
	for i, want := range [][3]float64{{0.2, 0.75, 0.55}, {0.8, 0.25, -0.55}} {
		if got := [3]float64{k.Left.Values[i], k.ControlLeft.Values[i], k.FactsLose.Values[i]}; math.Abs(got[0]-want[0])+math.Abs(got[1]-want[1])+math.Abs(got[2]-want[2]) > 1e-12 {
			t.Errorf("training %d: %v, want %v", i, got, want)
		}
	}
	if k.FactsLose.Above != 1 {
		t.Errorf("above 0: %d", k.FactsLose.Above)
	}
}
