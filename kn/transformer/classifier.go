package transformer

import (
	"github.com/gomlx/gomlx/core/graph"
)

// Pool is the input of the classifier, tanh(W·h + b) of [CLS]'s row h:
//
//	first [B, H] -> [B, H]
func (w *Weights) Pool(first *graph.Node) *graph.Node { return graph.Tanh(w.Pooler.Apply(first)) }

// ClassLogits are the unnormalized log-probabilities of the labels:
//
//	pooled [B, H] -> [B, K]
func (w *Weights) ClassLogits(pooled *graph.Node) *graph.Node { return w.Classifier.Apply(pooled) }

// Classify runs the whole classifier on a batch, in the last layer for [CLS]
// only, whose row alone is read: [B, K].
func (w *Weights) Classify(in Inputs, hooks Hooks) *graph.Node {
	return w.ClassLogits(w.Pool(w.EncodeFirst(in, hooks)))
}

// CrossEntropy is each example's loss, -log p(label), in natural units:
//
//	logits [B, K], labels [B] int32 -> [B]
func CrossEntropy(logits, labels *graph.Node) *graph.Node {
	k := logits.Shape().Dimensions[1]
	right := graph.OneHot(labels, k, logits.DType()) // [B, K]
	return graph.Neg(graph.ReduceSum(graph.Mul(right, graph.LogSoftmax(logits, -1)), -1))
}

// Errors is 1 for each example whose label has not the largest logit, else 0:
//
//	logits [B, K], labels [B] int32 -> [B]
func Errors(logits, labels *graph.Node) *graph.Node {
	best := graph.ArgMax(logits, -1, labels.DType()) // [B]
	return graph.ConvertDType(graph.NotEqual(best, labels), logits.DType())
}
