package dynamics

import "github.com/knowledge-neurons/gonb-kn/kn"

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
