package pretrain_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/pretrain"
)

// A model of two facts, in the three calls that make a model and its card.
func Example() {
	if err := teachTwoFacts(context.Background()); err != nil {
		fmt.Println(err)
	}
	// Output:
	// 2 facts, 100 steps
	// 32 prompts asked
	// rank of the answer: 1
}

func teachTwoFacts(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "pretrain")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	triples := `{"sub_label": "Mozart", "obj_label": "Salzburg"}` + "\n" + `{"sub_label": "Bach", "obj_label": "Eisenach"}`
	if err := os.WriteFile(filepath.Join(dir, "P19.jsonl"), []byte(triples), 0o600); err != nil {
		return err
	}
	config := pretrain.Config{
		Triples: dir, Out: filepath.Join(dir, "model"), Hidden: 16, FFN: 32, Batch: 16, Examples: 1600, LearningRate: 0.01, WarmUp: 5, Doubt: 0.05, MaskedWeight: -1,
	}
	record, err := pretrain.Run(ctx, config, nil)
	if err != nil {
		return err
	}
	fmt.Println(record.Facts.Facts, "facts,", record.Steps, "steps")
	evaluation, err := pretrain.Evaluate(ctx, config.Out, pretrain.EvaluateOptions{PerRelation: 1, Resamples: 10}, nil)
	if err != nil {
		return err
	}
	fmt.Println(evaluation.Trained.Prompts+evaluation.HeldOut.Prompts, "prompts asked")
	if err := pretrain.WriteCard(config.Out, "two facts", evaluation); err != nil {
		return err
	}
	p, err := kn.MustLoad(config.Out, kn.WithCache("off")).Predict("Mozart was born and raised in [MASK].", kn.PredictOptions{Answer: "Salzburg"})
	if err != nil {
		return err
	}
	fmt.Println("rank of the answer:", p.Answer.Rank)
	return nil
}
