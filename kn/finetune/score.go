package finetune

import (
	"context"
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// score is what is computed for one example.
type score struct {
	logits []float32 // [K]
	loss   float32
}

// best is the label with the largest logit.
func (s score) best() int {
	best := 0
	for k, x := range s.logits {
		if x > s.logits[best] {
			best = k
		}
	}
	return best
}

// scoreBatch is the number of examples that are classified together.
const scoreBatch = 32

// scoreGraph computes the logits [B, K] and losses [B] of a batch.
func scoreGraph(w *transformer.Weights, in []*graph.Node) (logits, losses *graph.Node) {
	inputs, labels := GraphInputs(in)
	logits = w.Classify(inputs, nil)
	return logits, transformer.CrossEntropy(logits, labels)
}

// call runs a scoreGraph.
type call func(ctx context.Context, inputs ...any) ([]*tensors.Tensor, error)

// scoreAll scores n examples in batches.
func scoreAll(ctx context.Context, run call, batches []Batch, n int, progress kn.Progress) ([]score, error) {
	scores := make([]score, n)
	done := 0
	for _, b := range batches {
		out, err := run(ctx, b.Inputs()...)
		if err != nil {
			return nil, err
		}
		logits, err := tensors.CopyFlatData[float32](out[0])
		if err != nil {
			return nil, fmt.Errorf("finetune: %w", err)
		}
		losses, err := tensors.CopyFlatData[float32](out[1])
		if err != nil {
			return nil, fmt.Errorf("finetune: %w", err)
		}
		k := len(logits) / len(losses)
		for j, i := range b.Indices {
			scores[i] = score{logits[j*k : (j+1)*k], losses[j]}
		}
		if done += len(b.Indices); progress != nil {
			progress(done, n, "classifying")
		}
	}
	return scores, nil
}
