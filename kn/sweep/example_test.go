package sweep_test

import (
	"context"
	"fmt"
	"os"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

// One fact of the embedded model's capitals is attributed; run again, the
// sweep computes nothing.
func ExampleRun() {
	dir, err := os.MkdirTemp("", "sweep")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	model := kn.MustLoad(mini.Name)
	source := facts.Bags(mini.MustFacts())
	options := sweep.Options{Relations: []string{"P36"}, Limit: 1}
	for range 2 {
		summary, err := sweep.Run(context.Background(), model, source, dir, options, nil)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(summary.Facts, "fact,", summary.Computed == summary.Prompts, summary.Found == summary.Prompts)
	}
	for record, err := range sweep.Read(dir) {
		fmt.Println(record.Relation, record.Index, len(record.Gradients.Neurons) > 0, err)
		break
	}
	// Output:
	// 1 fact, true false
	// 1 fact, false true
	// P36 0 true <nil>
}
