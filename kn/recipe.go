package kn

// Recipe is all that decides which neurons are said to hold a fact.
type Recipe struct {
	Name      string           `json:"name,omitempty"`
	Attribute AttributeOptions `json:"attribute"`
	// Threshold t: a prompt's coarse set has the neurons whose score is at
	// least t times the largest of all layers. 0 stands for 0.2.
	Threshold float64 `json:"threshold,omitempty"`
	// Share p: the refined set has the neurons that are in at least this
	// share of the prompts' coarse sets. 0 stands for 0.7.
	Share float64 `json:"share,omitempty"`
	// MinPrompts is the number of prompts that a refined neuron must be in
	// at least, whatever the share.
	MinPrompts int `json:"min_prompts,omitempty"`
	// Strict compares with > instead of >=, in both steps.
	Strict bool `json:"strict,omitempty"`
}

// Dai2022 is the recipe of the authors of Knowledge Neurons in Pretrained
// Transformers, from their code: a left Riemann sum of 20 nodes, t = 0.2, p =
// 0.7 but no fewer than 3 prompts (from which they move p until facts have 2 to
// 5 neurons on average), and, in the attributions, LayerNorm's epsilon 1e-5, which
// their fork of BERT has although the checkpoint says 1e-12.
var Dai2022 = Recipe{
	Name:      "Dai2022",
	Attribute: AttributeOptions{Rule: LeftRiemann, Nodes: 20, LayerNormEps: 1e-5},
	Threshold: 0.2, Share: 0.7, MinPrompts: 3,
}

// EleutherAI2021 is the recipe of EleutherAI's knowledge-neurons library: the
// mean over 20 nodes from 0 to 1 inclusive, t = 0.3, p = 0.5, strict
// comparisons.
var EleutherAI2021 = Recipe{
	Name:      "EleutherAI2021",
	Attribute: AttributeOptions{Rule: LinspaceInclusive, Nodes: 20},
	Threshold: 0.3,
	Share:     0.5,
	Strict:    true,
}

// ActivationBaseline2022 is the paper's baseline: the activation itself is
// the score, t = 0.5.
var ActivationBaseline2022 = Recipe{
	Name:      "ActivationBaseline2022",
	Attribute: AttributeOptions{Rule: ActivationBaseline},
	Threshold: 0.5, Share: 0.7, MinPrompts: 3,
}
