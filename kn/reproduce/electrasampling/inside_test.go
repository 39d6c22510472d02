package electrasampling

import (
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/electra"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
)

// timed is a training of 20 steps, measured after each, whose k-th step took
// seconds[k%len(seconds)].
func timed(v variant, seconds ...float64) trained {
	r := &electra.Record{Steps: 20, Measurements: []electra.Measurement{{}}}
	sum := 0.0
	for k := range r.Steps {
		sum += seconds[k%len(seconds)]
		r.Training = append(r.Training, electra.Point{Step: k + 1, Seconds: sum})
		r.Measurements = append(r.Measurements, electra.Measurement{Step: k + 1, Seconds: sum})
	}
	return trained{v, 1, r}
}

// TestEqualTime: a sampler has one pace, that of its quick steps, whichever of
// its trainings they are of. Plain ELECTRA takes all steps in the time that it
// sets, and another as many as fit in.
func TestEqualTime(t *testing.T) {
	all := []trained{
		timed(variant{electra.Plain, false}, 0.125, 0.25, 0.25), // a machine that does much else
		timed(variant{electra.Plain, true}, 0.5),
		timed(variant{electra.HPLoss, false}, 0.25),
		timed(variant{electra.HPLoss, true}, 0.15625),
		timed(variant{electra.HPDist, false}, 3),
	}
	p := pacesOf(all)
	for _, x := range all {
		p.set(x)
	}
	for i, want := range []int{20, 20, 16, 16, 1} {
		if at := within(all[i].record, p.budget(20)); at.Step != want {
			t.Errorf("%s: step %d, want %d, of a pace of %v in %v s", all[i].variant.name(), at.Step, want, p[all[i].variant.sampler], p.budget(20))
		}
	}
	if a, b := all[0].record, all[1].record; a.Seconds != b.Seconds || a.Last().Seconds != p.budget(20) {
		t.Errorf("plain ELECTRA takes %v and %v s, measured after %v, and has %v", a.Seconds, b.Seconds, a.Last().Seconds, p.budget(20))
	}
}

// TestCheckpoints: a training has a checkpoint wherever it is measured, and at
// its end, whatever the number of steps.
func TestCheckpoints(t *testing.T) {
	for _, steps := range []int{20, 55, 2000} {
		c := Options{Steps: steps}.config("mini", variants[0], 1)
		if n := len(c.Checkpoints); c.Checkpoints[n-1] != steps || c.Checkpoints[0] != c.MeasureEvery || n < parts {
			t.Errorf("%d steps: %v, measured every %d", steps, c.Checkpoints, c.MeasureEvery)
		}
	}
}

func TestCommonest(t *testing.T) {
	labelled := func(labels ...int) (all []finetune.Example) {
		for _, l := range labels {
			all = append(all, finetune.Example{Sentence1: "x", Label: l})
		}
		return all
	}
	d := &finetune.Data{Name: "made up", Labels: []string{"a", "b", "c"}, Parts: []finetune.Part{
		{Name: "train", Examples: labelled(1, 1, 1, 0, 2)}, {Name: "dev", Examples: labelled(1)}, {Name: "test", Examples: labelled(0, 0, 1, 2)},
	}}
	// The test part's own commonest would score a half.
	if got, err := commonest(d); err != nil || got != 0.25 {
		t.Errorf("%v, %v, want a quarter", got, err)
	}
	d.Parts = d.Parts[:2]
	if _, err := commonest(d); err == nil {
		t.Error("a task without a part to test on is taken")
	}
}

func TestGated(t *testing.T) {
	for _, c := range [][3]report.Verdict{
		{report.Holds, report.Holds, report.Holds},
		{report.Holds, report.Unknown, report.Unknown},
		{report.Holds, report.Fails, report.Unknown},
		{report.Unknown, report.Holds, report.Unknown},
		{report.Fails, report.Holds, report.Fails},
		{report.Fails, report.Unknown, report.Fails},
	} {
		if got := gated(c[0], c[1]); got != c[2] {
			t.Errorf("better: %s, above guessing: %s: %s, want %s", c[0], c[1], got, c[2])
		}
	}
}

// TestOwnLessPlain: the difference on the way is the mean of the measurements'.
func TestOwnLessPlain(t *testing.T) {
	measured := []electra.Measurement{
		{Own: electra.Drawn{Variance: 1}, Plain: electra.Drawn{Variance: 0.5}},
		{Own: electra.Drawn{Variance: 1}, Plain: electra.Drawn{Variance: 2.5}},
	}
	if got := ownLessPlain(measured); got != -0.5 {
		t.Errorf("%v, want -0.5", got)
	}
}
