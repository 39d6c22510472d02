package kn

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/notebook"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/worker"
	"github.com/knowledge-neurons/gonb-kn/kn/xla"
)

// The environment variables by which the kernel tells its cells about workers.
const (
	workerVar = "KN_WORKER"     // the program to start as worker, or "off"
	kernelVar = "KN_KERNEL_PID" // the kernel's process
)

// devicesVar chooses among NVIDIA's GPUs. Notebooks in which it differs share no worker.
const devicesVar = "CUDA_VISIBLE_DEVICES"

// WithWorker names the program that is started as worker, which must be the
// kn command; "off" computes in this process.
//
// In a notebook every cell is a process of its own. So the kernel names a
// worker in the environment variable KN_WORKER, and models from folders with
// [backend.LargeModel] parameters or more are loaded and computed there: their
// weights and compiled graphs stay from cell to cell. Notebooks on one model
// share a worker and take turns. It ends with the last of their kernels, or
// when nothing was computed for half an hour. Results are the same, and each
// is in the cache as soon as it is there. With this option models of any size
// are computed there.
func WithWorker(program string) Option { return func(m *Model) { m.worker = program } }

// WithBackend computes on a backend of the caller's choice: "go", "xla:cpu" or
// "xla:cuda", the last two where "go run ./install -xla" or -cuda has
// installed them and the program is linked with them, as the kn command is. Unset,
// the environment variable KN_BACKEND decides, and if that is unset too the
// size of the model.
func WithBackend(name string) Option { return func(m *Model) { m.backend = name } }

// workerSpec says which worker is to compute for the model, if any.
func (m *Model) workerSpec() (spec worker.Spec, wanted bool, err error) {
	dir, parameters := m.shared.folder.Dir(), m.Config().Parameters()
	program := cmp.Or(m.worker, os.Getenv(workerVar))
	if !m.inWorker(program, parameters) {
		return spec, false, nil
	}
	digest, err := m.Digest()
	if err != nil {
		return spec, false, err
	}
	option := cmp.Or(m.backend, os.Getenv(backend.EnvVar))
	key := sha256.Sum256(fmt.Appendf(nil, "%q", []string{Version, dir, digest, option, os.Getenv(devicesVar)}))
	kernel, _ := strconv.Atoi(os.Getenv(kernelVar)) // 0 if there is none
	args := []string{"worker", "--model", dir, "--digest", digest}
	if option != "" {
		args = append(args, "--backend", option)
	}
	return worker.Spec{
		Program: program, Args: args, Key: fmt.Sprintf("%x", key), Kernel: kernel,
		// Weights, a batch's values, and what the program itself needs.
		Need: uint64(4*parameters) + 1<<29,
		Log: func(s string) {
			if !strings.HasPrefix(s, "worker started") {
				fmt.Fprintln(os.Stderr, "kn:", s)
				return
			}
			on := workerBackend(program, option, parameters)
			if option == "" && on != backend.Default {
				on += "; KN_BACKEND=go computes without it"
			}
			notebook.News("kn: " + s + ", computing on " + on)
		},
	}, true, nil
}

// workerBackend says what a worker computes on, as it will choose for itself.
func workerBackend(program, option string, parameters int) string {
	if option != "" {
		return option
	}
	if usable := xla.Usable(); backend.Large(parameters) && len(usable) > 0 && xla.LinkedIn(program) {
		return "xla:" + usable[0]
	}
	return backend.Default
}

// computesOn names the backend that computes what this handle asks for.
func (m *Model) computesOn() string {
	m.shared.on.Do(func() {
		parameters := m.Config().Parameters()
		if program := cmp.Or(m.worker, os.Getenv(workerVar)); m.inWorker(program, parameters) {
			m.shared.backend = workerBackend(program, cmp.Or(m.backend, os.Getenv(backend.EnvVar)), parameters)
			return
		}
		m.shared.backend, _ = backend.Choose(m.backend, parameters)
	})
	return m.shared.backend
}

// inWorker says whether a model of so many parameters is to be computed by a
// worker, the program named.
func (m *Model) inWorker(program string, parameters int) bool {
	return program != "" && program != "off" && m.shared.folder.Dir() != "" && (m.worker != "" || backend.Large(parameters))
}

// withWorker is a worker, and this process where the worker cannot be used.
type withWorker struct {
	remote *engine.Remote
	local  func() (*engine.Engine, error)
}

// fallBack says whether the worker was of no use, once for each reason.
func fallBack(err error) bool {
	if !errors.Is(err, worker.ErrUnavailable) {
		return false
	}
	warn(fmt.Errorf("computing in this process, which loads the model for this cell alone: %w", err))
	return true
}

// Do asks each worker for what those before it have not handed over, as long
// as each hands over something, and then this process. After a death the share
// that is done falls to what was handed over.
func (w withWorker) Do(ctx context.Context, r engine.Request, emit func([]engine.Result) error, progress func(share float64)) error {
	finished := make([]bool, len(r.Rows))
	rest := func(c computer) (some bool, err error) {
		missing := r
		missing.Rows = nil
		var which []int
		for i, row := range r.Rows {
			if !finished[i] {
				missing.Rows, which = append(missing.Rows, row), append(which, i)
			}
		}
		if len(which) == 0 {
			return false, nil
		}
		err = c.Do(ctx, missing, func(results []engine.Result) error {
			for k, result := range results {
				results[k].Row = which[result.Row]
				finished[results[k].Row], some = true, true
			}
			return emit(results)
		}, func(share float64) {
			progress(1 - (1-share)*float64(len(which))/float64(len(r.Rows)))
		})
		return some, err
	}
	for {
		some, err := rest(w.remote)
		switch {
		case some && errors.As(err, new(*worker.Died)):
			warn(fmt.Errorf("asking another worker for the rest: %w", err))
		case err == nil || !fallBack(err):
			return err
		default:
			local, err := w.local()
			if err == nil {
				_, err = rest(local)
			}
			return err
		}
	}
}
