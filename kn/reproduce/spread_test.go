package reproduce_test

import (
	"math"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

func spread(values ...float64) reproduce.Spread {
	return reproduce.SpreadOver(len(values), func(i int) float64 { return values[i] })
}

// TestUnanimous: a verdict needs all trainings, and enough of them.
func TestUnanimous(t *testing.T) {
	one, two, three := reproduce.Trainings([]*reproduce.Task{{Name: "a"}}, 6), reproduce.Trainings([]*reproduce.Task{{Name: "a"}, {Name: "b"}}, 3), reproduce.Trainings([]*reproduce.Task{{Name: "a"}, {Name: "b"}, {Name: "c"}}, 2)
	six := reproduce.Trainings([]*reproduce.Task{{Name: "a"}, {Name: "b"}, {Name: "c"}, {Name: "d"}, {Name: "e"}, {Name: "f"}}, 1)
	for _, c := range []struct {
		values []float64
		of     []reproduce.Training
		want   report.Verdict
	}{
		{[]float64{1, 2, 3, 4, 5, 6}, one, report.Holds},
		{[]float64{1, 2, 3, 4, 5, 6}, two, report.Holds},
		{[]float64{-1, -2, -3, -4, -5, -6}, two, report.Fails},
		{[]float64{1, 2, 3, 4, 5, -6}, one, report.Unknown},
		{[]float64{1, 2, 3, 4, 5, -6}, two, report.Unknown},
		{[]float64{1, 2, 3, 4, 5, 0}, one, report.Unknown},
		{[]float64{1, 2, 3, 4, 5}, one[:5], report.Unknown},
		{[]float64{1, 2, 3, -4, -5, -6}, two, report.Differs},
		{[]float64{1, 2, 3, -4, -5, 0}, two, report.Unknown},
		{[]float64{1, 2, 3, 4, -5, -6}, three, report.Differs},
		{[]float64{1, 2, 3, 4, -5, -6}, six, report.Unknown}, // one training a task tells nothing of it
		{[]float64{1, 2, -3, -4}, two[:4], report.Unknown},
	} {
		if got := reproduce.Unanimous(spread(c.values...), c.of); got != c.want {
			t.Errorf("%v of %v: %s, want %s", c.values, c.of, got, c.want)
		}
	}
}

func TestAbove(t *testing.T) {
	if got := spread(1, -1, 0, 2).Above; got != 2 {
		t.Errorf("above 0: %d", got)
	}
}

func TestResets(t *testing.T) {
	near := func(what string, got, want float64) {
		if math.Abs(got-want) > 1e-12 {
			t.Errorf("%s: %v, want %v", what, got, want)
		}
	}
	back := reproduce.Resets{Runs: []reproduce.RunReset{{Back: &landscape.GroupResets{
		FineTuned: landscape.Value{Loss: 0.5, Error: 0.1},
		Groups: []landscape.GroupReset{
			{Name: "embeddings", Value: landscape.Value{Loss: 0.6, Error: 0.15}},
			{Name: "layer 0", Value: landscape.Value{Loss: 0.7, Error: 0.1}, Moved: 0.25},
			{Name: "layer 1", Value: landscape.Value{Loss: 1, Error: 0.3}, Moved: 0.75},
			{Name: "classifier", Value: landscape.Value{Loss: 2, Error: 0.5}},
		},
	}}}}
	back.Summarize()
	near("loss added", back.Groups[0].Loss.Mean, 0.1)
	near("accuracy lost", back.Groups[2].Accuracy.Mean, 0.2)
	near("top layers less lowest", back.TopCosts.Mean, 0.3)
	near("top layers moved further", back.TopMoved.Mean, 0.5)
}
