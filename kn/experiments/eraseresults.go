package experiments

import (
	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// EraseTable is the result of [Erase].
type EraseTable struct {
	Neurons    int              `json:"neurons"` // erased of each relation, if it has so many
	Relations  []ErasedRelation `json:"relations"`
	Provenance kn.Provenance    `json:"provenance"`
}

// ErasedRelation is what erasing one relation does to it and to the others.
type ErasedRelation struct {
	Relation     string `json:"relation"`
	Name         string `json:"name,omitempty"`
	Facts        int    `json:"facts"` // of the relation, measured
	Prompts      int    `json:"prompts"`
	OtherFacts   int    `json:"other_facts"` // of the others, measured
	OtherPrompts int    `json:"other_prompts"`
	// Commonest are the relation's neurons that were erased, with the number of
	// its facts that have each.
	Commonest []NeuronCount `json:"commonest"`
	// Sets are the sets of neurons compared, in order of the charts.
	Sets []EraseSet `json:"sets"`
	// Curve is over the number of the relation's commonest neurons, in the order
	// asked for. It ends where the relation has no more of them.
	Curve []ErasePoint `json:"curve"`
}

// EraseSet is the effect of erasing one set of neurons.
type EraseSet struct {
	Set   string `json:"set"`   // "own", "other relation", "random"
	Label string `json:"label"` // for legends
	// Of is the relation whose neurons they are, of "other relation"; Shared
	// says how many of them the erased relation's own set has, too.
	Of     string `json:"of,omitempty"`
	Shared int    `json:"shared,omitempty"`
	ErasePoint
	// The own neurons' effect on the erased relation against this set's, paired by
	// fact; zero for "own". PerplexityMore is their perplexities' quotient
	// - 1, AccuracyLess the difference of their accuracies.
	PerplexityMore stats.Interval `json:"own_more_perplexity"`
	AccuracyLess   stats.Interval `json:"own_less_accuracy"`
}

// ErasePoint is the effect of erasing a number of neurons.
type ErasePoint struct {
	Neurons int    `json:"neurons"`
	Erased  Recall `json:"erased"` // the erased relation
	Others  Recall `json:"others"`
}

// Recall says how well facts are recalled before an edit and after it.
type Recall struct {
	Perplexity PerplexityChange `json:"perplexity"`
	// Accuracy is the share of prompts with the answer ranked first, 0 to 1,
	// and its change the difference, paired by fact.
	AccuracyBefore stats.Interval `json:"accuracy_before"`
	Accuracy       stats.Interval `json:"accuracy"`
	AccuracyChange stats.Interval `json:"accuracy_change"`
}
