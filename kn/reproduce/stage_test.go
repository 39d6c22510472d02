package reproduce_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

type number struct {
	Value int `json:"value"`
}

// lab runs two stages, the second made of the first, and counts what is computed.
type lab struct {
	computed []string
	seen     []string
}

func (l *lab) run(t *testing.T, dir, first, second string, fail error) error {
	t.Helper()
	run, err := reproduce.Open(dir, 2, reproduce.Watch{Stage: func(i, n int, what string, kept bool) {
		l.seen = append(l.seen, fmt.Sprintf("%d/%d %s %v", i, n, what, kept))
	}})
	if err != nil {
		return err
	}
	defer run.Close()
	firstKey, err := reproduce.Key("first", first)
	if err != nil {
		t.Fatal(err)
	}
	a, err := reproduce.Stage(t.Context(), run, "first", "one", firstKey, func(context.Context, kn.Progress) (*number, error) {
		l.computed = append(l.computed, "first")
		return &number{len(first)}, nil
	})
	if err != nil {
		return err
	}
	secondKey, err := reproduce.Key("second", second, firstKey)
	if err != nil {
		t.Fatal(err)
	}
	b, err := reproduce.Stage(t.Context(), run, "second", "two", secondKey, func(context.Context, kn.Progress) (*number, error) {
		l.computed = append(l.computed, "second")
		return &number{a.Value + len(second)}, fail
	})
	if err == nil && b.Value != len(first)+len(second) {
		t.Errorf("the second stage gave %d", b.Value)
	}
	return err
}

func (l *lab) expect(t *testing.T, computed string) {
	t.Helper()
	if got := strings.Join(l.computed, " "); got != computed {
		t.Errorf("computed %q, want %q", got, computed)
	}
	l.computed = nil
}

func TestStagesAreKept(t *testing.T) {
	dir, l := filepath.Join(t.TempDir(), "new", "folder"), &lab{}
	broken := errors.New("broken")
	if err := l.run(t, dir, "a", "b", broken); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	l.expect(t, "first second")
	for _, step := range []struct{ first, second, computed string }{
		{"a", "b", "second"}, // goes on where it failed
		{"a", "b", ""},
		{"a", "bc", "second"}, // only what the option concerns
		{"aa", "bc", "first second"},
	} {
		if err := l.run(t, dir, step.first, step.second, nil); err != nil {
			t.Fatal(err)
		}
		l.expect(t, step.computed)
	}
	if got := l.seen[2:4]; got[0] != "1/2 one true" || got[1] != "2/2 two false" {
		t.Errorf("the second run said %q", got)
	}
	path := filepath.Join(dir, "results", "second.json")
	if err := os.WriteFile(path, []byte(`{"value": 5}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := l.run(t, dir, "aa", "bc", nil); err != nil {
		t.Fatal(err)
	}
	l.expect(t, "second") // what was changed by hand is not trusted
}

func TestOneProgramAtATime(t *testing.T) {
	dir := t.TempDir()
	run, err := reproduce.Open(dir, 1, reproduce.Watch{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := reproduce.Open(dir, 1, reproduce.Watch{}); err == nil || !strings.Contains(err.Error(), "another program is writing to "+dir) {
		t.Errorf("a second program gets %v", err)
	}
	if err := run.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := reproduce.Open(dir, 1, reproduce.Watch{})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
}

func TestDamagedLedger(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, reproduce.LedgerFile), []byte(`{"first": {`), 0o644); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the folder is not left locked
		if _, err := reproduce.Open(dir, 1, reproduce.Watch{}); err == nil || !strings.Contains(err.Error(), "delete it to compute everything anew") {
			t.Errorf("error is %v", err)
		}
	}
}

// TestInterruptedStage: a stage that comes to an end although it was called
// off is not kept, since it may have come to half an end.
func TestInterruptedStage(t *testing.T) {
	run, err := reproduce.Open(t.TempDir(), 1, reproduce.Watch{})
	if err != nil {
		t.Fatal(err)
	}
	defer run.Close()
	ctx, cancel := context.WithCancel(t.Context())
	_, err = reproduce.Stage(ctx, run, "first", "one", "key", func(context.Context, kn.Progress) (*number, error) {
		cancel()
		return &number{1}, nil
	})
	if !errors.Is(err, context.Canceled) || run.Seconds("first") != 0 {
		t.Errorf("error is %v", err)
	}
}

func ExampleStage() {
	dir, err := os.MkdirTemp("", "reproduction")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	for range 2 {
		run, err := reproduce.Open(dir, 1, reproduce.Watch{Stage: func(i, n int, what string, kept bool) { fmt.Println("stage", i, "of", n, what, kept) }})
		if err != nil {
			panic(err)
		}
		key, err := reproduce.Key("answer", map[string]int{"seed": 1})
		if err != nil {
			panic(err)
		}
		n, err := reproduce.Stage(context.Background(), run, "answer", "an answer", key, func(context.Context, kn.Progress) (*number, error) {
			return &number{42}, nil
		})
		if err != nil {
			panic(err)
		}
		fmt.Println(n.Value)
		if err := run.Close(); err != nil {
			panic(err)
		}
	}
	// Output:
	// stage 1 of 1 an answer false
	// 42
	// stage 1 of 1 an answer true
	// 42
}
