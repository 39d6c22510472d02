package dynamics

import "slices"

// Measure is one of the indicators of two models' difference.
type Measure string

// The measures, by their names in JSON.
const (
	JSD   Measure = "attention_jsd"  // of attention, see [JSDivergence]
	SVCCA Measure = "svcca_distance" // of hidden states, see [SVCCADistance]
	CKA   Measure = "cka_distance"   // of hidden states, see [CKADistance]
)

// AllMeasures are the measures in the order of the results' fields.
var AllMeasures = []Measure{JSD, SVCCA, CKA}

// States says whether a measure is of hidden states: then it is there for the
// embeddings too, before the layers.
func (m Measure) States() bool { return m == SVCCA || m == CKA }

// Of returns a measure [steps][layers], of hidden states [steps][L+1]; nil for
// a measure that there is none of.
func (r *LayersBySteps) Of(m Measure) [][]float64 {
	return of(m, r.AttentionJSD, r.SVCCADistance, r.CKADistance)
}

// Of returns a measure [layers][models][models], of hidden states
// [L+1][models][models]; nil for a measure that there is none of.
func (r *PairMatrices) Of(m Measure) [][][]float64 {
	return of(m, r.AttentionJSD, r.SVCCADistance, r.CKADistance)
}

func of[T any](m Measure, values ...[]T) []T {
	if i := slices.Index(AllMeasures, m); i >= 0 {
		return values[i]
	}
	return nil
}
