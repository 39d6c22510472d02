package finetune

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/train"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// learner holds a classifier's variables and the compiled training step.
type learner struct {
	*train.Learner
	config Config
	step   *model.Exec
	score  *model.Exec
}

// newLearner makes variables of a classifier's weights, which it takes over.
func newLearner(c Config, start *checkpoint.Checkpoint, backendName string) (*learner, error) {
	b, err := backend.Open(backendName)
	if err != nil {
		return nil, err
	}
	if err := checkFrozen(c.Freeze, start.Config); err != nil {
		return nil, err
	}
	l := &learner{config: c}
	err = backend.Try(func() error {
		initial := func(name string, _ []int) []float32 { return start.Tensors[name].Data }
		if l.Learner, err = train.New(start.Config, initial, func(name string) bool { return frozen(c.Freeze, name) }); err != nil {
			return err
		}
		start.Tensors = nil
		l.step, err = model.NewExec(b, l.Store, func(scope *model.Scope, in []*graph.Node) (*graph.Node, *graph.Node) {
			loss, wrong := l.loss(l.Weights(in[0].Graph()), in[:NumInputs], in[NumInputs])
			l.Update(scope, loss, in[NumInputs+1], train.AdamW{
				Beta1: c.Beta1, Beta2: c.Beta2, Epsilon: c.Epsilon, WeightDecay: c.WeightDecay, Clip: c.Clip,
			})
			return loss, wrong
		})
		if err != nil {
			return err
		}
		l.score, err = model.NewExec(b, l.Store, func(_ *model.Scope, in []*graph.Node) (*graph.Node, *graph.Node) {
			return scoreGraph(l.Weights(in[0].Graph()), in)
		})
		return err
	})
	return l, err
}

// free gives the memory back; there may be none yet.
func (l *learner) free() {
	if l != nil {
		l.Free(l.step, l.score)
	}
}

// frozen says whether a tensor is to keep its values.
func frozen(freeze []string, name string) bool {
	return slices.ContainsFunc(freeze, func(f string) bool { return name == f || strings.HasPrefix(name, f+".") })
}

// checkFrozen refuses names that freeze nothing, or everything.
func checkFrozen(freeze []string, c transformer.Config) error {
	for _, f := range freeze {
		if !slices.ContainsFunc(c.Expected(), func(x checkpoint.Expected) bool { return frozen([]string{f}, x.Name) }) {
			return fmt.Errorf("finetune: nothing can be frozen by the name %q; names are such as bert.embeddings, bert.encoder.layer.0 or bert.pooler", f)
		}
	}
	if !slices.ContainsFunc(c.Expected(), func(x checkpoint.Expected) bool { return !frozen(freeze, x.Name) }) {
		return fmt.Errorf("finetune: everything is frozen by %q; leave something to learn", freeze)
	}
	return nil
}

// loss is the mean cross-entropy of a batch under dropout, and the number of
// examples that are classified wrong.
func (l *learner) loss(w *transformer.Weights, in []*graph.Node, random *graph.Node) (loss, wrong *graph.Node) {
	d := dropoutOf(l.config, w.Config)
	d.state = random
	inputs, labels := GraphInputs(in)
	pooled := w.Pool(w.EncodeFirst(inputs, d.hooks(w.Config.Layers))) // [B, H]
	logits := w.ClassLogits(d.apply(pooled, d.classifier))            // [B, K]
	return graph.ReduceAllMean(transformer.CrossEntropy(logits, labels)), graph.ReduceAllSum(transformer.Errors(logits, labels))
}

// take takes one step and returns its loss and the examples classified wrong.
func (l *learner) take(step int, b Batch) (loss float64, wrong int, err error) {
	err = backend.Try(func() error {
		inputs := append(b.Inputs(), randomState(l.config.Seed, step), tensors.FromScalar(float32(l.config.rate(step))))
		out, err := l.step.Exec(inputs...)
		if err != nil {
			return err
		}
		loss, wrong = float64(tensors.ToScalar[float32](out[0])), int(tensors.ToScalar[float32](out[1]))
		return nil
	})
	return loss, wrong, err
}

// call runs the classifier as it is now, without dropout.
func (l *learner) call(ctx context.Context, inputs ...any) (out []*tensors.Tensor, err error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	err = backend.Try(func() (err error) {
		out, err = l.score.Exec(inputs...)
		return err
	})
	return out, err
}
