package engine

import (
	"context"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/quadrature"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Request asks for one result for each of its rows.
type Request struct {
	Operation Operation
	Rows      []Row
	Options   Options // of attributions
}

// Row is one run of the model: a sample under edits.
type Row struct {
	Sample
	Edits   Edits
	Neurons []int // layer·F + index of those that TokenActivations reads, or of the one whose Words are asked for

	Sites    []transformer.Site // that States reads
	Noise    Noise              // of States and Traced
	Restored []Place            // of Traced: states that are as without noise
	Against  []int32            // of Direct: the token whose logit is subtracted, or none
	Line     Line               // of TokenAttribution
}

// Operation says what to compute.
type Operation string

// The operations, and the fields of [Result] that each fills in.
const (
	Distribution     Operation = "distribution"      // Distribution
	Probability      Operation = "probability"       // Probability
	Outcome          Operation = "outcome"           // Probability, Rank, Top, TopProbability
	Activations      Operation = "activations"       // Activations of all neurons where the answer is predicted: [L][F], means over its tokens
	TokenActivations Operation = "token activations" // Activations of a row's Neurons at all tokens: [neurons][tokens]
	States           Operation = "states"            // States
	Traced           Operation = "traced"            // Probability under noise with some states restored
	Lenses           Operation = "lenses"            // Lens
	Direct           Operation = "direct"            // Direct, DirectMean
	Words            Operation = "words"             // Distribution: what the neuron's value vector adds to each word's logit [V]
	Deviation        Operation = "deviation"         // Probability: the standard deviation of the word embeddings' entries
	Attribution      Operation = "attribution"       // Probability, Activations as above, and what follows them
	TokenAttribution Operation = "token attribution" // Scores [1][tokens] and Occluded [tokens] along the row's Line, Target, TargetAtBaseline, CompletenessError and what follows it [1]
)

// Options of an attribution.
type Options struct {
	// Rule is the quadrature rule. Nil stands for an adaptive one with at most
	// MaxNodes nodes a layer, or for none if MaxNodes is 0: then the
	// activations themselves are the scores.
	Rule     *quadrature.Rule
	MaxNodes int
	// Tolerance of the adaptive rule, as a share of the largest score.
	Tolerance float64
	// Logarithm attributes the logarithm of the answer's probability instead of
	// the probability.
	Logarithm bool
	// LayerNormEps replaces the configuration's epsilon unless it is 0.
	LayerNormEps float64
}

// Result is what a request asks for of one row. L is the number of layers, F
// that of a layer's neurons, V that of the vocabulary's tokens.
type Result struct {
	Row int

	Probability    float64   // of the answer: the product of its tokens'
	Rank           int       // of the answer: 1 + the number of tokens more probable; the largest of its tokens'
	Top            int32     // the most probable first token, of equal ones the first in the vocabulary
	TopProbability float64   // of that token
	Distribution   []float32 // [V] where the first token is predicted
	Activations    [][]float64
	States         []State  // at each of the row's sites
	Lens           [][]Lens // [1+L][tokens] of what enters each layer, and leaves the last
	Direct         *Parts   // of the logit of the answer's first token
	DirectMean     *Parts   // of the mean logit of the vocabulary

	Target, TargetAtBaseline float64   // of a token attribution: at the ends of its line
	Occluded                 []float64 // the target with one token at the baseline

	// Of attributions; the fields of kn.Attribution say what they are.
	ProbabilityAtZero, CompletenessError []float64 // [L]
	Nodes                                []int     // [L]
	EstimatedError                       []float64 // [L], or none
	NotConverged                         []int
	Scores                               [][]float64 // [L][F]
}

// Do computes a request. It emits results as soon as they are there, in no
// particular order: an attribution alone, others with those of their batch. It
// tells progress the share of the work that is done, from 0 to 1, which never
// falls. An error of emit ends it and is returned. The two functions are called
// by one goroutine at a time.
func (e *Engine) Do(ctx context.Context, r Request, emit func([]Result) error, progress func(share float64)) error {
	switch r.Operation {
	case Distribution, Probability, Outcome:
		return e.predict(ctx, r, emit, progress)
	case Activations:
		return e.activations(ctx, r.Rows, emit, progress)
	case TokenActivations:
		return e.tokenActivations(ctx, r.Rows, emit, progress)
	case States:
		return e.states(ctx, r.Rows, emit, progress)
	case Traced:
		return e.traced(ctx, r.Rows, emit, progress)
	case Lenses:
		return e.lenses(ctx, r.Rows, emit, progress)
	case Direct:
		return e.direct(ctx, r.Rows, emit, progress)
	case Words:
		return e.words(ctx, r.Rows, emit, progress)
	case Deviation:
		return e.deviation(r.Rows, emit, progress)
	case TokenAttribution:
		return e.attributeTokens(ctx, r.Rows, r.Options, emit, progress)
	case Attribution:
		return e.attribute(ctx, r.Rows, r.Options, emit, progress)
	}
	return fmt.Errorf("kn: there is no operation %q", r.Operation)
}
