package finetune

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"golang.org/x/sync/errgroup"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
)

// TestToDevice lets graphs take batches at the same moment, the first time that
// any takes them. Without ToDevice one in some dozens fails.
func TestToDevice(t *testing.T) {
	on, err := backend.Open(backend.Default)
	if err != nil {
		t.Fatal(err)
	}
	folder, err := checkpoint.OpenFS(mini.Files(), mini.Name)
	if err != nil {
		t.Fatal(err)
	}
	exec, err := graph.NewExec(on, func(in []*graph.Node) *graph.Node { return graph.AddScalar(in[3], 1) })
	if err != nil {
		t.Fatal(err)
	}
	for i := range 1000 {
		b := newBatch(folder.Tokenizer(), []Encoded{{IDs: []int32{1, 2}, Types: []int32{0, 0}, Label: 1}}, []int{0})
		if err := b.ToDevice(on); err != nil {
			t.Fatal(err)
		}
		var group errgroup.Group
		start := make(chan struct{})
		for range 4 {
			group.Go(func() error {
				<-start
				_, err := exec.Call(b.Inputs()...)
				return err
			})
		}
		close(start)
		if err := group.Wait(); err != nil {
			t.Fatalf("batch %d: %v", i, err)
		}
	}
}
