package electra

import "github.com/gomlx/gomlx/core/graph"

// DetectionLoss is the discriminator's loss of each token: with s the logit
// that the token was replaced,
//
//	-log σ(s) of a replaced token, -log(1 - σ(s)) of an original one
//
//	logits [...], replaced [...] 1 or 0 -> [...]
//
// A token that was drawn and happens to be the original one counts as
// original, as in ELECTRA.
func DetectionLoss(logits, replaced *graph.Node) *graph.Node {
	return graph.Sub(softplus(logits), graph.Mul(replaced, logits))
}
