package sweep

import (
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// Summary says what a sweep, or a merge, amounts to.
type Summary struct {
	Facts   int `json:"facts"`   // attributed, of all shards
	Prompts int `json:"prompts"` // of these facts
	Shard   int `json:"shard"`
	Shards  int `json:"shards"`

	// Of this shard's prompts, those computed now, those that were there
	// before, and those of both whose attribution did not reach the tolerance.
	Computed     int `json:"computed"`
	Found        int `json:"found"`
	NotConverged int `json:"not_converged"`

	// Seconds that attributing took, compiling included; the rate, without
	// it; and the machine-hours that all prompts take at it.
	// 0 where nothing was computed.
	Seconds          float64 `json:"seconds"`
	PromptsPerSecond float64 `json:"prompts_per_second"`
	ProjectedHours   float64 `json:"projected_hours"`

	// LeftOut lists what the model cannot be asked about.
	LeftOut       []facts.LeftOut      `json:"left_out"`
	LeftOutCounts map[facts.Reason]int `json:"left_out_counts"`

	Options    Options       `json:"options"`
	Provenance kn.Provenance `json:"provenance"`
}

// summary is what is known of a plan before it is carried out.
func (p *plan) summary() *Summary {
	s := &Summary{
		Facts: len(p.facts), Prompts: p.prompts, Shard: p.Shard, Shards: p.Shards,
		LeftOut: append([]facts.LeftOut{}, p.leftOut...), LeftOutCounts: map[facts.Reason]int{},
		Options: p.Options, Provenance: p.header.Provenance,
	}
	for _, l := range p.leftOut {
		s.LeftOutCounts[l.Reason]++
	}
	return s
}

func (r *run) summary() *Summary {
	s := r.plan.summary()
	s.Computed, s.Found, s.NotConverged = r.rate.computed, r.rate.found, r.notConverged+r.shard.notConverged
	if s.Computed > 0 {
		s.Seconds = time.Since(r.begun).Seconds()
		projection := r.rate.projection(r.prompts)
		s.PromptsPerSecond, s.ProjectedHours = projection.PromptsPerSecond, projection.MachineHours
	}
	return s
}
