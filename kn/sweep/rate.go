package sweep

import (
	"fmt"
	"time"
)

// rate measures how quickly prompts are attributed, by the time that each
// takes. Compiling is left out: with some backends it takes minutes, but no
// longer for a hundred thousand prompts than for a thousand.
type rate struct {
	total, found int // prompts of the shard, and those that were there before
	computed     int
	side         int // prompts attributed side by side

	// The first prompt is attributed by itself and reads weights; the rate is
	// that of the others.
	first, others work

	measured bool
}

// work is what some prompts were.
type work struct {
	prompts int
	took    time.Duration // all together
}

// What the rate is measured on, at least, before it is told.
const (
	leastPrompts = 16
	leastTime    = 500 * time.Millisecond
)

// start begins measuring.
func (r *rate) start(total, found, side int) { r.total, r.found, r.side = total, found, side }

// add counts a prompt, and says whether the rate can be told for the first
// time: when enough was measured, or all is done. took is the time without
// compiling.
func (r *rate) add(took time.Duration) (measured bool) {
	r.computed++
	w := &r.others
	if r.computed == 1 {
		w = &r.first
	}
	w.prompts++
	w.took += took
	enough := r.others.prompts >= leastPrompts && r.others.took >= leastTime*time.Duration(r.side)
	if r.measured || !enough && r.left() > 0 {
		return false
	}
	r.measured = true
	return true
}

func (r *rate) left() int { return r.total - r.found - r.computed }

// perSecond is the number of prompts attributed in a second.
func (r *rate) perSecond() float64 {
	w := r.others
	if w.prompts == 0 {
		w = r.first
	}
	if seconds := w.took.Seconds(); seconds > 0 {
		return float64(w.prompts*min(r.side, w.prompts)) / seconds
	}
	return 0
}

// words tells rate and time left, as soon as they are measured.
func (r *rate) words() string {
	if !r.measured {
		return ""
	}
	perSecond := r.perSecond()
	left := time.Duration(float64(r.left()) / perSecond * float64(time.Second))
	return fmt.Sprintf(", %.3g/s, %s left", perSecond, left.Round(time.Second))
}

// Projection says how long a sweep takes at the rate measured on its first
// prompts, on a machine like this one. Compiling graphs comes on top.
type Projection struct {
	Prompts          int     `json:"prompts"` // of the whole sweep, all shards
	Left             int     `json:"left"`    // of this shard, not attributed yet
	PromptsPerSecond float64 `json:"prompts_per_second"`
	// MachineHours are for all prompts of the sweep; HoursLeft for what is
	// left of this shard.
	MachineHours float64 `json:"machine_hours"`
	HoursLeft    float64 `json:"hours_left"`
}

// String says it in a line.
func (p Projection) String() string {
	return fmt.Sprintf("%.3g prompts a second: %.3g machine-hours for all %d prompts, %.3g hours for the %d that are left here",
		p.PromptsPerSecond, p.MachineHours, p.Prompts, p.HoursLeft, p.Left)
}

func (r *rate) projection(prompts int) Projection {
	p := Projection{Prompts: prompts, Left: r.left(), PromptsPerSecond: r.perSecond()}
	if p.PromptsPerSecond > 0 {
		p.MachineHours = float64(p.Prompts) / p.PromptsPerSecond / 3600
		p.HoursLeft = float64(p.Left) / p.PromptsPerSecond / 3600
	}
	return p
}
