package experiments

import (
	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// Selection says how a fact's neurons were chosen from its prompts' scores.
type Selection struct {
	Threshold  float64         `json:"threshold"` // t
	Start      float64         `json:"start"`     // p before tuning
	Fixed      bool            `json:"fixed"`     // p was not tuned
	MinPrompts int             `json:"min_prompts"`
	ByRelation []RelationShare `json:"by_relation"`
}

// RelationShare is the share p by which one relation's neurons were chosen.
type RelationShare struct {
	Relation string  `json:"relation"`
	Share    float64 `json:"share"` // p, after tuning
	Moves    int     `json:"moves"` // of p, 0.05 each
}

// NeuronTable is the result of [Neurons] (the paper's table 2 and figure 3).
type NeuronTable struct {
	Facts      int               `json:"facts"`
	Prompts    int               `json:"prompts"`
	Relations  int               `json:"relations"`
	Gradients  MethodNeurons     `json:"gradients"`
	Baseline   MethodNeurons     `json:"baseline"`
	ByRelation []RelationNeurons `json:"by_relation"`
	Provenance kn.Provenance     `json:"provenance"`
}

// MethodNeurons says what one method finds.
type MethodNeurons struct {
	Selection  Selection      `json:"selection"`
	PerFact    stats.Interval `json:"per_fact"`    // refined neurons
	PerPrompt  stats.Interval `json:"per_prompt"`  // coarse neurons
	WithoutAny int            `json:"without_any"` // facts with no refined neuron
	// Undecided counts the facts with a neuron whose choice is within the
	// integrals' error; 0 for the baseline, which has no such error.
	Undecided int       `json:"undecided"`
	PerLayer  []float64 `json:"per_layer"` // share of the refined neurons in each layer
	// PerLayerIntervals are the same with their intervals, over facts.
	PerLayerIntervals []stats.Interval `json:"per_layer_intervals"`
	Top               stats.Interval   `json:"top"`    // share in the topmost third of the layers, rounded up
	Shared            SharedNeurons    `json:"shared"` // by two facts
}

// RelationNeurons are one relation's.
type RelationNeurons struct {
	Relation string `json:"relation"`
	Name     string `json:"name,omitempty"`
	Facts    int    `json:"facts"`
	// Gradients and Baseline are the mean numbers of refined neurons a fact, by each method.
	Gradients float64 `json:"gradients"`
	Baseline  float64 `json:"baseline"`
	// Common are the neurons that at least 10 % of the relation's facts have:
	// the paper's relation neurons.
	Common []NeuronCount `json:"common"`
}

// NeuronCount is a neuron with the number of facts that have it.
type NeuronCount struct {
	Neuron kn.Neuron `json:"neuron"`
	Facts  int       `json:"facts"`
}

// Intervention is the result of [Intervene] (the paper's figures 4 and 5).
// Changes are relative: 0.1 stands for +10 % of the answer's probability.
type Intervention struct {
	Facts   int `json:"facts"`
	Prompts int `json:"prompts"`
	// Sets are the sets of neurons compared, in order of the charts.
	Sets       []InterventionSet      `json:"sets"`
	ByRelation []RelationIntervention `json:"by_relation"`
	// Of are the facts with their neurons, if they are no more than [FewFacts]:
	// all that it takes to measure again.
	Of         []IntervenedFact `json:"of,omitempty"`
	Provenance kn.Provenance    `json:"provenance"`
}

// FewFacts is the largest number of facts that a result lists one by one.
const FewFacts = 20

// IntervenedFact is a fact with the neurons that [Intervene] changes.
type IntervenedFact struct {
	Bag             facts.Bag   `json:"fact"`
	Neurons         []kn.Neuron `json:"neurons"`
	BaselineNeurons []kn.Neuron `json:"baseline_neurons"`
}

// InterventionSet is the mean over all facts for one kind of neurons.
type InterventionSet struct {
	Set        string         `json:"set"`     // "own", "other relation", "random", "matched", "baseline"
	Label      string         `json:"label"`   // for legends
	Neurons    stats.Interval `json:"neurons"` // changed a fact
	Suppressed stats.Interval `json:"suppressed"`
	Amplified  stats.Interval `json:"amplified"`
	// The own neurons' change less this set's, paired by fact; zero for "own".
	SuppressedLess stats.Interval `json:"own_less_suppressed"`
	AmplifiedLess  stats.Interval `json:"own_less_amplified"`
	// The authors' average: for each relation, the change of its prompts' mean
	// probability, as a share of that mean; then the mean over relations. Prompts
	// count by their probability, so that none with a small one can decide a
	// relation's change.
	OfRelationsSuppressed stats.Interval `json:"of_relations_suppressed"`
	OfRelationsAmplified  stats.Interval `json:"of_relations_amplified"`
}

// RelationIntervention are the means of one relation's facts, in order of
// [Intervention.Sets].
type RelationIntervention struct {
	Relation   string           `json:"relation"`
	Name       string           `json:"name,omitempty"`
	Facts      int              `json:"facts"`
	Suppressed []stats.Interval `json:"suppressed"`
	Amplified  []stats.Interval `json:"amplified"`
}

// RecipeDiff is the result of [DiffRecipes].
type RecipeDiff struct {
	Facts   int            `json:"facts"`
	Recipes []RecipeResult `json:"recipes"`
	// Overlap[i][j] is the mean Jaccard index of the refined sets of recipes i and j.
	Overlap [][]stats.Interval `json:"overlap"`
	// Steps go from Dai2022 to the default by one difference after another.
	Steps []RecipeStep `json:"steps"`
	// Alone changes one difference of Dai2022 at a time.
	Alone      []RecipeStep  `json:"alone"`
	Provenance kn.Provenance `json:"provenance"`
}

// RecipeResult says how many neurons a recipe finds.
type RecipeResult struct {
	Name    string         `json:"name"`
	Recipe  kn.Recipe      `json:"recipe"`
	PerFact stats.Interval `json:"per_fact"`
}

// RecipeStep is one difference between two recipes and what it moves.
type RecipeStep struct {
	What    string         `json:"what"`    // "rule: left_riemann to adaptive"
	Overlap stats.Interval `json:"overlap"` // Jaccard index with the step before
	PerFact stats.Interval `json:"per_fact"`
}

// ConvergenceTable is the result of [Convergence].
type ConvergenceTable struct {
	Prompts    int               `json:"prompts"`
	Reference  string            `json:"reference"` // what the errors are measured against
	Rules      []RuleConvergence `json:"rules"`
	Provenance kn.Provenance     `json:"provenance"`
}

// RuleConvergence is a rule's error against its number of nodes.
type RuleConvergence struct {
	Rule   kn.Rule            `json:"rule"`
	Points []ConvergencePoint `json:"points"`
}

// ConvergencePoint is the error at one number of nodes: the largest error of
// a score as a share of the prompt's largest score.
type ConvergencePoint struct {
	Nodes     float64 `json:"nodes"`               // a layer; the mean for the adaptive rule
	Tolerance float64 `json:"tolerance,omitempty"` // of the adaptive rule
	Median    float64 `json:"median"`
	Low       float64 `json:"low"`  // tenth percentile of the prompts
	High      float64 `json:"high"` // ninetieth
	// Same is the mean Jaccard index of the coarse set with the exact one.
	Same stats.Interval `json:"same"`
}

// ActivationExpression is the result of [Express]: how strongly a fact's
// neurons act in texts that say the fact (T1), that are about its subject (T2)
// and in random ones (T3).
type ActivationExpression struct {
	Pooling    Pooling              `json:"pooling"`
	Facts      int                  `json:"facts"`    // measured
	NoTexts    int                  `json:"no_texts"` // left out: no T1 or no T2 that can be read
	Texts      TextCounts           `json:"texts"`
	Gradients  MethodExpression     `json:"gradients"`
	Baseline   MethodExpression     `json:"baseline"`
	Random     MethodExpression     `json:"random"` // as many random neurons of the first layer
	ByRelation []RelationExpression `json:"by_relation"`
	Extremes   []NeuronTexts        `json:"extremes"`
	Provenance kn.Provenance        `json:"provenance"`
}

// TextCounts count the texts read, and those left out.
type TextCounts struct {
	T1      int `json:"t1"`
	T2      int `json:"t2"`
	T3      int `json:"t3"`
	TooLong int `json:"too_long"` // left out: more tokens than the model takes
	NoMask  int `json:"no_mask"`  // left out: the answer is no word of it (T1), or there is no word to mask
	Unknown int `json:"unknown"`  // of those read: have a word that the vocabulary cannot spell
}

// TypeMeans are the mean activations in each type of text.
type TypeMeans struct {
	T1 stats.Interval `json:"t1"`
	T2 stats.Interval `json:"t2"`
	T3 stats.Interval `json:"t3"`
}

// MethodExpression is the mean over facts for one method's neurons.
type MethodExpression struct {
	Facts int `json:"facts"` // with neurons of the method; the others are left out
	TypeMeans
	// Differences, paired by fact.
	T1LessT2 stats.Interval `json:"t1_less_t2"`
	T2LessT3 stats.Interval `json:"t2_less_t3"`
	// OfRelations are the means of T1, T2 and T3 as the authors' code takes
	// them: over all neurons of a relation's facts, then over relations. A
	// relation whose facts have none is left out; in their code it counts as 0.
	OfRelations TypeMeans `json:"of_relations"`
}

// RelationExpression are the means over one relation's facts.
type RelationExpression struct {
	Relation  string    `json:"relation"`
	Name      string    `json:"name,omitempty"`
	Facts     int       `json:"facts"`
	Gradients TypeMeans `json:"gradients"`
	Baseline  TypeMeans `json:"baseline"`
}

// NeuronTexts are the texts that activate a neuron most and least, each list
// from its end on.
type NeuronTexts struct {
	Neuron kn.Neuron    `json:"neuron"`
	Facts  int          `json:"facts"` // that have the neuron
	Most   []NeuronText `json:"most"`
	Least  []NeuronText `json:"least"`
	AsLow  int          `json:"as_low"` // texts that activate it as little as the first of Least: many where a ReLU is 0
}

// NeuronText is a text as it was read.
type NeuronText struct {
	Activation float64 `json:"activation"`
	Text       string  `json:"text"`
	Type       string  `json:"type"` // "T1", "T2" or "T3"
	Fact       string  `json:"fact"` // that it was read for
}
