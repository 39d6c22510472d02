package landscape

import (
	"context"
	"fmt"
	"math"
	"os"
	"runtime"
	"sync"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"

	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/cache"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// point is a model of a space: the parameters of its group (nil: all) at (alpha,
// beta), the others as in θ1.
type point struct {
	alpha, beta float64
	group       *Group
}

// coefficients are those of θ0, θ1 and θ2 in a tensor; if θ2's classifier is
// foreign, it stays out.
func (p point) coefficients(tensor string, foreign bool) []float64 {
	if p.group != nil && !p.group.has(tensor) {
		return []float64{0, 1, 0}
	}
	if foreign && isClassifier(tensor) {
		return []float64{1 - p.alpha, p.alpha, 0}
	}
	return []float64{1 - p.alpha - p.beta, p.alpha, p.beta}
}

// key tells what is measured at a point from all else. What a model does not
// depend on is no part of it, so that a curve's points are found on a surface.
func (s *space) key(p point) (string, error) {
	digests := s.digests
	if p.beta == 0 {
		digests = digests[:2]
	}
	var group []string
	if p.group != nil && (p.alpha != 1 || p.beta != 0) {
		group = p.group.Tensors
	}
	return cache.Key("landscape point", digests, s.data, p.alpha, p.beta, group)
}

// measure evaluates the models at all points that are not kept yet, several side
// by side where one does not occupy the machine, and keeps each at once.
func (s *space) measure(ctx context.Context, points []point) ([]Value, error) {
	values, keys := make([]Value, len(points)), make([]string, len(points))
	var missing []int
	for i, p := range points {
		var err error
		if keys[i], err = s.key(p); err != nil {
			return nil, err
		}
		if !s.store.Get(keys[i], &values[i]) {
			missing = append(missing, i)
		}
	}
	if len(missing) == 0 {
		return values, nil
	}
	e, err := s.newEvaluator(ctx)
	if err != nil {
		return nil, err
	}
	defer e.free()
	t := teller{done: len(points) - len(missing), total: len(points), progress: s.progress}
	t.tell(0)
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(e.side)
	for _, i := range missing {
		group.Go(func() (err error) {
			if values[i], err = e.evaluate(ctx, points[i]); err != nil {
				return err
			}
			t.keep(s.store, keys[i], values[i])
			t.tell(1)
			return nil
		})
	}
	return values, group.Wait()
}

// teller tells of progress and, once, of trouble that does not spoil the result.
type teller struct {
	mutex       sync.Mutex
	done, total int
	progress    func(done, total int, what string)
	warned      bool
}

func (t *teller) tell(more int) {
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if t.done += more; t.progress != nil {
		t.progress(t.done, t.total, "evaluating models")
	}
}

// keep puts a result into a cache.
func (t *teller) keep(store cache.Cache, key string, result any) {
	err := store.Put(key, result)
	t.mutex.Lock()
	defer t.mutex.Unlock()
	if err != nil && !t.warned {
		fmt.Fprintln(os.Stderr, "warning:", err) // the result is there all the same
		t.warned = true
	}
}

// evaluator evaluates models of a space.
type evaluator struct {
	s        *space
	models   []*transformer.Model
	combiner *transformer.Combiner
	exec     *transformer.Exec
	batches  []finetune.Batch
	side     int // models evaluated side by side
}

// newEvaluator reads the weights.
func (s *space) newEvaluator(ctx context.Context) (*evaluator, error) {
	parameters := s.config.Parameters()
	name, _ := backend.Choose("", parameters)
	b, err := backend.Open(name)
	if err != nil {
		return nil, err
	}
	e := &evaluator{s: s, side: 1}
	if !backend.Large(parameters) {
		e.side = runtime.GOMAXPROCS(0)
	}
	for _, folder := range s.folders {
		m, err := transformer.Read(ctx, b, folder, nil)
		if err != nil {
			e.free()
			return nil, err
		}
		e.models = append(e.models, m)
	}
	if e.combiner, err = transformer.NewCombiner(e.models...); err == nil {
		e.exec, err = e.models[0].NewExec(finetune.NumInputs, evaluateGraph)
	}
	if err != nil {
		e.free()
		return nil, err
	}
	e.batches = finetune.Batches(s.folders[0].Tokenizer(), s.encoded, batchSize)
	for i := range e.batches { // which models side by side share
		if err := e.batches[i].ToDevice(b); err != nil {
			e.free()
			return nil, err
		}
	}
	return e, nil
}

func (e *evaluator) free() {
	for _, m := range e.models {
		m.Free()
	}
}

// evaluateGraph: a batch of B examples -> losses [B], 1 where the answer is wrong [B].
func evaluateGraph(w *transformer.Weights, in []*graph.Node) []*graph.Node {
	inputs, labels := finetune.GraphInputs(in)
	logits := w.Classify(inputs, nil) // [B, K]
	return []*graph.Node{transformer.CrossEntropy(logits, labels), transformer.Errors(logits, labels)}
}

// evaluate makes the model at a point and evaluates it on all examples. Nothing
// is compiled anew: weights are arguments of the graph.
func (e *evaluator) evaluate(ctx context.Context, p point) (v Value, err error) {
	if err := ctx.Err(); err != nil {
		return v, err
	}
	m, err := e.combiner.Combine(func(tensor string) []float64 { return p.coefficients(tensor, e.s.foreign)[:len(e.models)] })
	if err != nil {
		return v, err
	}
	defer m.Free()
	exec, err := e.exec.On(m)
	if err != nil {
		return v, err
	}
	losses, wrong := make([]float32, len(e.s.encoded)), 0.0
	for _, b := range e.batches {
		out, err := exec.Call(ctx, b.Inputs()...)
		if err != nil {
			return v, err
		}
		loss, err := tensors.CopyFlatData[float32](out[0])
		if err != nil {
			return v, fmt.Errorf("landscape: %w", err)
		}
		missed, err := tensors.CopyFlatData[float32](out[1])
		if err != nil {
			return v, fmt.Errorf("landscape: %w", err)
		}
		for k, i := range b.Indices {
			losses[i] = loss[k]
			wrong += float64(missed[k])
		}
	}
	for _, x := range losses { // in the examples' order, which batches do not keep
		v.Loss += float64(x)
	}
	n := float64(len(losses))
	v.Loss, v.Error = v.Loss/n, wrong/n
	if math.IsNaN(v.Loss) || math.IsInf(v.Loss, 0) {
		return v, fmt.Errorf("landscape: the loss at alpha %g, beta %g is %v: that far out, or in a checkpoint itself, weights are too large for float32; narrow the grid. Points that were measured are kept", p.alpha, p.beta, v.Loss)
	}
	return v, nil
}
