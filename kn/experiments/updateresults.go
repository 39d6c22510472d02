package experiments

import (
	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// UpdateTable is the result of [Update].
type UpdateTable struct {
	Facts     int `json:"facts"`   // updated
	Prompts   int `json:"prompts"` // of theirs, those that the unmodified model answers rightly
	Relations int `json:"relations"`
	// Facts that were drawn and passed over: no neuron was left of them, or
	// the model does not know them.
	WithoutNeurons int     `json:"without_neurons"`
	Unknown        int     `json:"unknown"`
	Lambda1        float64 `json:"lambda1"`
	Lambda2        float64 `json:"lambda2"`
	// Sets are the facts' own neurons, and as many random ones.
	Sets       []UpdateSet      `json:"sets"`
	ByRelation []RelationUpdate `json:"by_relation"`
	// The curves: over λ1 and λ2, in order of λ1, and over the number of neurons.
	CurveFacts int           `json:"curve_facts"`
	Lambdas    []UpdatePoint `json:"lambdas"`
	Counts     []UpdatePoint `json:"counts"`
	Each       []UpdatedFact `json:"each"` // of the facts, by their own neurons
	Provenance kn.Provenance `json:"provenance"`
}

// UpdateEffect is what updates do, over facts and their prompts. Shares are
// of prompts, 0 to 1.
type UpdateEffect struct {
	Neurons stats.Interval `json:"neurons"` // changed a fact
	Changed stats.Interval `json:"changed"` // change rate: the top prediction is another one
	Success stats.Interval `json:"success"` // success rate: the top prediction is the new answer
	TopFive stats.Interval `json:"top_five"`

	// Of the new answer among the vocabulary, 1 being best.
	RankBefore           stats.Interval `json:"rank_before"`
	Rank                 stats.Interval `json:"rank"`
	ReciprocalRankBefore stats.Interval `json:"reciprocal_rank_before"`
	ReciprocalRank       stats.Interval `json:"reciprocal_rank"`

	// Changes of the two answers' probabilities, in units of probability.
	NewProbability stats.Interval `json:"new_probability"`
	OldProbability stats.Interval `json:"old_probability"`

	// Perplexity of other facts of the relation, and of other relations.
	Within PerplexityChange `json:"within"`
	Across PerplexityChange `json:"across"`
}

// UpdateSet is the effect of updating one kind of neurons.
type UpdateSet struct {
	Set   string `json:"set"`   // "own", "random"
	Label string `json:"label"` // for legends
	UpdateEffect
	// Sampled are the rates as the authors sample them: a random fact of a
	// relation and a random one of its prompts, drawn again until the model
	// answers rightly; equally many of each relation. So a fact counts by the
	// share of its prompts that the model answers.
	Sampled SampledRates `json:"sampled"`
	// The own neurons' shares less this set's, paired by fact; zero for "own".
	ChangedLess stats.Interval `json:"own_less_changed"`
	SuccessLess stats.Interval `json:"own_less_success"`
}

// SampledRates are means over relations. Shares are of samples, 0 to 1.
type SampledRates struct {
	Changed stats.Interval `json:"changed"`
	Success stats.Interval `json:"success"`
}

// RelationUpdate is the effect on one relation's facts, by their own neurons.
type RelationUpdate struct {
	Relation string         `json:"relation"`
	Name     string         `json:"name,omitempty"`
	Facts    int            `json:"facts"`
	Changed  stats.Interval `json:"changed"`
	Success  stats.Interval `json:"success"`
}

// UpdatePoint is the effect at one point of a curve.
type UpdatePoint struct {
	Lambda1     float64 `json:"lambda1"`
	Lambda2     float64 `json:"lambda2"`
	MostNeurons int     `json:"most_neurons,omitempty"` // of a fact, its strongest; 0: all
	UpdateEffect
}

// UpdatedFact is one of the facts.
type UpdatedFact struct {
	Relation string      `json:"relation"`
	Subject  string      `json:"subject"`
	Old      string      `json:"old"`
	New      string      `json:"new"`
	Neurons  []kn.Neuron `json:"neurons"`
	Prompts  int         `json:"prompts"`
	Changed  float64     `json:"changed"` // shares of the prompts
	Success  float64     `json:"success"`
	TopFive  float64     `json:"top_five"`
}
