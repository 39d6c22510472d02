package finetune_test

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// A graph of one's own on a classifier: the mean loss and the error of a batch.
func ExampleBatches() {
	ctx := context.Background()
	classifier := finetune.MustOpen(ctx, filepath.Join("..", "internal", "sharedtest", "testdata", "golden", "classifier_0"))
	examples := []finetune.Example{{Sentence1: "Mary was born in London", Label: 0}, {Sentence1: "John speaks German", Label: 1}}
	exec, err := classifier.Model.NewExec(finetune.NumInputs, func(w *transformer.Weights, in []*graph.Node) []*graph.Node {
		inputs, labels := finetune.GraphInputs(in)
		logits := w.Classify(inputs, nil) // [B, K]
		return []*graph.Node{
			graph.ReduceAllMean(transformer.CrossEntropy(logits, labels)),
			graph.ReduceAllMean(transformer.Errors(logits, labels)),
		}
	})
	if err != nil {
		panic(err)
	}
	encoded, _ := finetune.Encode(classifier.Tokenizer, examples, classifier.Model.Config.MaxPositions)
	for _, batch := range finetune.Batches(classifier.Tokenizer, encoded, 32) {
		out, err := exec.Call(ctx, batch.Inputs()...)
		if err != nil {
			panic(err)
		}
		fmt.Printf("loss %.3f, error %.1f\n", tensors.ToScalar[float32](out[0]), tensors.ToScalar[float32](out[1]))
	}
	// Output: loss 1.073, error 0.0
}
