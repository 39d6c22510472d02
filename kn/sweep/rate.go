package sweep

import (
	"fmt"
	"time"
)

// rate measures how quickly prompts are attributed.
type rate struct {
	total, found int // prompts of the shard, and those that were there before
	computed     int

	begun time.Time
	// The first batch of each of those side by side compiles graphs and reads
	// weights; the rate counts from behind them.
	warmUp int
	warm   time.Time
	before int // computed until then

	measured bool
}

// What the rate is measured on, at least, before it is told.
const (
	leastPrompts = 16
	leastTime    = 500 * time.Millisecond
)

// start begins measuring.
func (r *rate) start(total, found, side int) {
	r.total, r.found, r.warmUp, r.begun = total, found, side, time.Now()
}

// add counts a batch, and says whether the rate can be told for the first
// time: when enough was measured, or all is done.
func (r *rate) add(prompts int) (measured bool) {
	r.computed += prompts
	if r.warmUp--; r.warmUp == 0 {
		r.warm, r.before = time.Now(), r.computed
	}
	enough := r.warmUp < 0 && r.computed-r.before >= leastPrompts && time.Since(r.warm) >= leastTime
	if r.measured || !enough && r.left() > 0 {
		return false
	}
	r.measured = true
	return true
}

func (r *rate) left() int { return r.total - r.found - r.computed }

// perSecond is the number of prompts attributed in a second.
func (r *rate) perSecond() float64 {
	since, prompts := r.begun, r.computed
	if r.computed > r.before && r.warmUp < 0 {
		since, prompts = r.warm, r.computed-r.before
	}
	if seconds := time.Since(since).Seconds(); seconds > 0 {
		return float64(prompts) / seconds
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
// prompts, on a machine like this one.
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
