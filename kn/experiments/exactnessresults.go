package experiments

import (
	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// ExactnessTable is the result of [Exactness]. Errors and estimates are shares
// of the prompt's largest score.
type ExactnessTable struct {
	Prompts    int                  `json:"prompts"`
	Relations  int                  `json:"relations"`
	Layers     int                  `json:"layers"`     // of the model; a prompt has an integral for each
	Activation string               `json:"activation"` // the model's activation function: integrands jump unless it is smooth
	Reference  ExactnessReference   `json:"reference"`
	Check      ExactnessCheck       `json:"check"`
	Tolerances []ToleranceExactness `json:"tolerances"`
	Each       []PromptExactness    `json:"each"`
	Provenance kn.Provenance        `json:"provenance"`
}

// ExactnessReference is what errors are measured against: the adaptive rule to
// a small tolerance.
type ExactnessReference struct {
	Tolerance    float64 `json:"tolerance"`
	Nodes        float64 `json:"nodes"`         // a layer, mean
	Estimate     float64 `json:"estimate"`      // of its own error, in the worst layer of all prompts
	NotConverged int     `json:"not_converged"` // prompts in which the tolerance was not reached
}

// ExactnessCheck says how far the reference is from a fixed rule.
type ExactnessCheck struct {
	Rule       kn.Rule `json:"rule"`
	Nodes      int     `json:"nodes"`      // a layer
	Prompts    int     `json:"prompts"`    // that were checked
	Difference float64 `json:"difference"` // largest, of any score in any of them
	Median     float64 `json:"median"`     // over prompts, of the largest in each
}

// ToleranceExactness says how the adaptive rule kept a tolerance.
type ToleranceExactness struct {
	Tolerance float64 `json:"tolerance"`
	Prompts   int     `json:"prompts"`
	Within    int     `json:"within"` // prompts in which no score is further off than the tolerance
	// Share is that of the prompts within, with the 95 % interval of Clopper
	// and Pearson, which holds for shares near 1 as well.
	Share stats.Interval `json:"share"`
	// Worst is the largest error, in units of the tolerance, and
	// WorstConverged that of the prompts that are not reported as unconverged.
	Worst          float64 `json:"worst"`
	WorstConverged float64 `json:"worst_converged"`
	NotConverged   int     `json:"not_converged"` // prompts that the rule reports so

	Layers int `json:"layers"` // of all prompts together
	// Below counts the layers that the rule estimated to be more exact than
	// they are, and BelowSeen those of them whose error is above the
	// reference's tolerance: what is below that may be the reference's own.
	Below     int `json:"below"`
	BelowSeen int `json:"below_seen"`
	// AsReference counts the layers in which the reference took no more nodes.
	// They have no error against it; only the check can tell whether they are
	// exact.
	AsReference int     `json:"as_reference"`
	Nodes       float64 `json:"nodes"` // a layer, mean

	Verdict      Promise       `json:"verdict"`
	WorstPrompts []WorstPrompt `json:"worst_prompts"` // up to 5, the worst first
}

// WorstPrompt is one of those with the largest errors.
type WorstPrompt struct {
	Relation string `json:"relation"`
	Prompt   string `json:"prompt"`
	Answer   string `json:"answer"`
	AttributionExactness
}

// PromptExactness is a prompt of the experiment.
type PromptExactness struct {
	Relation  string          `json:"relation"`
	Prompt    string          `json:"prompt"`
	Answer    string          `json:"answer"`
	Largest   float64         `json:"largest"` // score, in units of probability
	Reference PromptReference `json:"reference"`
	// Check is the largest difference of a score between the reference and
	// the fixed rule; nil where that was not computed.
	Check *float64               `json:"check,omitempty"`
	By    []AttributionExactness `json:"by"` // of each tolerance, in their order
}

// PromptReference is the reference in one prompt.
type PromptReference struct {
	Nodes        float64 `json:"nodes"`    // a layer, mean
	Estimate     float64 `json:"estimate"` // of its error in the worst layer
	NotConverged bool    `json:"not_converged,omitempty"`
}

// AttributionExactness is how exact one attribution is, by its worst layer.
type AttributionExactness struct {
	Error        float64 `json:"error"`    // largest of any score
	Layer        int     `json:"layer"`    // that it is in
	Estimate     float64 `json:"estimate"` // the rule's own, of that layer
	NotConverged bool    `json:"not_converged,omitempty"`
	Nodes        float64 `json:"nodes"` // a layer, mean

	// Layers, as [ToleranceExactness] counts them.
	Below       int `json:"below,omitempty"`
	BelowSeen   int `json:"below_seen,omitempty"`
	AsReference int `json:"as_reference,omitempty"`
}
