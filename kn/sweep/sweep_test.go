package sweep_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

// childEnv names the folder that a child process of a test sweeps into.
const childEnv = "KN_SWEEP_TEST_CHILD"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childEnv); dir != "" {
		child(dir)
	}
	os.Exit(m.Run())
}

// child sweeps slowly, so that it can be killed in the middle; if it is told
// how many records there are, it stops for ever when there is one more.
func child(dir string) {
	model, err := kn.Load(os.Getenv(childEnv + "_MODEL"))
	stops, never := strconv.Atoi(os.Getenv(childEnv + "_STOPS"))
	if err == nil {
		_, err = sweep.Run(context.Background(), model, capitals(20), dir, sweep.Options{}, func(done, _ int, _ string) {
			if never == nil && done > stops {
				fmt.Println("one prompt")
				select {}
			}
			time.Sleep(2 * time.Millisecond)
		})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func modelDir(t testing.TB) string { return filepath.Join(sharedtest.Goldens(t)[0], "model") }

// small is the project's small reference model.
func small(t testing.TB) *kn.Model {
	t.Helper()
	m, err := kn.Load(modelDir(t), kn.WithCache(t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// capitals are n facts, each with 10 prompts that the small model can read.
func capitals(n int) facts.Source {
	countries := []string{"France", "England", "Germany", "Italy", "Spain", "Austria", "Japan", "Norway", "Peru", "Egypt"}
	cities := []string{"Paris", "London", "Berlin", "Rome", "Madrid", "Vienna", "Tokyo", "Oslo", "Lima", "Cairo"}
	return func(yield func(facts.Bag, error) bool) {
		for i := range n {
			b := facts.Bag{Relation: []string{"P36", "P19"}[i%2], Subject: countries[i%10], Answer: cities[(i+i/10)%10]}
			for j := range 10 {
				b.Prompts = append(b.Prompts, strings.Repeat("the ", j)+"of "+b.Subject+" is [MASK].")
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

func run(t testing.TB, m *kn.Model, source facts.Source, dir string, o sweep.Options) *sweep.Summary {
	t.Helper()
	s, err := sweep.Run(t.Context(), m, source, dir, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func read(t testing.TB, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// reference is the merged file of 20 facts, swept at once.
func reference(t testing.TB, m *kn.Model) []byte {
	t.Helper()
	dir := t.TempDir()
	run(t, m, capitals(20), dir, sweep.Options{})
	return read(t, dir, sweep.RecordsFile)
}

func TestRunAndGather(t *testing.T) {
	m, dir := small(t), t.TempDir()
	var projections []sweep.Projection
	s := run(t, m, capitals(20), dir, sweep.Options{Projected: func(p sweep.Projection) { projections = append(projections, p) }})
	if s.Facts != 20 || s.Prompts != 200 || s.Computed != 200 || s.Found != 0 || len(s.LeftOut) != 0 || s.PromptsPerSecond <= 0 || s.ProjectedHours <= 0 {
		t.Errorf("summary %+v", s)
	}
	if len(projections) != 1 || projections[0].Prompts != 200 || projections[0].PromptsPerSecond <= 0 {
		t.Errorf("projections %v", projections)
	}
	h, err := sweep.ReadHeader(dir)
	if err != nil || h.Keep != 0.1 || h.Provenance.Digest == "" {
		t.Errorf("header %+v, error %v", h, err)
	}
	n := 0
	for r, err := range sweep.Read(dir) {
		if err != nil {
			t.Fatal(err)
		}
		if n++; n%40 != 1 {
			continue
		}
		// Within a rounding the record is what the prompt's own attribution gives.
		a, err := m.Attribute(r.Prompt, r.Answer, kn.AttributeOptions{Tolerance: sweep.DefaultTolerance})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(r.Gradients.Coarse(0.2), a.Coarse(0.2)) {
			t.Errorf("%q: coarse set %v, want %v", r.Prompt, r.Gradients.Coarse(0.2), a.Coarse(0.2))
		}
		for i, neuron := range r.Activations.Neurons {
			if w := a.Activations[neuron.Layer][neuron.Index]; w < 0.099*r.Activations.Largest || !close(w, r.Activations.Values[i]) {
				t.Errorf("%q: activation of %v is %v, recorded %v", r.Prompt, neuron, w, r.Activations.Values[i])
			}
		}
	}
	g, err := experiments.Gather(sweep.Read(dir), experiments.GatherOptions{})
	if err != nil || len(g.Facts) != 20 {
		t.Fatalf("gathering: %v", err)
	}
	if again := run(t, m, capitals(20), dir, sweep.Options{}); again.Computed != 0 || again.Found != 200 || again.Seconds != 0 {
		t.Errorf("the second run: %+v", again)
	}
}

func close(a, b float64) bool { return a-b <= 1e-4*max(a, b) && b-a <= 1e-4*max(a, b) }

func TestShardsMergeToTheSameBytes(t *testing.T) {
	m := small(t)
	want := reference(t, m)
	dir, other := t.TempDir(), t.TempDir()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	total := 0
	for shard := 1; shard <= 3; shard++ {
		into := dir
		if shard == 2 {
			into = other
		}
		total += run(t, m, capitals(20), into, sweep.Options{Shard: shard, Shards: 3}).Computed
	}
	_, err := sweep.Merge(t.Context(), m, capitals(20), dir, nil, sweep.Options{}, nil)
	if err == nil || !strings.Contains(err.Error(), "2/3 (lacks ") {
		t.Errorf("without shard 2: %v", err)
	}
	s, err := sweep.Merge(t.Context(), m, capitals(20), dir, []string{dir, other}, sweep.Options{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if total != 200 || s.Found != 200 || !bytes.Equal(read(t, dir, sweep.RecordsFile), want) {
		t.Errorf("three shards on one core of %d prompts give other bytes than one on all", total)
	}
	if _, err := sweep.Merge(t.Context(), m, capitals(20), t.TempDir(), []string{dir, other, other}, sweep.Options{}, nil); err == nil || !strings.Contains(err.Error(), "stands twice") {
		t.Errorf("a shard given twice: %v", err)
	}
}

// startChild starts a process that sweeps into a folder.
func startChild(t *testing.T, dir string, env ...string) (command *exec.Cmd, stderr *bytes.Buffer) {
	t.Helper()
	command, stderr = exec.Command(os.Args[0]), new(bytes.Buffer)
	command.Env = append(append(os.Environ(), childEnv+"="+dir, childEnv+"_MODEL="+modelDir(t)), env...)
	command.Stderr = stderr
	return command, stderr
}

// records counts the whole records of a shard's file.
func records(path string) int {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0 // it is not there yet
	}
	return max(0, bytes.Count(data, []byte("\n"))-1)
}

// TestKilled kills a sweep (SIGKILL) again and again, each time at a random
// moment soon after its first record, until it ends by itself.
func TestKilled(t *testing.T) {
	m := small(t)
	want := reference(t, m)
	dir := t.TempDir()
	path := filepath.Join(dir, "shard-1-of-1.jsonl")
	random := rand.New(rand.NewPCG(1, 2))
	const kills = 8
	for life := range kills + 1 {
		before := records(path)
		command, stderr := startChild(t, dir)
		if err := command.Start(); err != nil {
			t.Fatal(err)
		}
		if life == kills {
			if err := command.Wait(); err != nil {
				t.Fatalf("%v: %s", err, stderr)
			}
			break
		}
		for deadline := time.Now().Add(20 * time.Second); records(path) == before; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the sweep does not go on: %s", stderr)
			}
		}
		if life == 1 { // as well as a kill: a second writer, while the first one writes
			if _, err := sweep.Run(t.Context(), m, capitals(20), dir, sweep.Options{}, nil); err == nil || !strings.Contains(err.Error(), "being written by another process") {
				t.Errorf("two writers: %v", err)
			}
		}
		time.Sleep(time.Duration(random.IntN(20_000)) * time.Microsecond)
		if err := command.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		if err := command.Wait(); err == nil {
			t.Fatal("the sweep had ended before it was killed")
		}
	}
	if !bytes.Equal(read(t, dir, sweep.RecordsFile), want) {
		t.Errorf("a sweep that was killed %d times gives other bytes", kills)
	}
	if lines, all := bytes.Count(read(t, path), []byte("\n")), bytes.Count(want, []byte("\n")); lines != all {
		t.Errorf("%d lines in the shard, %d in the merged file: something was computed twice", lines, all)
	}
}

// TestEachLifeAdvances: lives that last for one prompt each, and are killed
// then, add up to the whole sweep.
func TestEachLifeAdvances(t *testing.T) {
	const lives = 10
	dir := t.TempDir()
	path := filepath.Join(dir, "shard-1-of-1.jsonl")
	for life := range lives {
		before := records(path)
		command, stderr := startChild(t, dir, fmt.Sprint(childEnv, "_STOPS=", before))
		stdout, err := command.StdoutPipe()
		if err == nil {
			err = command.Start()
		}
		if err != nil {
			t.Fatal(err)
		}
		said, err := bufio.NewReader(stdout).ReadString('\n')
		killed := command.Process.Kill()
		waited := command.Wait()
		if err != nil || killed != nil || waited == nil {
			t.Fatalf("life %d said %q: %v, %v, %v: %s", life, said, err, killed, waited, stderr)
		}
		if n := records(path) - before; n != 1 {
			t.Fatalf("life %d added %d records", life, n)
		}
	}
	m := small(t)
	if s := run(t, m, capitals(20), dir, sweep.Options{}); s.Found != lives || s.Computed != 200-lives {
		t.Errorf("%d found, %d computed", s.Found, s.Computed)
	}
	if !bytes.Equal(read(t, dir, sweep.RecordsFile), reference(t, m)) {
		t.Error("short lives give other bytes than a long one")
	}
}

func TestTornFileIsMended(t *testing.T) {
	m := small(t)
	dir := t.TempDir()
	run(t, m, capitals(4), dir, sweep.Options{})
	want := read(t, dir, sweep.RecordsFile)
	path := filepath.Join(dir, "shard-1-of-1.jsonl")
	whole := read(t, path)
	lines := bytes.SplitAfter(whole, []byte("\n"))
	for _, c := range []struct {
		name  string
		data  []byte
		found int
	}{
		{"half a line", whole[:len(whole)-20], 39},
		{"some lines", bytes.Join(lines[:len(lines)-4], nil), 37},
		{"a line from the middle", bytes.Join(append(slices.Clone(lines[:7]), lines[8:]...), nil), 39},
		{"half a header", whole[:20], 0},
		{"nothing", nil, 0},
	} {
		if err := os.WriteFile(path, c.data, 0o600); err != nil {
			t.Fatal(err)
		}
		if s := run(t, m, capitals(4), dir, sweep.Options{}); s.Found != c.found || s.Computed != 40-c.found {
			t.Errorf("%s: %d prompts found, %d computed", c.name, s.Found, s.Computed)
		}
		if !bytes.Equal(read(t, dir, sweep.RecordsFile), want) {
			t.Errorf("%s: other bytes", c.name)
		}
	}
	damaged := slices.Clone(lines)
	damaged[3] = []byte("{\n")
	for want, data := range map[string][]byte{
		"jsonl:4: the line is damaged": bytes.Join(damaged, nil),
		"jsonl:42: the prompt":         bytes.Join(append(slices.Clone(lines[:41]), lines[1:6]...), nil),
		"jsonl:1: not the header":      []byte("{}\n"),
		"format 99":                    []byte(`{"sweep": 99}` + "\n"),
	} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := sweep.Run(t.Context(), m, capitals(4), dir, sweep.Options{}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

func TestFolderOfAnotherSweep(t *testing.T) {
	m, dir := small(t), t.TempDir()
	run(t, m, capitals(2), dir, sweep.Options{Shard: 1, Shards: 2})
	for want, o := range map[string]sweep.Options{
		"another options":                {Shard: 1, Shards: 2, Attribute: kn.AttributeOptions{Tolerance: 0.02}},
		"another share of the scores":    {Shard: 2, Shards: 2, Keep: 0.2},
		"in 2 shards, not in 3":          {Shard: 1, Shards: 3},
		"in 2 shards, not in 1":          {},
		"no shard 4 of 3":                {Shard: 4, Shards: 3},
		"choose a rule":                  {Attribute: kn.AttributeOptions{Rule: kn.ActivationBaseline}},
		`no fact of the relation "P999"`: {Relations: []string{"P999"}},
	} {
		if _, err := sweep.Run(t.Context(), m, capitals(2), dir, o, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
		if _, err := sweep.Check(t.Context(), m, capitals(2), dir, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("checking: error %v, want one with %q", err, want)
		}
	}
	none := filepath.Join(dir, "none")
	if s, err := sweep.Check(t.Context(), m, capitals(2), none, sweep.Options{Shard: 1, Shards: 3}); err != nil || s.Facts != 2 || s.Prompts != 20 || s.Computed != 0 {
		t.Errorf("checking a sweep that has not begun: %+v, error %v", s, err)
	}
	if _, err := os.Stat(none); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("checking made the folder: %v", err)
	}
	edited := m.MustWith(kn.Suppress([]kn.Neuron{{Layer: 0, Index: 1}}))
	if _, err := sweep.Run(t.Context(), edited, capitals(2), dir, sweep.Options{Shard: 1, Shards: 2}, nil); err == nil || !strings.Contains(err.Error(), "another options") {
		t.Errorf("an edited model: %v", err)
	}
	for _, err := range sweep.Read(dir) {
		if err == nil || !strings.Contains(err.Error(), "merge its shards") {
			t.Errorf("reading what was not merged: %v", err)
		}
	}
}

func TestLimitGrows(t *testing.T) {
	m, dir := small(t), t.TempDir()
	few := run(t, m, capitals(20), dir, sweep.Options{Limit: 2})
	more := run(t, m, capitals(20), dir, sweep.Options{Limit: 5})
	if few.Facts != 4 || few.Computed != 40 || more.Facts != 10 || more.Found != 40 || more.Computed != 60 {
		t.Errorf("%d facts, %d computed; then %d facts, %d found, %d computed", few.Facts, few.Computed, more.Facts, more.Found, more.Computed)
	}
	only := run(t, m, capitals(20), t.TempDir(), sweep.Options{Relations: []string{"P19"}})
	if only.Facts != 10 {
		t.Errorf("%d facts of one relation", only.Facts)
	}
}

func TestLeftOutIsListed(t *testing.T) {
	bags := func(yield func(facts.Bag, error) bool) {
		for b := range capitals(2) {
			if !yield(b, nil) {
				return
			}
		}
		yield(facts.Bag{Relation: "P36", Subject: "Peru", Answer: "Greater Lima", Prompts: []string{"of Peru is [MASK]."}}, nil)
	}
	s := run(t, small(t), bags, t.TempDir(), sweep.Options{})
	if s.Facts != 2 || len(s.LeftOut) != 1 || s.LeftOut[0].Answer != "Greater Lima" || s.LeftOutCounts[facts.NotOneToken] != 1 {
		t.Errorf("summary %+v", s)
	}
}

func TestCancelledSweepGoesOn(t *testing.T) {
	m, dir := small(t), t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	_, err := sweep.Run(ctx, m, capitals(20), dir, sweep.Options{}, func(done, total int, what string) {
		if done > 30 {
			cancel()
		}
		if total != 200 || !strings.HasPrefix(what, "prompts attributed") {
			t.Errorf("%d of %d %s", done, total, what)
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v", err)
	}
	if s := run(t, m, capitals(20), dir, sweep.Options{}); s.Found < 30 || s.Found == 200 || s.Found+s.Computed != 200 {
		t.Errorf("%d found, %d computed", s.Found, s.Computed)
	}
}

// TestProgressWithinAPrompt: where prompts are attributed one at a time, it is
// told how far the one is that is being attributed.
func TestProgressWithinAPrompt(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	last, within := 0, 0
	_, err := sweep.Run(t.Context(), small(t), capitals(2), t.TempDir(), sweep.Options{}, func(done, total int, what string) {
		if !strings.HasPrefix(what, "prompts attributed") || total != 20 || done < last {
			t.Errorf("%d of %d %s, after %d", done, total, what, last)
		}
		if last = done; strings.HasSuffix(what, ", 1 of 2 layers attributed") {
			within++
		}
	})
	if err != nil || last != 20 || within == 0 {
		t.Errorf("progress ended at %d, told %d times within a prompt, error %v", last, within, err)
	}
}

// FuzzResume: whatever lies in the folder, a sweep goes on from it or there is
// an error.
func FuzzResume(f *testing.F) {
	m, dir := small(f), f.TempDir()
	run(f, m, capitals(1), dir, sweep.Options{})
	want := read(f, dir, sweep.RecordsFile)
	path := filepath.Join(dir, "shard-1-of-1.jsonl")
	data := read(f, path)
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Add([]byte("{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := sweep.Run(t.Context(), m, capitals(1), dir, sweep.Options{}, nil)
		if got := read(t, dir, sweep.RecordsFile); err == nil && bytes.Count(got, []byte("\n")) != bytes.Count(want, []byte("\n")) {
			t.Errorf("merged to %q", got)
		}
	})
}

func BenchmarkRun(b *testing.B) {
	m := small(b)
	for b.Loop() {
		run(b, m, capitals(20), b.TempDir(), sweep.Options{})
	}
	b.ReportMetric(200*float64(b.N)/b.Elapsed().Seconds(), "prompts/s")
}
