package sweep

import (
	"math"
	"testing"
	"time"
)

// TestRate: the first batch of each of those side by side does not count, and
// the rate is told once, on enough prompts and enough time.
func TestRate(t *testing.T) {
	type batch struct {
		prompts int
		took    time.Duration
	}
	slow, quick := batch{8, 4 * time.Second}, batch{8, 400 * time.Millisecond}
	for _, c := range []struct {
		name    string
		side    int
		total   int
		batches []batch
		at      int // batch after which it is told
		want    float64
	}{
		{"one by one", 1, 1000, []batch{slow, quick, quick, quick}, 3, 20},
		{"two side by side", 2, 1000, []batch{slow, slow, quick, quick, quick}, 5, 40},
		{"many quick ones", 1, 1000, []batch{slow, {8, 200 * time.Millisecond}, {8, 200 * time.Millisecond}, {8, 200 * time.Millisecond}}, 4, 40},
		{"few prompts in much time", 1, 1000, []batch{quick, slow, slow}, 3, 2},
		{"all done at once", 4, 8, []batch{quick}, 1, 20},
		{"done behind the first ones", 4, 40, []batch{slow, slow, slow, slow, quick}, 5, 20},
	} {
		var r rate
		r.start(c.total+5, 5, c.side)
		for i, b := range c.batches {
			if told := r.add(b.prompts, b.took); told != (i+1 == c.at) {
				t.Errorf("%s: batch %d: told is %v", c.name, i+1, told)
			}
		}
		if got := r.perSecond(); math.Abs(got-c.want) > 1e-9*c.want {
			t.Errorf("%s: %v prompts a second, want %v", c.name, got, c.want)
		}
		if r.add(8, time.Second) {
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
	r.add(8, time.Minute)
	r.add(16, 8*time.Second)
	p := r.projection(7200)
	if want := (Projection{Prompts: 7200, Left: 2976, PromptsPerSecond: 2, MachineHours: 1, HoursLeft: 2976. / 7200}); p != want {
		t.Errorf("%+v, want %+v", p, want)
	}
	if words := r.words(); words != ", 2/s, 24m48s left" {
		t.Errorf("%q", words)
	}
}
