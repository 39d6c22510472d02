package kn

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/cache"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/notebook"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/worker"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Version of this module, part of every result's provenance.
const Version = "0.2.0"

// Model is a handle on a language model, possibly with edits. Handles are cheap: the
// weights are read once, when first needed, and shared by all handles that
// derive from one [Load]. A Model may be used by several goroutines at once.
type Model struct {
	name     string
	label    string // see [Model.Label]
	ctx      context.Context
	progress Progress
	cache    cache.Cache
	backend  string
	worker   string
	order    Order
	edits    []Edit
	shared   *shared
}

// shared is what all handles on one loaded model have in common.
type shared struct {
	folder *checkpoint.Folder
	load   sync.Mutex
	engine *engine.Engine
	remote *engine.Remote

	on      sync.Once
	backend string // see [Model.computesOn]
}

// Name returns the folder, embedded name or hub repository that [Load] opened,
// with its owner.
func (m *Model) Name() string { return m.name }

// Label returns what the model is called in results, titles and figures, which
// are shared: its [Model.Name], but of a folder only the last element.
func (m *Model) Label() string { return m.label }

// Config returns the model's configuration.
func (m *Model) Config() transformer.Config { return m.shared.folder.Config() }

// Tokenizer returns the model's tokenizer.
func (m *Model) Tokenizer() *tokenizer.Tokenizer { return m.shared.folder.Tokenizer() }

// Digest returns the SHA-256 of weights, configuration and tokenizer.
func (m *Model) Digest() (string, error) { return m.shared.folder.Digest() }

// WithContext returns a handle whose computations ctx cancels.
func (m *Model) WithContext(ctx context.Context) *Model {
	n := *m
	n.ctx = ctx
	return &n
}

// WithProgress returns a handle that reports its progress to p.
func (m *Model) WithProgress(p Progress) *Model {
	n := *m
	n.progress = p
	return &n
}

// WithCache returns a handle that keeps its results in another folder; "off"
// keeps none.
func (m *Model) WithCache(dir string) *Model {
	n := *m
	WithCache(dir)(&n)
	return &n
}

// WithOrder returns a handle on the same model that predicts answers of several
// tokens in the order; see the option [WithOrder].
func (m *Model) WithOrder(o Order) *Model {
	n := *m
	n.order = o
	return &n
}

// With returns a handle on the model with edits on top of those it has, in
// order. The model itself does not change, so there is nothing to undo; an
// edited one shares all weights with it but the matrices that edits of weights
// change.
//
// It fails when an edit names a neuron that the model does not have, or an
// answer that the vocabulary cannot spell.
func (m *Model) With(edits ...Edit) (*Model, error) {
	if _, err := m.compose(edits); err != nil {
		return nil, err
	}
	n := *m
	n.edits = append(slices.Clone(m.edits), edits...)
	return &n, nil
}

// MustWith is [Model.With] for notebook cells: it panics instead of returning an error.
func (m *Model) MustWith(edits ...Edit) *Model { return Must(m.With(edits...)) }

// Edits returns the edits of this handle, in the order in which they apply.
func (m *Model) Edits() []Edit { return slices.Clone(m.edits) }

// Transformer returns the weights on the backend, for graphs of one's own: see
// [transformer.Model.NewExec]. This handle's edits of weights are in it, those of
// activations are not. Its Free gives back what these edits made, and leaves the
// handle's weights alone.
func (m *Model) Transformer() (*transformer.Model, error) {
	e, err := m.loaded()
	if err != nil {
		return nil, err
	}
	edits, err := m.composed()
	if err != nil {
		return nil, err
	}
	return e.Edited(edits)
}

// computer computes what is not in the cache: an engine in this process, or a
// worker. See [engine.Engine.Do].
type computer interface {
	Do(ctx context.Context, r engine.Request, emit func([]engine.Result) error, progress func(share float64)) error
}

// compute returns the result of an operation for each row. Its progress counts
// the rows, which it calls what; if that is empty, nobody is told.
func (m *Model) compute(operation engine.Operation, rows []engine.Row, what string) ([]engine.Result, error) {
	return m.computeWith(operation, rows, engine.Options{}, what)
}

