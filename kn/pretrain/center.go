package pretrain

import "github.com/knowledge-neurons/gonb-kn/kn/checkpoint"

// What is added to every word's embedding at the input: an encoder's token types,
// a decoder's positions.
const (
	typeEmbeddings     = "bert.embeddings.token_type_embeddings.weight"
	positionEmbeddings = "model.embed_positions.weight"
)

// center moves the mean of the word embeddings to the token types, or to the
// positions of a decoder, which has no types.
//
// Nothing that the model says changes, up to rounding. At the input both are
// added, so their sum stays. At the output, whose decoder is the same matrix,
// all logits change by one and the same number, which the softmax does not see.
//
// It matters where a word's embedding is used by itself, as updating a fact does.
// Nothing in the objective decides how large the words' common vector is, and in
// a small model it grows: before this the embedded model's words had a cosine of
// 0.94 with their mean (bert-base-cased: 0.34), so that adding eight times a
// word's embedding to a value vector added mostly what all words share.
func center(c checkpoint.Config, tensors map[string]checkpoint.Tensor) {
	added := tensors[typeEmbeddings] // [T, H]
	if c.Causal() {
		added = tensors[positionEmbeddings] // [n, H]
	}
	words := tensors[c.WordEmbeddings()] // [V, H]
	rows, width := words.Shape[0], words.Shape[1]
	mean := make([]float64, width)
	for i, x := range words.Data {
		mean[i%width] += float64(x) / float64(rows)
	}
	for i := range words.Data {
		words.Data[i] = float32(float64(words.Data[i]) - mean[i%width])
	}
	for i := range added.Data {
		added.Data[i] = float32(float64(added.Data[i]) + mean[i%width])
	}
}
