package pretrain

import (
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// hideSome chooses n of the open positions of a sentence, and hides most of
// what stands there as BERT's pre-training does: 80 % become [MASK], 10 % a
// random token, 10 % stay (Devlin et al. 2019, section 3.1). It returns the
// positions and the tokens that stood there, which a model is to tell.
func hideSome(rng *rand.Rand, tok *tokenizer.Tokenizer, ids []int32, open []int32, n int) (positions, tokens []int32) {
	for _, at := range rng.Perm(len(open))[:min(n, len(open))] {
		p := open[at]
		positions, tokens = append(positions, p), append(tokens, ids[p])
		switch u := rng.Float64(); {
		case u < 0.8:
			ids[p] = int32(tok.MaskID())
		case u < 0.9:
			ids[p] = int32(len(specials) + rng.IntN(tok.Size()-len(specials)))
		}
	}
	return positions, tokens
}

// chosenLogProbabilities are those of the vocabulary at some positions of each
// sentence: hidden [B, n, H], positions [B, k] int32 -> [B, k, V].
func chosenLogProbabilities(w *transformer.Weights, hidden, positions *graph.Node) *graph.Node {
	pick := graph.OneHot(positions, hidden.Shape().Dimensions[1], hidden.DType()) // [B, k, n]
	return graph.LogSoftmax(w.Logits(transformer.Rows(hidden, pick)), -1)
}