// computeWith is compute with the options of an attribution.
func (m *Model) computeWith(operation engine.Operation, rows []engine.Row, o engine.Options, what string) ([]engine.Result, error) {
	results := make([]engine.Result, len(rows))
	err := m.computeEach(engine.Request{Operation: operation, Rows: rows, Options: o}, func(r engine.Result) error {
		results[r.Row] = r
		return nil
	}, func(share float64) {
		m.step(int(math.Round(share*float64(len(rows)))), len(rows), what)
	})
	return results, err
}

// computeEach hands each result of a request over as soon as it is there.
func (m *Model) computeEach(r engine.Request, each func(engine.Result) error, progress func(share float64)) error {
	progress(0) // the model may have to be loaded first
	c, err := m.computer()
	if err != nil {
		return err
	}
	return c.Do(m.ctx, r, func(batch []engine.Result) error {
		for _, r := range batch {
			if err := each(r); err != nil {
				return err
			}
		}
		return nil
	}, progress)
}

// computeOne is compute for one sample under the handle's edits.
func (m *Model) computeOne(operation engine.Operation, s engine.Sample, what string) (engine.Result, error) {
	edits, err := m.composed()
	if err != nil {
		return engine.Result{}, err
	}
	results, err := m.compute(operation, []engine.Row{{Sample: s, Edits: edits}}, what)
	if err != nil {
		return engine.Result{}, err
	}
	return results[0], nil
}

// computer returns what computes for this model: a worker if there is one,
// unless the weights are in this process already.
func (m *Model) computer() (computer, error) {
	s := m.shared
	s.load.Lock()
	here, remote := s.engine, s.remote
	s.load.Unlock()
	if here != nil {
		return here, nil
	}
	if remote != nil {
		return withWorker{remote, m.loaded}, nil
	}
	spec, wanted, err := m.workerSpec()
	if err != nil {
		return nil, err
	}
	if !wanted {
		return m.loaded()
	}
	client, err := worker.Dial(m.ctx, spec)
	switch {
	case err == nil:
		remote = &engine.Remote{Client: client}
		s.load.Lock()
		s.remote = remote
		s.load.Unlock()
		return withWorker{remote, m.loaded}, nil
	case fallBack(err):
		return m.loaded()
	default:
		return nil, err
	}
}

// composed is what the handle's edits come to.
func (m *Model) composed() (engine.Edits, error) { return m.compose(m.edits) }

// loaded reads the weights unless some handle did already.
func (m *Model) loaded() (*engine.Engine, error) {
	s := m.shared
	s.load.Lock()
	defer s.load.Unlock()
	if s.engine != nil {
		return s.engine, nil
	}
	e, chosen, err := engine.Open(m.ctx, s.folder, m.backend, m.downloadProgress())
	if err != nil {
		return nil, err
	}
	// Who has not chosen is told what was chosen for them, if that is not
	// what it always is.
	if e.Model.Backend.Name() == "xla" && m.backend == "" && os.Getenv(backend.EnvVar) == "" {
		notebook.News(fmt.Sprintf("kn: %s; KN_BACKEND=go computes without it", chosen))
	}
	s.engine = e
	return e, nil
}

// downloadProgress adapts byte counts to the model's progress.
func (m *Model) downloadProgress() checkpoint.Progress {
	if m.progress == nil {
		return nil
	}
	const kib = 1024
	return func(what string, done, total int64) { m.progress(int(done/kib), int(total/kib), what+" [KiB]") }
}

// step reports progress, if anyone listens.
func (m *Model) step(done, total int, what string) {
	if m.progress != nil && what != "" {
		m.progress(done, total, what)
	}
}

// cached returns the result of kind for this handle from the cache, or
// computes and stores it.
func cached[T any](m *Model, kind string, query any, compute func() (*T, error)) (*T, error) {
	key, err := m.key(kind, query)
	if err != nil {
		return nil, err
	}
	result := new(T)
	if m.cache.Get(key, result) {
		return result, nil
	}
	result, err = compute()
	if err != nil {
		return nil, err
	}
	m.store(key, result)
	return result, nil
}

// store puts a result into the cache. One that cannot be stored is used all the same.
func (m *Model) store(key string, result any) {
	if err := m.cache.Put(key, result); err != nil {
		warn(err)
	}
}

// key is the cache key of a result of this handle.
func (m *Model) key(kind string, query ...any) (string, error) {
	digest, err := m.Digest()
	if err != nil {
		return "", err
	}
	if m.order != "" && m.order != AllAtOnce { // results of before there was a choice keep their keys
		query = append(query, m.order)
	}
	return cache.Key(kind, digest, m.edits, query)
}
