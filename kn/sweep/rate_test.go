package sweep

import (
	"math"
	"slices"
	"testing"
	"time"
)

// TestRate: the first prompt does not count, and the rate is told once, on
// enough prompts and enough time.
func TestRate(t *testing.T) {
	const slow, quick, tiny = time.Second, 50 * time.Millisecond, 25 * time.Millisecond
	prompts := func(some ...any) (all []time.Duration) { // number, time, number, time ...
		for i := 0; i < len(some); i += 2 {
			all = append(all, slices.Repeat([]time.Duration{some[i+1].(time.Duration)}, some[i].(int))...)
		}
		return all
	}
	for _, c := range []struct {
		name    string
		side    int
		total   int
		prompts []time.Duration
		at      int // prompt after which it is told
		want    float64
	}{
		{"one by one", 1, 1000, prompts(1, slow, 18, quick), 17, 20},
		{"two side by side", 2, 1000, prompts(1, slow, 21, quick), 21, 40},
		{"many quick ones", 1, 1000, prompts(1, slow, 21, tiny), 21, 40},
		{"slow ones", 1, 1000, prompts(1, quick, 18, slow), 17, 1},
		{"all done at once", 4, 1, prompts(1, quick), 1, 20},
		{"done behind the first one", 4, 3, prompts(1, slow, 2, quick), 3, 40},
	} {
		var r rate
		r.start(c.total+5, 5, c.side)
		for i, took := range c.prompts {
			if told := r.add(took); told != (i+1 == c.at) {
				t.Errorf("%s: prompt %d: told is %v", c.name, i+1, told)
			}
		}
		if got := r.perSecond(); math.Abs(got-c.want) > 1e-9*c.want {
			t.Errorf("%s: %v prompts a second, want %v", c.name, got, c.want)
		}
		if r.add(time.Second) {
			t.Errorf("%s: told twice", c.name)
		}
	}
}

func TestProjection(t *testing.T) {
	var r rate
	r.start(3600, 600, 1)
	if words := r.words(); words != "" {
		t.Errorf("told %q before anything was measured", words)
	}
	r.add(time.Minute)
	for range 16 {
		r.add(time.Second / 2)
	}
	p := r.projection(7200)
	if want := (Projection{Prompts: 7200, Left: 2983, PromptsPerSecond: 2, MachineHours: 1, HoursLeft: 2983. / 7200}); p != want {
		t.Errorf("%+v, want %+v", p, want)
	}
	if words := r.words(); words != ", 2/s, 24m52s left" {
		t.Errorf("%q", words)
	}
}
