package electra

import (
	"hash/fnv"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/train"
)

// learner holds the variables of both models and the compiled training step.
type learner struct {
	*train.Learner
	networks
	config  Config
	step    *model.Exec
	guesses *model.Exec // a batch -> [N], [N, V], [N, V], see measure
	detects *model.Exec // ids and seen -> [B, n], [B, n]
}

func newLearner(c Config, n networks, backendName string) (*learner, error) {
	b, err := backend.Open(backendName)
	if err != nil {
		return nil, err
	}
	l := &learner{config: c, networks: n}
	err = backend.Try(func() error {
		if l.Learner, err = train.NewTensors(n.expected(), c.initial); err != nil {
			return err
		}
		l.step, err = model.NewExec(b, l.Store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			parts := c.losses(l.models(in[0]), in[:numInputs])
			l.Update(scope, c.objective(parts), in[numInputs], train.AdamW{
				Beta1: c.Beta1, Beta2: c.Beta2, Epsilon: c.Epsilon, WeightDecay: c.WeightDecay, Clip: c.Clip,
			})
			out := []*graph.Node{parts.generator, parts.discriminator}
			if parts.hardness != nil {
				out = append(out, parts.hardness)
			}
			return out
		})
		if err != nil {
			return err
		}
		l.guesses, err = model.NewExec(b, l.Store, func(_ *model.Scope, in []*graph.Node) []*graph.Node {
			g := c.guess(l.models(in[0]), in)
			return []*graph.Node{g.logP, g.p, c.from(c.Sampler, g)}
		})
		if err != nil {
			return err
		}
		l.detects, err = model.NewExec(b, l.Store, func(_ *model.Scope, in []*graph.Node) (*graph.Node, *graph.Node) {
			return detect(l.models(in[0]), in[0], in[1])
		})
		return err
	})
	return l, err
}

// free gives the memory back; there may be none yet.
func (l *learner) free() {
	if l != nil {
		l.Free(l.step, l.guesses, l.detects)
	}
}

// models are the variables' values in the graph of a node.
func (l *learner) models(of *graph.Node) models { return l.arrange(l.Lookup(of.Graph())) }

// hashed is a number that follows from a name.
func hashed(name string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // never fails
	return h.Sum64()
}

// parts are the values of the losses of one step.
type parts struct{ Generator, Discriminator, Hardness float64 }

// take takes one step.
func (l *learner) take(step int, inputs []any) (p parts, err error) {
	err = backend.Try(func() error {
		out, err := l.step.Exec(append(inputs, tensors.FromScalar(float32(l.config.rate(step))))...)
		if err != nil {
			return err
		}
		for i, to := range []*float64{&p.Generator, &p.Discriminator, &p.Hardness}[:len(out)] {
			*to = float64(tensors.ToScalar[float32](out[i]))
		}
		return nil
	})
	return p, err
}

// call runs a graph that changes nothing and returns its outputs flat.
func (l *learner) call(exec *model.Exec, inputs ...any) (flat [][]float32, err error) {
	err = backend.Try(func() error {
		out, err := exec.Exec(inputs...)
		for _, o := range out {
			flat = append(flat, tensors.MustCopyFlatData[float32](o))
		}
		return err
	})
	return flat, err
}
