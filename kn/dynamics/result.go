package dynamics

import (
	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// Measures are the indicators of two models' difference. L is the number of layers.
type Measures struct {
	AttentionJSD  []float64 `json:"attention_jsd"`  // [L] nats, 0 to log 2
	SVCCADistance []float64 `json:"svcca_distance"` // [L+1], 0 to 1: the embeddings, then each layer
	CKADistance   []float64 `json:"cka_distance"`   // [L+1], 0 to 1
	// KeptA and KeptB are the singular directions that the SVCCA distance
	// keeps of either model.
	KeptA []int `json:"kept_a"` // [L+1]
	KeptB []int `json:"kept_b"` // [L+1]
}

// Sample says what models were compared on.
type Sample struct {
	Texts  int `json:"texts"`
	Tokens int `json:"tokens"` // of all texts, [CLS] and [SEP] included: the samples of hidden states
	// Cut counts the texts that are longer than the models take and lost their end.
	Cut int `json:"cut,omitempty"`
	// Unknown are the words that the vocabulary cannot spell, and that the
	// models read as [UNK].
	Unknown []string `json:"unknown,omitempty"`
}

// Comparison is what [Compare] measures.
type Comparison struct {
	ModelA string `json:"model_a"`
	ModelB string `json:"model_b"`
	Measures
	Sample
	Provenance kn.Provenance `json:"provenance"`
}

// LayersBySteps is what [Training] measures: each checkpoint against the start.
type LayersBySteps struct {
	Start         string      `json:"start"`
	Steps         []int       `json:"steps"`
	AttentionJSD  [][]float64 `json:"attention_jsd"`  // [steps][L] nats
	SVCCADistance [][]float64 `json:"svcca_distance"` // [steps][L+1]
	CKADistance   [][]float64 `json:"cka_distance"`   // [steps][L+1]
	Sample
	Provenance kn.Provenance `json:"provenance"`
}

// PairMatrices is what [Pairs] measures: each model against each other, one
// symmetric matrix a layer, 0 on the diagonal.
type PairMatrices struct {
	Names         []string      `json:"names"`          // of the models: seeds, or data sets
	AttentionJSD  [][][]float64 `json:"attention_jsd"`  // [L][models][models] nats
	SVCCADistance [][][]float64 `json:"svcca_distance"` // [L+1][models][models]
	CKADistance   [][][]float64 `json:"cka_distance"`   // [L+1][models][models]
	Sample
	Provenance kn.Provenance `json:"provenance"`
}

// KnowledgeBySteps is what [Follow] measures. Intervals are over facts, with
// the prompts of a fact together.
type KnowledgeBySteps struct {
	Start       string           `json:"start"`
	Facts       int              `json:"facts"`
	Prompts     int              `json:"prompts"`
	Steps       []int            `json:"steps"`       // the start's, 0, first
	Probability []stats.Interval `json:"probability"` // [steps] of the answer, mean over prompts
	First       []stats.Interval `json:"first"`       // [steps] share of the prompts with the answer ranked first
	PerFact     []stats.Interval `json:"per_fact"`    // [steps] knowledge neurons of a fact
	// Overlap is the Jaccard index |A ∩ B| / |A ∪ B| of a fact's neurons at the
	// start and after a step, mean over the facts that have any at the start.
	Overlap []stats.Interval `json:"overlap"` // [steps]
	// Control is the probability of the control's answers, over prompts; empty if
	// there is none.
	Control        []stats.Interval `json:"control,omitempty"` // [steps]
	ControlPrompts int              `json:"control_prompts,omitempty"`
	// Neurons counts the start's, of all facts, by layer; Kept is the share of
	// them that still are their facts' after a step, nil for a layer without.
	Neurons    []int             `json:"neurons"` // [L]
	Kept       [][]*float64      `json:"kept"`    // [steps][L]
	ByRelation []RelationBySteps `json:"by_relation"`
	Provenance kn.Provenance     `json:"provenance"`
}

// RelationBySteps is what becomes of a relation's facts.
type RelationBySteps struct {
	Relation    string    `json:"relation"`
	Name        string    `json:"name,omitempty"`
	Facts       int       `json:"facts"`
	Probability []float64 `json:"probability"` // [steps] of the answer, mean over prompts
}
