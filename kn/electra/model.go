package electra

import (
	"context"
	"fmt"
	"sync"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Exec is a graph on a checkpoint's weights. A graph is built and compiled for
// each combination of input shapes, and kept.
type Exec struct {
	exec    *graph.Exec
	weights []any
	mu      sync.Mutex
}

// NewExec makes an executable of fn, which takes inputs and finds the weights'
// nodes with lookup: [NewGenerator] and [NewDiscriminator] arrange them.
func (c *Checkpoint) NewExec(inputs int, fn func(lookup transformer.Lookup, in []*graph.Node) []*graph.Node) (*Exec, error) {
	b, err := backend.Get()
	if err != nil {
		return nil, err
	}
	e := &Exec{}
	index := map[string]int{}
	for i, want := range c.Config.Expected() {
		index[want.Name] = inputs + i
		e.weights = append(e.weights, tensors.FromFlatDataAndDimensions(c.Tensors[want.Name].Data, want.Shape...))
	}
	err = backend.Try(func() (err error) {
		e.exec, err = graph.NewExec(b, func(nodes []*graph.Node) []*graph.Node {
			return fn(func(name string, _ ...int) *graph.Node { return nodes[index[name]] }, nodes[:inputs])
		})
		return err
	})
	return e, err
}

// Call runs the graph on inputs, each a tensor or a Go value that GoMLX makes
// one of. ctx is looked at before it.
func (e *Exec) Call(ctx context.Context, inputs ...any) (outputs []*tensors.Tensor, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	err = backend.Try(func() (err error) {
		outputs, err = e.exec.Call(append(append([]any{}, inputs...), e.weights...)...)
		return err
	})
	return outputs, err
}

// Detector tells which tokens of a text seem to have been replaced.
type Detector struct {
	checkpoint *Checkpoint
	exec       *Exec
}

// Detection is a token with the probability that it was replaced.
type Detection struct {
	Token    string  `json:"token"`
	Replaced float64 `json:"replaced"`
}

// OpenDetector reads a discriminator's folder, see [Open].
func OpenDetector(ctx context.Context, dir string) (*Detector, error) {
	c, err := Open(ctx, dir)
	if err != nil {
		return nil, err
	}
	if class := c.Config.Class(); class != DiscriminatorClass {
		return nil, fmt.Errorf("electra: %s holds an %s; give the discriminator's folder", dir, class)
	}
	d := &Detector{checkpoint: c}
	d.exec, err = c.NewExec(1, func(lookup transformer.Lookup, in []*graph.Node) []*graph.Node {
		model := NewDiscriminator(c.Config, lookup)
		return []*graph.Node{graph.Sigmoid(model.Logits(model.Encode(transformer.Inputs{IDs: in[0]}, nil)))} // [1, n]
	})
	return d, err
}

// MustOpenDetector is [OpenDetector] for notebook cells: it panics instead of
// returning an error.
func MustOpenDetector(dir string) *Detector { return kn.Must(OpenDetector(context.Background(), dir)) }

// Detect looks at the tokens of a text, [CLS] and [SEP] left out. A text with
// a word that the vocabulary cannot spell, or longer than the model takes, is
// an error.
func (d *Detector) Detect(ctx context.Context, text string) ([]Detection, error) {
	e := d.checkpoint.Tokenizer.Encode(text)
	if len(e.Unknown) > 0 {
		return nil, fmt.Errorf("electra: the vocabulary has no pieces for %q; use other words", e.Unknown)
	}
	if longest := d.checkpoint.Config.MaxPositions; len(e.IDs) > longest {
		return nil, fmt.Errorf("electra: the text has %d tokens, the model takes %d; shorten it", len(e.IDs), longest)
	}
	ids := make([]int32, len(e.IDs))
	for i, id := range e.IDs {
		ids[i] = int32(id)
	}
	out, err := d.exec.Call(ctx, [][]int32{ids})
	if err != nil {
		return nil, err
	}
	var found []Detection
	p := tensors.MustCopyFlatData[float32](out[0])
	for i := 1; i < len(ids)-1; i++ {
		found = append(found, Detection{e.Tokens[i], float64(p[i])})
	}
	return found, nil
}

// MustDetect is [Detector.Detect] for notebook cells: it panics instead of
// returning an error.
func (d *Detector) MustDetect(text string) []Detection {
	return kn.Must(d.Detect(context.Background(), text))
}
