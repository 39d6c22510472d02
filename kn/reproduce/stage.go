package reproduce

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
)

// LedgerFile says, for each stage, what its result was computed from.
const LedgerFile = "stages.json"

// format is part of every key: results of code that computes differently are
// not taken for the same.
const format = 1

// Watch is told how a reproduction gets on, by one call at a time. What is nil
// is not called.
type Watch struct {
	// Stage is told when stage i of n starts, or that its result is kept.
	Stage func(i, n int, what string, kept bool)
	// Step is told of the progress within a stage: of those that run side by
	// side, within the one that started first.
	Step kn.Progress
	// Plan is told how long it will take, of papers that train classifiers, before
	// the first stage that is computed; if all results are kept, it is not.
	Plan func(Plan)
}

// Run is a reproduction in its folder. One program at a time may have it open;
// its stages may run side by side.
type Run struct {
	dir    string
	lock   *flock.Flock
	stages int // in all
	watch  Watch
	// Before, if set, is called before a stage is computed whose result is not
	// kept: what there is by then can be shown. Not for stages side by side.
	Before func() error
	// announce, if set, tells the plan before the first stage that is computed.
	announce func(ctx context.Context) error

	mu     sync.Mutex
	ledger map[string]entry
	at     int        // the stage that was last started, from 1
	atWork []*working // in the order in which they started
	since  time.Time  // atWork is what it is
}

// entry is a stage's in the ledger.
type entry struct {
	Key     string  `json:"key"`    // digest of all that determines the result
	Result  string  `json:"result"` // SHA-256 of the result file
	Seconds float64 `json:"seconds"`
}

// working is a stage that is being computed.
type working struct {
	number  int
	seconds float64 // its share of the time, of which all that run side by side get as much
}

// Open opens or makes the folder of a reproduction of so many stages.
func Open(dir string, stages int, watch Watch) (*Run, error) {
	if err := os.MkdirAll(filepath.Join(dir, report.ResultsDir), 0o755); err != nil {
		return nil, fmt.Errorf("reproduce: %w; choose a folder that can be written", err)
	}
	r := &Run{dir: dir, lock: flock.New(filepath.Join(dir, ".lock")), ledger: map[string]entry{}, stages: stages, watch: watch}
	switch locked, err := r.lock.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("reproduce: %w; choose a folder that can be written", err)
	case !locked:
		return nil, fmt.Errorf("reproduce: another program is writing to %s; wait for it, or choose another folder", dir)
	}
	data, err := os.ReadFile(r.ledgerPath())
	if err == nil {
		err = json.Unmarshal(data, &r.ledger)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		_ = r.Close() // the first error counts
		return nil, fmt.Errorf("reproduce: %s: %w; delete it to compute everything anew", r.ledgerPath(), err)
	}
	return r, nil
}

// Close lets other programs have the folder.
func (r *Run) Close() error { return r.lock.Unlock() }

// Dir returns the folder.
func (r *Run) Dir() string { return r.dir }

func (r *Run) ledgerPath() string { return filepath.Join(r.dir, LedgerFile) }

// Key returns the digest of what determines a result: values that marshal to
// JSON. Name the stages that it was computed from by their keys.
func Key(parts ...any) (string, error) {
	data, err := json.Marshal(append([]any{format, kn.Version}, parts...))
	if err != nil {
		return "", fmt.Errorf("reproduce: key: %w", err)
	}
	return digest(data), nil
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// Stage returns the result of the stage called name, from the folder if it
// was computed under this key before, and else by compute. What comes back
// was read from the result file in either case.
func Stage[T any](ctx context.Context, r *Run, name, what, key string, compute func(ctx context.Context, progress kn.Progress) (*T, error)) (*T, error) {
	result := new(T)
	path := filepath.Join(r.dir, report.ResultsDir, name+".json")
	kept := r.known(name, key, path, result)
	if !kept && r.Before != nil {
		if err := r.Before(); err != nil {
			return nil, err
		}
	}
	if !kept && r.announce != nil {
		if err := r.announce(ctx); err != nil {
			return nil, err
		}
	}
	w := r.begin(what, kept)
	if kept {
		return result, nil
	}
	computed, err := compute(ctx, r.progress(w))
	seconds := r.end(w)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	data, err := r.keep(path, computed)
	if err != nil {
		return nil, err
	}
	if err := r.enter(name, entry{key, digest(data), seconds}); err != nil {
		return nil, err
	}
	result = new(T)
	if err := json.Unmarshal(data, result); err != nil {
		return nil, fmt.Errorf("reproduce: %s: %w", path, err)
	}
	return result, nil
}

// known reads the result of a stage, if it was computed under this key.
func (r *Run) known(name, key, path string, result any) bool {
	r.mu.Lock()
	e, entered := r.ledger[name]
	r.mu.Unlock()
	if !entered || e.Key != key {
		return false
	}
	data, err := os.ReadFile(path)
	return err == nil && digest(data) == e.Result && json.Unmarshal(data, result) == nil
}

// Keep writes a result that every run computes anew.
func (r *Run) Keep(name string, result any) error {
	_, err := r.keep(filepath.Join(r.dir, report.ResultsDir, name+".json"), result)
	return err
}

// Begin says that a stage starts whose result is not kept from run to run.
func (r *Run) Begin(what string) { r.end(r.begin(what, false)) }

// begin counts a stage, and takes it as being computed unless it is kept.
func (r *Run) begin(what string, kept bool) *working {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.at++; r.watch.Stage != nil {
		r.watch.Stage(r.at, r.stages, what, kept)
	}
	w := &working{number: r.at}
	if !kept {
		r.share()
		r.atWork = append(r.atWork, w)
	}
	return w
}

// end returns the stage's share of the time.
func (r *Run) end(w *working) (seconds float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.share()
	r.atWork = slices.DeleteFunc(r.atWork, func(other *working) bool { return other == w })
	return w.seconds
}

// share deals the time since it was last called out to the stages at work, so
// that the stages' seconds add up to the time that passed.
func (r *Run) share() {
	now := time.Now()
	for _, w := range r.atWork {
		w.seconds += now.Sub(r.since).Seconds() / float64(len(r.atWork))
	}
	r.since = now
}

// progress is what a stage tells of its steps. One bar is enough for all that
// run side by side.
func (r *Run) progress(w *working) kn.Progress {
	if r.watch.Step == nil {
		return nil
	}
	return func(done, total int, what string) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if len(r.atWork) == 0 || r.atWork[0] != w {
			return
		}
		if len(r.atWork) > 1 {
			what = fmt.Sprintf("%s (stage %d)", what, w.number)
		}
		r.watch.Step(done, total, what)
	}
}

// keep writes a result file and returns its bytes.
func (r *Run) keep(path string, result any) ([]byte, error) {
	data, err := json.MarshalIndent(result, "", " ")
	if err == nil {
		data = append(data, '\n')
		err = renameio.WriteFile(path, data, 0o644)
	}
	if err != nil {
		return nil, fmt.Errorf("reproduce: %s: %w", path, err)
	}
	return data, nil
}

// enter puts a stage into the ledger.
func (r *Run) enter(name string, e entry) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ledger[name] = e
	_, err := r.keep(r.ledgerPath(), r.ledger)
	return err
}

// Seconds is what the named stages took when they were computed, be it in
// this run or in an earlier one; of those that ran side by side, their share of
// the time.
func (r *Run) Seconds(names ...string) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	sum := 0.0
	for _, name := range names {
		sum += r.ledger[name].Seconds
	}
	return sum
}
