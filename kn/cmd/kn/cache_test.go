package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

// computed is a command line whose result is kept.
func computed(model string) []string {
	return []string{"attribute", "--model", model, "--prompt", prompt, "--answer", "Paris", "--json"}
}

// with is a command under a cache.
func with(t *testing.T, cache string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := command(t, args...)
	cmd.Env = append(cmd.Env, "KN_CACHE="+cache)
	return cmd
}

// entries lists the files of a folder, none if there is no folder.
func entries(t *testing.T, dir string) (files []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			files = append(files, path)
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return files
}

// same fails unless a run succeeded, in silence, with the wanted output.
func same(t *testing.T, name string, o outcome, want string) {
	t.Helper()
	if o.code != 0 || o.stderr != "" || o.stdout != want {
		t.Errorf("%s: exit status %d, stderr %q, same output: %t", name, o.code, o.stderr, o.stdout == want)
	}
}

func TestCacheChangesNothing(t *testing.T) {
	dir, args := filepath.Join(t.TempDir(), "results"), computed(small(t))
	want := succeeds(t, args...)
	same(t, "cold", finished(t, with(t, dir, args...)), want)
	kept := entries(t, dir)
	if len(kept) != 1 {
		t.Fatalf("kept %v", kept)
	}
	same(t, "warm", finished(t, with(t, dir, args...)), want)
	good, err := os.ReadFile(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"empty": nil, "torn": good[:len(good)/2], "garbage": []byte("garbage\n{}"), "flipped": append(append([]byte{}, good[:len(good)-9]...), "00000000}"...),
	} {
		if err := os.WriteFile(kept[0], bad, 0o600); err != nil {
			t.Fatal(err)
		}
		same(t, name+" entry", finished(t, with(t, dir, args...)), want)
		if mended, err := os.ReadFile(kept[0]); err != nil || string(mended) != string(good) {
			t.Errorf("%s entry was not mended: %v", name, err)
		}
	}
	off := filepath.Join(t.TempDir(), "unused")
	same(t, "--no-cache", finished(t, with(t, off, append(args, "--no-cache")...)), want)
	if used := entries(t, off); len(used) > 0 {
		t.Errorf("--no-cache kept %v", used)
	}
	same(t, "KN_CACHE=off", finished(t, with(t, "off", args...)), want)
}

func TestCacheClear(t *testing.T) {
	dir := t.TempDir()
	finished(t, with(t, dir, computed(small(t))...))
	mine := filepath.Join(dir, "mine.json")
	if err := os.WriteFile(mine, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var first, second clearResult
	object(t, finished(t, with(t, dir, "cache", "clear", "--json")).stdout, &first, "freed")
	object(t, finished(t, with(t, dir, "cache", "clear", "--json")).stdout, &second, "freed")
	if first.Freed == 0 || second.Freed != 0 {
		t.Errorf("freed %d, then %d bytes", first.Freed, second.Freed)
	}
	if left := entries(t, dir); len(left) != 1 || left[0] != mine {
		t.Errorf("left %v", left)
	}
	if o := finished(t, with(t, dir, "cache", "clear")); o.stdout != "freed 0.0 MB\n" {
		t.Errorf("text %q", o.stdout)
	}
}

// TestProcessesShareACache starts many at once on one empty cache.
func TestProcessesShareACache(t *testing.T) {
	dir, args := t.TempDir(), computed(small(t))
	want := succeeds(t, args...)
	var group sync.WaitGroup
	for range 6 {
		cmd := with(t, dir, args...)
		group.Go(func() { same(t, "one of many", finished(t, cmd), want) })
	}
	group.Wait()
	same(t, "afterwards", finished(t, with(t, dir, args...)), want)
}

// TestCacheThatCannotBeKept: the result comes all the same, with a warning
// and without debris.
func TestCacheThatCannotBeKept(t *testing.T) {
	args := computed(small(t))
	want := succeeds(t, args...)
	file := written(t, "not a folder")
	o := finished(t, with(t, filepath.Join(file, "results"), args...))
	if o.code != 0 || o.stdout != want || !strings.Contains(o.stderr, "KN_CACHE") {
		t.Errorf("folder that cannot be made: exit status %d, stderr %q, same output: %t", o.code, o.stderr, o.stdout == want)
	}
	dir, temporary := t.TempDir(), t.TempDir()
	cmd := with(t, dir, args...)
	cmd.Env = append(cmd.Env, "TMPDIR="+temporary)
	cmd.Path, cmd.Args = "/bin/sh", append([]string{"sh", "-c", `ulimit -f 1; exec "$0" "$@"`}, cmd.Args...)
	o = finished(t, cmd)
	if o.code != 0 || o.stdout != want || !strings.Contains(o.stderr, "free some space") {
		t.Errorf("no room: exit status %d, stderr %q, same output: %t", o.code, o.stderr, o.stdout == want)
	}
	if left := append(entries(t, dir), entries(t, temporary)...); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// TestInterrupt: Ctrl-C ends a computation soon, and what was finished is kept.
func TestInterrupt(t *testing.T) {
	var prompts strings.Builder
	for n := range 50 {
		prompts.WriteString("[MASK]" + strings.Repeat(" a", n) + "\n")
	}
	dir := t.TempDir()
	cmd := with(t, dir, "neurons", "--model", small(t), "--prompts", "-", "--answer", "Paris", "--rule", "left_riemann", "--nodes", "20000", "--json")
	cmd.Stdin = strings.NewReader(prompts.String())
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for len(entries(t, dir)) == 0 && time.Now().Before(deadline) {
		time.Sleep(10 * time.Millisecond)
	}
	sent := time.Now()
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // its status says all
	if code := cmd.ProcessState.ExitCode(); code != cli.ExitInterrupted || stdout.String() != "" || !strings.Contains(stderr.String(), "interrupted") {
		t.Errorf("exit status %d, stdout %.80q, stderr %q", code, &stdout, &stderr)
	}
	if took := time.Since(sent); took > 15*time.Second {
		t.Errorf("it took %v to stop", took)
	}
	if kept := entries(t, dir); len(kept) == 0 || len(kept) == 50 {
		t.Errorf("%d of 50 results are kept", len(kept))
	}
}

// TestSameBytes: a command prints the same bytes every time, on one core and
// on many.
func TestSameBytes(t *testing.T) {
	model := small(t)
	prompts := written(t, prompt+"\n[MASK] is the capital city of france\nParis is in [MASK] and not in italy\n")
	for _, args := range [][]string{
		computed(model),
		{"predict", "--model", model, "--prompt", prompt, "--answer", "Paris"},
		{"neurons", "--model", model, "--prompts", prompts, "--answer", "Paris"},
		{"scale", "--model", model, "--prompt", prompt, "--answer", "Paris", "--neurons", "0:13,1:14", "--factors", "0,1,2.5"},
		{"tokenize", "--model", model, prompt},
	} {
		want := succeeds(t, args...)
		cmd := command(t, args...)
		cmd.Env = append(cmd.Env, "GOMAXPROCS=1")
		same(t, strings.Join(args, " "), finished(t, cmd), want)
	}
}
