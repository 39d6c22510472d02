package kn

// Provenance says where a result comes from, so that a figure or a table can
// be traced to what made it.
type Provenance struct {
	Model   string `json:"model"`   // see [Model.Label]
	Digest  string `json:"digest"`  // SHA-256 of weights, configuration and tokenizer
	Version string `json:"version"` // version of this module
	// Backend that computed it, such as "go:ops_sequential" or "xla:cpu". What it is made of
	// may have been in the cache, computed by another one.
	Backend string         `json:"backend,omitempty"`
	Options map[string]any `json:"options,omitempty"` // every option that changes the numbers
	Seed    uint64         `json:"seed,omitempty"`
}

// TokenProbability is a vocabulary token with its probability at [MASK].
type TokenProbability struct {
	Token       string  `json:"token"`
	ID          int     `json:"id"`
	Probability float64 `json:"probability"`
}

// RankedToken is an answer with its probability and its rank among the whole
// vocabulary; rank 1 is the most probable token. An answer of several tokens has
// the product of their probabilities, and the largest of their ranks: it is 1 if
// each of them comes first in its place.
type RankedToken struct {
	TokenProbability       // ID is that of the first token
	Rank             int   `json:"rank"`
	IDs              []int `json:"ids,omitempty"` // of an answer of several tokens, all of them
}

// Prediction is the distribution over the vocabulary at a prompt's [MASK].
type Prediction struct {
	Prompt       string             `json:"prompt"`
	MaskPosition int                `json:"mask_position"`    // index of [MASK] among the tokens, [CLS] being 0
	Predictions  []TokenProbability `json:"predictions"`      // the most probable tokens, best first
	Answer       *RankedToken       `json:"answer,omitempty"` // the answer asked about, if any

	Provenance Provenance `json:"provenance"`
}

// Attribution is what [Model.Attribute] computes for one prompt and answer.
// L is the number of layers, F the size of their feed-forward activation.
type Attribution struct {
	Prompt      string  `json:"prompt"`
	Answer      string  `json:"answer"`
	Target      Target  `json:"target,omitempty"` // what was attributed
	Probability float64 `json:"probability"`      // of the answer, model unmodified

	// ProbabilityAtZero[l] is the answer's probability when the whole
	// activation of layer l is 0 where the answer is predicted.
	ProbabilityAtZero []float64 `json:"probability_at_zero"` // [L]
	// CompletenessError[l] is sum(Scores[l]) minus the change of the target from
	// activation 0 to the unmodified model; 0 for an exact integral. A small one does
	// not prove the scores right: see EstimatedError.
	CompletenessError []float64 `json:"completeness_error"` // [L]

	Rule  Rule  `json:"rule"`
	Nodes []int `json:"nodes"` // [L] gradient evaluations spent on each layer
	// EstimatedError[l] estimates the largest error of any score in layer l,
	// in units of the target. Only the adaptive rule estimates; others
	// leave it empty.
	EstimatedError []float64 `json:"estimated_error,omitempty"` // [L]
	// NotConverged lists the layers whose estimate did not reach the
	// tolerance within the allowed number of nodes.
	NotConverged []int `json:"not_converged,omitempty"`

	// Scores[l][i] is the integrated gradient of neuron (l, i), in the target's [Attribution.Unit].
	Scores [][]float64 `json:"scores"` // [L][F]
	// Activations[l][i] is the neuron's activation where the answer is predicted,
	// in the mean over its tokens: the baseline attribution.
	Activations [][]float64 `json:"activations"` // [L][F]

	Provenance Provenance `json:"provenance"`
}

// Rule names a way to integrate the gradient over the activation's path.
type Rule string

// The integration rules. See package quadrature for nodes and weights.
const (
	// Adaptive takes as many nodes as the tolerance needs: [quadrature.NewChecked],
	// or [quadrature.NewAdaptive] where gradients jump.
	Adaptive Rule = "adaptive"

	GaussLegendre      Rule = "gauss_legendre"      // n nodes, exact for polynomials of degree 2n-1
	LeftRiemann        Rule = "left_riemann"        // nodes k/n for k in 0..n-1, weight 1/n: the paper authors' code
	LinspaceInclusive  Rule = "linspace_inclusive"  // n nodes from 0 to 1 inclusive, weight 1/n: EleutherAI's code
	Trapezoid          Rule = "trapezoid"           // n nodes from 0 to 1 inclusive, the two ends at half weight
	ActivationBaseline Rule = "activation_baseline" // no integral: the activation itself
)

// Curve is the answer's probability as a function of the factor by which a
// set of neurons is multiplied.
type Curve struct {
	Label       string    `json:"label"` // for legends: "knowledge neurons", "random", "activation-matched"
	Neurons     []Neuron  `json:"neurons"`
	Factors     []float64 `json:"factors"`
	Probability []float64 `json:"probability"` // [len(Factors)], mean over prompts
	// Low and High bound the prompts' (or the control draws') spread: the
	// smallest and the largest probability at each factor. Empty for one prompt.
	Low  []float64 `json:"low,omitempty"`
	High []float64 `json:"high,omitempty"`
}

// FactorCurves holds the curve of a fact's own neurons beside its controls:
// neuron sets of the same size in each layer.
type FactorCurves struct {
	Prompts []string `json:"prompts"`
	Answer  string   `json:"answer"`
	Own     Curve    `json:"own"`
	Random  Curve    `json:"random"`             // drawn uniformly from the other neurons of the same layers
	Matched Curve    `json:"activation_matched"` // the other neurons nearest in activation
	// Probability is the mean probability of the unmodified model.
	Probability float64 `json:"probability"`

	Provenance Provenance `json:"provenance"`
}

// ScatterPoint is one prompt in a chart of activation against probability.
type ScatterPoint struct {
	Prompt      string  `json:"prompt"`
	Answer      string  `json:"answer"`
	Group       string  `json:"group,omitempty"` // for the legend: the relation, say
	Activation  float64 `json:"activation"`      // mean activation of the fact's neurons at [MASK]
	Probability float64 `json:"probability"`     // of the answer
}

// ActivationScatter relates the mean activation of knowledge neurons to the
// probability of the answer, over prompts.
type ActivationScatter struct {
	Neurons    []Neuron       `json:"neurons,omitempty"`
	Points     []ScatterPoint `json:"points"`
	Pearson    float64        `json:"pearson"` // correlation of activation and probability
	Provenance Provenance     `json:"provenance"`
}

// GroupBy puts each point into the group that the function names, for a chart's
// legend.
func (s *ActivationScatter) GroupBy(group func(ScatterPoint) string) {
	for i, p := range s.Points {
		s.Points[i].Group = group(p)
	}
}

// KnowledgeNeurons is what [Refine] makes of a fact's prompts.
type KnowledgeNeurons struct {
	Prompts []string   `json:"prompts"`
	Answer  string     `json:"answer"`
	Coarse  [][]Neuron `json:"coarse"`  // per prompt
	Refined []Neuron   `json:"refined"` // kept by the share of prompts
	// Scores[i][k] is the score of Refined[k] in prompt i, in units of the
	// recipe's target.
	Scores [][]float64 `json:"scores"` // [len(Prompts)][len(Refined)]
	// NotConverged lists the prompts, from 0, whose attribution did not reach
	// the adaptive rule's tolerance in every layer.
	NotConverged []int `json:"not_converged,omitempty"`
	// Layers and FFN are the model's sizes, for charts per layer.
	Layers int `json:"layers"`
	FFN    int `json:"ffn"`

	Provenance Provenance `json:"provenance"`
}
