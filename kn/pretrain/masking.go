package pretrain

import (
	"math/rand/v2"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// choose draws n of the open positions of a sentence.
func choose(rng *rand.Rand, open []int32, n int) []int32 {
	var positions []int32
	for _, at := range rng.Perm(len(open))[:min(n, len(open))] {
		positions = append(positions, open[at])
	}
	return positions
}

// hide hides most of what stands at the positions as BERT's pre-training does:
// 80 % become [MASK], 10 % a random token, 10 % stay (Devlin et al. 2019, section
// 3.1). It returns the tokens that stood there, which a model is to tell.
func hide(rng *rand.Rand, tok *tokenizer.Tokenizer, ids, positions []int32) []int32 {
	var tokens []int32
	for _, p := range positions {
		tokens = append(tokens, ids[p])
		switch u := rng.Float64(); {
		case u < 0.8:
			ids[p] = int32(tok.MaskID())
		case u < 0.9:
			ids[p] = int32(len(specials) + rng.IntN(tok.Size()-len(specials)))
		}
	}
	return tokens
}

// following are the tokens behind the positions, which a causal model is to
// tell from those up to there.
func following(ids, positions []int32) []int32 {
	tokens := make([]int32, len(positions))
	for i, p := range positions {
		tokens[i] = ids[p+1]
	}
	return tokens
}

// chosenLogProbabilities are those of the vocabulary at some positions of each
// sentence: hidden [B, n, H], positions [B, k] int32 -> [B, k, V].
func chosenLogProbabilities(w *transformer.Weights, hidden, positions *graph.Node) *graph.Node {
	pick := graph.OneHot(positions, hidden.Shape().Dimensions[1], hidden.DType()) // [B, k, n]
	return graph.LogSoftmax(w.Logits(transformer.Rows(hidden, pick)), -1)
}
