package transformer_test

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// A graph of one's own: how does each token's embedding move the answer's
// probability? The norm of the gradient at the embeddings says.
func ExampleModel_NewExec() {
	model := kn.MustLoad(filepath.Join("..", "internal", "sharedtest", "testdata", "golden", "model"))
	weights, err := model.Transformer()
	if err != nil {
		panic(err)
	}
	saliency, err := weights.NewExec(2, func(w *transformer.Weights, in []*graph.Node) []*graph.Node {
		ids, pick := in[0], in[1] // [B, n], [B, n]
		hooks := transformer.Hooks{}
		embeddings := hooks.Capture(transformer.EmbeddingsOut, 0) // [B, n, H]
		h := w.EncodeRow(transformer.Inputs{IDs: ids}, pick, hooks)
		p := graph.ReduceMax(graph.Softmax(w.Logits(h), -1), -1)               // [B], of the best token
		gradient := graph.Gradient(graph.ReduceAllSum(p), *embeddings)[0]      // [B, n, H]
		return []*graph.Node{graph.Squeeze(graph.L2Norm(gradient, -1), 0, -1)} // [n]
	})
	if err != nil {
		panic(err)
	}
	text, mask, err := model.Tokenizer().Prompt("Paris is in [MASK] .", model.Config().MaxPositions)
	if err != nil {
		panic(err)
	}
	ids, pick := make([]int32, len(text.IDs)), make([]float32, len(text.IDs))
	for i, id := range text.IDs {
		ids[i] = int32(id)
	}
	pick[mask] = 1
	out, err := saliency.Call(context.Background(), [][]int32{ids}, [][]float32{pick})
	if err != nil {
		panic(err)
	}
	norms := tensors.MustCopyFlatData[float32](out[0])
	for i, token := range text.Tokens {
		fmt.Printf("%-6s %.3f\n", token, norms[i])
	}
	// Output:
	// [CLS]  0.010
	// Paris  0.023
	// is     0.027
	// in     0.009
	// [MASK] 0.017
	// .      0.022
	// [SEP]  0.015
}

// Replacing a value: without any attention in layer 0, tokens there see
// only themselves.
func ExampleHooks() {
	hooks := transformer.Hooks{}
	hooks.Add(transformer.AttentionProbs, 0, func(p *graph.Node) *graph.Node { // [B, A, n, n]
		n := p.Shape().Dimensions[3]
		self := graph.ConvertDType(graph.Diagonal(p.Graph(), n), p.DType()) // [n, n]
		return graph.BroadcastToShape(graph.ExpandLeftToRank(self, 4), p.Shape())
	})
	fmt.Println(len(hooks), transformer.AttentionProbs)
	// Output: 1 attention_probs
}
