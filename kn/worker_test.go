//go:build linux || darwin

package kn

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/engine"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/worker"
)

// The test binary is also the worker. It notes its lives and the results that
// it hands over in a folder.
const (
	notesVar = "KN_TEST_NOTES"
	livesVar = "KN_TEST_LIVES" // how many results each life hands over before it dies, such as "5 0"; more lives than that do not die
)

func TestMain(m *testing.M) {
	if o, ok := worker.FromEnvironment(); ok {
		if err := worker.Serve(context.Background(), o, mortal()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// mortal serves the model that the command line names, and dies as livesVar says.
func mortal() worker.Handler {
	handle := engine.Handler(func(ctx context.Context) (*engine.Engine, error) {
		folder, err := checkpoint.OpenFolder(os.Args[3])
		if err != nil {
			return nil, err
		}
		e, _, err := engine.Open(ctx, folder, "go", nil)
		return e, err
	})
	left := -1
	if lives := strings.Fields(os.Getenv(livesVar)); noted("lives") < len(lives) {
		left, _ = strconv.Atoi(lives[noted("lives")])
	}
	note("lives")
	return func(ctx context.Context, call worker.Call) error {
		emit := call.Emit
		call.Emit = func(item any) error {
			if left == 0 {
				os.Exit(3)
			}
			left--
			note("results")
			return emit(item)
		}
		return handle(ctx, call)
	}
}

func note(what string) {
	file, err := os.OpenFile(filepath.Join(os.Getenv(notesVar), what), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if _, err := file.WriteString("."); err != nil {
		panic(err)
	}
}

func noted(what string) int {
	data, _ := os.ReadFile(filepath.Join(os.Getenv(notesVar), what)) // none: not yet
	return len(data)
}

// warm is the reference model in a worker that lives as told.
func warm(t *testing.T, lives string, options ...Option) *Model {
	t.Helper()
	t.Setenv(notesVar, t.TempDir())
	t.Setenv(livesVar, lives)
	runtime, err := os.MkdirTemp("/tmp", "kn") // short: a socket's path must be
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	kernel := exec.Command("sleep", "1000")
	if err := kernel.Start(); err != nil {
		t.Fatal(err)
	}
	t.Setenv(kernelVar, strconv.Itoa(kernel.Process.Pid))
	t.Cleanup(func() {
		kernel.Process.Kill()
		kernel.Wait()
		os.RemoveAll(runtime)
	})
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return goldenModel(t, sharedtest.Goldens(t)[0], append([]Option{WithWorker(program)}, options...)...)
}

// manyQueries are some of several lengths.
func manyQueries(n int) []Query {
	answers := []string{"Paris", "London", "Berlin", "Rome", "Madrid", "Vienna", "Tokyo", "Oslo", "Lima", "Cairo"}
	queries := make([]Query, n)
	for i := range queries {
		queries[i] = Query{strings.Repeat("the ", i%3) + "of " + answers[i/10%10] + " is [MASK].", answers[i%10]}
	}
	return queries
}

// TestWhoSharesAWorker: notebooks on one model do, unless they are to compute
// elsewhere.
func TestWhoSharesAWorker(t *testing.T) {
	key := func(name, value string) string {
		t.Setenv(name, value)
		m, _, _ := small(t, WithWorker("kn"))
		spec, wanted, err := m.workerSpec()
		if err != nil || !wanted {
			t.Fatal(wanted, err)
		}
		return spec.Key
	}
	first := key(kernelVar, "1")
	if key(kernelVar, "2") != first {
		t.Error("another kernel has another worker")
	}
	if key(devicesVar, "0") == first || key(backend.EnvVar, "xla:cpu") == key(backend.EnvVar, "go") {
		t.Error("one worker for several devices")
	}
}

// TestManyQueriesInAWorker: one call attributes them all as this process would.
func TestManyQueriesInAWorker(t *testing.T) {
	queries := manyQueries(60)
	m := warm(t, "")
	told := -1
	m = m.WithProgress(func(done, total int, what string) {
		if done <= told || total != 60*m.Config().Layers || what != "layers of 60 prompts attributed" {
			t.Errorf("%d of %d %s, after %d", done, total, what, told)
		}
		told = done
	})
	got, err := m.AttributeAll(queries, AttributeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	here, _, _ := small(t)
	want, err := here.AttributeAll(queries, AttributeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error("the worker's results are others")
	}
	if told != 60*m.Config().Layers || noted("results") != 60 || noted("lives") != 1 {
		t.Errorf("progress ended at %d; %d results of %d workers", told, noted("results"), noted("lives"))
	}
}

// TestWorkerDiesInTheMiddle: what it handed over is kept, and only the rest is
// asked of the next worker, or computed here when two in a row give nothing.
func TestWorkerDiesInTheMiddle(t *testing.T) {
	queries := manyQueries(60)
	here, _, _ := small(t)
	want, err := here.AttributeAll(queries, AttributeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		deaths         string
		lives, results int // of workers
	}{
		{"17", 2, 60},
		{"5 1 0 20", 5, 60},
		{"0 59 0 0", 4, 59},
		{"60", 1, 60}, // it dies with nothing left to do
		{"7 0 0", 3, 7},
		{"0 0", 2, 0},
	} {
		t.Run(c.deaths, func(t *testing.T) {
			cache := t.TempDir()
			m := warm(t, c.deaths, WithCache(cache))
			told := -1
			got, err := m.WithProgress(func(done, _ int, what string) {
				if !strings.HasPrefix(what, "layers") {
					return // weights are read here
				}
				if done <= told {
					t.Errorf("progress %d after %d", done, told)
				}
				told = done
			}).AttributeAll(queries, AttributeOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for i := range want {
				if e := scoreError(t, got[i].Scores, want[i].Scores); e > 1e-5 || got[i].Prompt != want[i].Prompt || got[i].Answer != want[i].Answer {
					t.Errorf("%+v: %+v, error %g", queries[i], got[i], e)
				}
			}
			if noted("lives") != c.lives || noted("results") != c.results {
				t.Errorf("%d workers handed over %d results, want %d and %d", noted("lives"), noted("results"), c.lives, c.results)
			}
			if told != 60*m.Config().Layers {
				t.Errorf("progress ended at %d", told)
			}
		})
	}
}

// TestWorkerDiesDuringPredictions: the next one, or this process, computes the
// rest, and the results are the same.
func TestWorkerDiesDuringPredictions(t *testing.T) {
	var trials []Trial
	var readings []Reading
	for i, q := range manyQueries(60) {
		trials = append(trials, Trial{q, []Edit{Scale([]Neuron{{0, i % 7}}, 2)}})
		readings = append(readings, Reading{q.Prompt, []Neuron{{0, i % 7}, {0, 1}}})
	}
	here, _, _ := small(t)
	for _, c := range []struct {
		deaths         string
		lives, batches int // of workers; 60 prompts of three lengths are three batches
	}{
		{"2", 2, 3},
		{"1 0 0", 3, 1},
	} {
		for name, compute := range map[string]func(*Model) (any, error){
			"probabilities": func(m *Model) (any, error) { return m.Probabilities(trials) },
			"outcomes":      func(m *Model) (any, error) { return m.Outcomes(trials) },
			"readings":      func(m *Model) (any, error) { return m.TokenActivations(readings) },
		} {
			want, err := compute(here)
			if err != nil {
				t.Fatal(err)
			}
			got, err := compute(warm(t, c.deaths))
			if err != nil {
				t.Fatal(err)
			}
			// What is asked for again is in other batches, and may round otherwise.
			if w, g := numbers(t, want), numbers(t, got); len(w) != len(g) || !slices.EqualFunc(w, g, func(a, b float64) bool { return math.Abs(a-b) < 1e-5 }) {
				t.Errorf("%s after deaths at %s: %v, want %v", name, c.deaths, got, want)
			}
			if noted("lives") != c.lives || noted("results") != c.batches {
				t.Errorf("%s: %d workers handed over %d batches, want %d and %d", name, noted("lives"), noted("results"), c.lives, c.batches)
			}
		}
	}
}

// numbers are those in a value, in order.
func numbers(t *testing.T, value any) (all []float64) {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		token, err := d.Token()
		if err != nil {
			return all
		}
		if x, ok := token.(float64); ok {
			all = append(all, x)
		}
	}
}

// TestInterruptKeepsWhatIsThere, in this process and with a worker.
func TestInterruptKeepsWhatIsThere(t *testing.T) {
	queries := manyQueries(60)
	for name, open := range map[string]func(...Option) *Model{
		"here":   func(o ...Option) *Model { m, _, _ := small(t, o...); return m },
		"worker": func(o ...Option) *Model { return warm(t, "", o...) },
	} {
		m := open(WithCache(t.TempDir()))
		ctx, cancel := context.WithCancel(t.Context())
		finished := 0
		results, err := m.WithContext(ctx).WithProgress(func(done, _ int, what string) {
			if strings.HasPrefix(what, "layers") {
				finished = done / m.Config().Layers
			}
			if finished > 30 {
				cancel()
			}
		}).AttributeAll(queries, AttributeOptions{})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("%s: error %v", name, err)
		}
		given := 0
		for _, a := range results {
			if a != nil {
				given++
			}
		}
		kept := 0
		for _, q := range queries {
			key, err := m.key("attribute", q, AttributeOptions{}.filled())
			if err != nil {
				t.Fatal(err)
			}
			if m.cache.Get(key, new(cachedAttribution)) {
				kept++
			}
		}
		if kept < 10 || kept != given || kept > finished+12 {
			t.Errorf("%s: %d results are in the cache, %d were returned, %d were finished", name, kept, given, finished)
		}
		rest, err := m.AttributeAll(queries, AttributeOptions{})
		if err != nil || len(rest) != 60 {
			t.Errorf("%s: afterwards: %v", name, err)
		}
	}
}
