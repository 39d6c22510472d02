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

// Watch is told how a reproduction gets on. What is nil is not called.
type Watch struct {
	// Stage is told when stage i of n starts, or that its result is kept.
	Stage func(i, n int, what string, kept bool)
	// Step is told of the progress within a stage.
	Step kn.Progress
}

// Run is a reproduction in its folder. One program at a time may have it open.
type Run struct {
	dir    string
	lock   *flock.Flock
	ledger map[string]entry
	stages int // in all
	at     int // the stage that was last started, from 1
	watch  Watch
}

// entry is a stage's in the ledger.
type entry struct {
	Key     string  `json:"key"`    // digest of all that determines the result
	Result  string  `json:"result"` // SHA-256 of the result file
	Seconds float64 `json:"seconds"`
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
	result, kept := new(T), false
	path := filepath.Join(r.dir, report.ResultsDir, name+".json")
	if e, known := r.ledger[name]; known && e.Key == key {
		data, err := os.ReadFile(path)
		kept = err == nil && digest(data) == e.Result && json.Unmarshal(data, result) == nil
	}
	r.begin(what, kept)
	if kept {
		return result, nil
	}
	start := time.Now()
	computed, err := compute(ctx, r.watch.Step)
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
	r.ledger[name] = entry{key, digest(data), time.Since(start).Seconds()}
	if err := r.saveLedger(); err != nil {
		return nil, err
	}
	result = new(T)
	if err := json.Unmarshal(data, result); err != nil {
		return nil, fmt.Errorf("reproduce: %s: %w", path, err)
	}
	return result, nil
}

// Keep writes a result that is not worth keeping from run to run.
func (r *Run) Keep(name string, result any) error {
	_, err := r.keep(filepath.Join(r.dir, report.ResultsDir, name+".json"), result)
	return err
}

// Begin says that a stage starts whose result is not kept from run to run.
func (r *Run) Begin(what string) { r.begin(what, false) }

func (r *Run) begin(what string, kept bool) {
	if r.at++; r.watch.Stage != nil {
		r.watch.Stage(r.at, r.stages, what, kept)
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

func (r *Run) saveLedger() error {
	_, err := r.keep(r.ledgerPath(), r.ledger)
	return err
}

// Seconds is what the named stages took when they were computed, be it in
// this run or in an earlier one.
func (r *Run) Seconds(names ...string) float64 {
	sum := 0.0
	for _, name := range names {
		sum += r.ledger[name].Seconds
	}
	return sum
}
