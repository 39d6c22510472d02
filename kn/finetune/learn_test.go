package finetune_test

import (
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
)

// TestMiniLearns fine-tunes the embedded model to tell four relations apart,
// also in sentences that it was not shown, and runs what was written.
func TestMiniLearns(t *testing.T) {
	known := facts.Known(mini.MustFacts(), "P19", "P106", "P176", "P1412")
	data := finetune.MustBuiltIn(finetune.RelationTask, known, finetune.Sizes{Train: 320, Dev: 80, Test: 80})
	c := finetune.Config{Model: mini.Name, Data: data, Out: t.TempDir(), LearningRate: 0.002, Epochs: 2, Batch: 16}
	record, err := finetune.Run(t.Context(), c, nil)
	if err != nil {
		t.Fatal(err)
	}
	test := record.Evaluations["test"]
	if test.Accuracy < test.Majority+0.3 {
		t.Errorf("the accuracy is %.2f, the majority %.2f", test.Accuracy, test.Majority)
	}
	classifier := finetune.MustOpen(t.Context(), c.Out)
	examples, err := data.Part("test")
	if err != nil {
		t.Fatal(err)
	}
	if again := classifier.MustEvaluate(t.Context(), examples); again.Accuracy != test.Accuracy {
		t.Errorf("the classifier that was written has accuracy %v, not %v", again.Accuracy, test.Accuracy)
	}
	first := record.History.Evaluations[0]
	if last, ok := record.History.Last("dev"); !ok || first.Step != 0 || last.Loss > first.Loss/2 {
		t.Errorf("the loss goes from %+v to %+v", first, last)
	}
}
