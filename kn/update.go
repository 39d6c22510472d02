package kn

// The strengths λ1 and λ2 of [Update] in the authors' experiments.
const (
	DefaultLambda1 = 1
	DefaultLambda2 = 8
)

// Update makes a fact's neurons tell a new answer instead of the old one, as
// the authors of Dai et al. (2022, section 5.1) do. With v a neuron's value
// vector, the column of the layer's output matrix, |v| its length before, and
// e the word embeddings of the two answers,
//
//	v becomes v - λ1·|v|/|e_old|·e_old + λ2·|v|/|e_new|·e_new
//
// with λ1 = 1 and λ2 = 8; see [Edit.WithLambdas]. Where embeddings are narrower
// than the layers, as in ELECTRA's generators, e is the embedding times the
// matrix that takes it there; where the head has words of its own, as in some
// causal models, e is the head's. An answer's tokens are those of a word behind a
// space; of several, e/|e| is the mean of theirs. Unlike edits of activations it
// changes weights, and so all positions.
func Update(neurons []Neuron, oldAnswer, newAnswer string) Edit {
	return Edit{Op: OpUpdate, Neurons: neurons, Old: oldAnswer, New: newAnswer, Lambda1: DefaultLambda1, Lambda2: DefaultLambda2}
}

// WithLambdas returns the update with other strengths: lambda1 is that of
// forgetting the old answer, lambda2 of learning the new one.
func (e Edit) WithLambdas(lambda1, lambda2 float64) Edit {
	e.Lambda1, e.Lambda2 = lambda1, lambda2
	return e
}
