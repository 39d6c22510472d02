package landscape

import "github.com/knowledge-neurons/gonb-kn/kn"

// Plane is where in the space of parameters a landscape lies.
type Plane struct {
	Theta0 string `json:"theta0"`
	Theta1 string `json:"theta1"`
	Theta2 string `json:"theta2,omitempty"` // "": a line
	// Group is the name of the group of parameters that moves, the others
	// being those of Theta1; "" when all move.
	Group  string  `json:"group,omitempty"`
	Norm1  float64 `json:"norm1"`            // |δ1|, of what moves
	Norm2  float64 `json:"norm2,omitempty"`  // |δ2|
	Cosine float64 `json:"cosine,omitempty"` // of the angle between δ1 and δ2
	// EncoderOnly says that δ2 is 0 in the classifier, since Theta2's is for
	// another number of labels.
	EncoderOnly bool `json:"encoder_only,omitempty"`
}

// Sample says what models were evaluated on.
type Sample struct {
	Examples int `json:"examples"`
	// Cut counts the examples that are longer than the models take and lost
	// their end.
	Cut int `json:"cut,omitempty"`
	// Unknown are the words that the vocabulary cannot spell, and that the
	// models read as [UNK].
	Unknown []string `json:"unknown,omitempty"`
}

// Value is what is measured of one model.
type Value struct {
	Loss  float64 `json:"loss"`  // mean cross-entropy, nats
	Error float64 `json:"error"` // share of examples whose label has not the largest logit: 1 - accuracy
}

// Line is what [Curve] measures.
type Line struct {
	Plane
	Alphas []float64 `json:"alphas"`
	Loss   []float64 `json:"loss"`  // [alphas], nats
	Error  []float64 `json:"error"` // [alphas], 0 to 1
	Sample
	Provenance kn.Provenance `json:"provenance"`
}

// Grid is what [Surface] measures.
type Grid struct {
	Plane
	Alphas []float64   `json:"alphas"`
	Betas  []float64   `json:"betas"`
	Loss   [][]float64 `json:"loss"`  // [alphas][betas], nats
	Error  [][]float64 `json:"error"` // [alphas][betas], 0 to 1
	Sample
	Provenance kn.Provenance `json:"provenance"`
}

// Path is a training's trajectory, projected onto a plane by [Trajectory].
type Path struct {
	Plane
	Points     []PathPoint   `json:"points"`
	Provenance kn.Provenance `json:"provenance"`
}

// PathPoint is a checkpoint's place.
type PathPoint struct {
	Step  int     `json:"step"`
	Alpha float64 `json:"alpha"`
	Beta  float64 `json:"beta"`
	// Distance is |θt - θ0|, and Explained the share of its square that lies in
	// the plane: 1 for a point of the plane.
	Distance  float64 `json:"distance"`
	Explained float64 `json:"explained"`
}

// GroupResets is what [Reset] measures.
type GroupResets struct {
	Theta0    string       `json:"theta0"`
	Theta1    string       `json:"theta1"`
	Start     Value        `json:"start"`      // of Theta0
	FineTuned Value        `json:"fine_tuned"` // of Theta1
	Groups    []GroupReset `json:"groups"`
	Sample
	Provenance kn.Provenance `json:"provenance"`
}

// GroupReset is a fine-tuned model in which one group of parameters has its
// values from before fine-tuning.
type GroupReset struct {
	Name string `json:"name"`
	Value
	// Moved is |δ|/|θ0| within the group: how far fine-tuning has moved it.
	Moved float64 `json:"moved"`
}
