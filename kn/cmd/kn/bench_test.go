package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

func TestBenchStatistics(t *testing.T) {
	for _, c := range []struct {
		seconds         []float64
		minimum, median float64
	}{
		{nil, 0, 0},
		{[]float64{3}, 3, 3},
		{[]float64{3, 1}, 1, 2},
		{[]float64{9, 1, 4}, 1, 4},
		{[]float64{8, 1, 4, 2}, 1, 3},
	} {
		before := slices.Clone(c.seconds)
		if a, b := minimum(c.seconds), median(c.seconds); a != c.minimum || b != c.median {
			t.Errorf("%v: minimum %v, median %v; want %v, %v", c.seconds, a, b, c.minimum, c.median)
		}
		if !slices.Equal(before, c.seconds) {
			t.Errorf("%v was reordered to %v", before, c.seconds)
		}
	}
}

func TestShareOfLargest(t *testing.T) {
	for _, c := range []struct {
		scores, reference []float64
		want              float64 // negative: an error
	}{
		{[]float64{1, -4}, []float64{1, -4}, 0},
		{[]float64{1, -3}, []float64{1, -4}, 0.25},
		{[]float64{1.5, 2}, []float64{1, 2}, 0.25},
		{[]float64{1}, []float64{1, 2}, -1},
		{[]float64{0}, []float64{0}, -1},
		{[]float64{1, math.NaN()}, []float64{1, 2}, -1},
		{[]float64{1, 2}, []float64{1, math.Inf(1)}, -1},
	} {
		got, err := shareOfLargest(c.scores, c.reference)
		if (err != nil) != (c.want < 0) || err == nil && got != c.want {
			t.Errorf("%v against %v: %v, %v; want %v", c.scores, c.reference, got, err, c.want)
		}
	}
}

func TestBenchUnits(t *testing.T) {
	for seconds, want := range map[float64]string{
		0.0123: "12.3 ms", 0.0996: "100 ms", 0.1234: "123 ms", 0.9996: "1.00 s", 1.234: "1.23 s", 12.34: "12.3 s", 99.96: "100 s", 123.4: "123 s",
	} {
		if got := inSeconds(seconds); got != want {
			t.Errorf("%v s is printed as %q, want %q", seconds, got, want)
		}
	}
	if got := inPercent(0.00123); got != "0.12 %" {
		t.Errorf("%q", got)
	}
}

// TestBenchTable: what was measured, how it compares, and each reason for what
// was not.
func TestBenchTable(t *testing.T) {
	share := 0.001
	row := func(how comparison, a, b benchMeasure) benchRowResult {
		r := benchRowResult{Row: "row", Title: "title", Measures: []benchMeasure{a, b}}
		r.compareWithLast(how, false)
		return r
	}
	ours := benchMeasure{Contender: "a|b", First: 30, Seconds: []float64{2, 1}, Minimum: 1, Median: 1.5, Error: &share, Nodes: 8, Peak: 1.5e9}
	theirs := benchMeasure{Contender: "theirs", First: 9, Seconds: []float64{6}, Minimum: 6, Median: 6}
	missing := benchMeasure{Contender: "theirs", Note: "it is missing"}
	for _, c := range []struct {
		row  benchRowResult
		want []string
	}{
		{row(faster, ours, theirs), []string{
			`| title | a\|b | 1.00 s | 1.50 s | 4.00 × faster | 30.0 s | 8.0 | 0.1 % | 1.50 GB |`,
			`|  | theirs | 6.00 s | 6.00 s |  | 9.00 s |  |  |  |`,
		}},
		{row(secondsMore, ours, theirs), []string{"| -4.50 s |"}},
		{row(alone, ours, theirs), []string{"| 1.50 s |  | 30.0 s |"}},
		{row(memoryAlone, ours, missing), []string{`| title | a\|b |  |  |  |  |  |  | 1.50 GB |`, "| not measured |"}},
		{row(faster, ours, missing), []string{"| 1.50 s |  | 30.0 s |", "|  | theirs | not measured |", "- theirs (row); theirs (again): it is missing\n"}},
	} {
		again := c.row
		again.Row = "again"
		b := &benchmark{Rows: []benchRowResult{c.row, again}}
		var w bytes.Buffer
		b.write(&w)
		for _, want := range c.want {
			if !strings.Contains(w.String(), want) {
				t.Errorf("no %q in\n%s", want, w.String())
			}
		}
		if strings.Count(w.String(), "it is missing") > 1 {
			t.Errorf("a reason is given twice in\n%s", w.String())
		}
		if lines := strings.Split(w.String(), "\n"); strings.Count(lines[1], "|") != strings.Count(lines[0], "|") {
			t.Errorf("not a Markdown table:\n%s", w.String())
		}
	}
}

// TestBenchAgreement: scores by one rule that differ are reported.
func TestBenchAgreement(t *testing.T) {
	for scale, wrong := range map[float64]bool{1: false, 1.0005: false, 1.002: true} {
		r := benchRowResult{Measures: []benchMeasure{
			{Median: 1, scores: []float64{scale, -2 * scale}}, {Contender: "theirs", Median: 1, scores: []float64{1, -2}},
		}}
		r.compareWithLast(faster, true)
		m := r.Measures[0]
		if m.Agreement == nil || math.Abs(*m.Agreement-(scale-1)) > 1e-9 || strings.Contains(m.Note, "theirs") != wrong {
			t.Errorf("scores times %v: %+v", scale, m)
		}
	}
}

func TestReadCPUInfo(t *testing.T) {
	for flags, want := range map[string]string{
		"fpu sse4_2 avx2 avx512f": "AVX-512", "fpu sse4_2 avx2": "AVX2", "fpu sse4_2": "SSE4.2", "fpu": "amd64",
	} {
		m := benchMachine{Instructions: "amd64"}
		m.readCPUInfo("processor\t: 0\nmodel name\t: A: fast CPU\nflags\t\t: " + flags + "\n\nmodel name\t: A: fast CPU\n")
		if m.CPU != "A: fast CPU" || m.Instructions != want {
			t.Errorf("%q: %+v, want %s", flags, m, want)
		}
	}
}

// TestBenchPrompts: the lengths that the help promises, every word a token,
// also in the vocabulary of the smallest model.
func TestBenchPrompts(t *testing.T) {
	for size, config := range benchSizes() {
		vocabulary := benchVocabulary(config.VocabSize)
		sorted := slices.Compact(slices.Sorted(slices.Values(vocabulary)))
		if len(vocabulary) != config.VocabSize || len(sorted) != len(vocabulary) {
			t.Errorf("%s: %d tokens, %d different; want %d", size, len(vocabulary), len(sorted), config.VocabSize)
		}
		for i, prompt := range benchPrompts {
			words := strings.Fields(prompt)
			for _, word := range words {
				if !slices.Contains(vocabulary, word) {
					t.Errorf("%s: %q is not in the vocabulary", size, word)
				}
			}
			if len(words)+2 != 8+i {
				t.Errorf("%q has %d tokens, want %d", prompt, len(words)+2, 8+i)
			}
		}
	}
	if n := len(strings.Fields(benchPrompts[benchPrompt])) + 2; n != 14 {
		t.Errorf("the prompt has %d tokens, want 14", n)
	}
}

// TestBenchRows: every row names contenders that exist, and rows that are
// measured together stand together.
func TestBenchRows(t *testing.T) {
	seen := map[string]bool{}
	last := ""
	for _, row := range benchRows {
		for _, key := range row.contenders {
			if benchEntries[key].make == nil {
				t.Errorf("%s: there is no contender %q", row.name, key)
			}
		}
		if row.group != last && seen[row.group] {
			t.Errorf("%s stands apart from its group %q", row.name, row.group)
		}
		seen[row.group], last = true, row.group
		if !strings.Contains(within("bench", "--help").stdout, "  "+row.name+"  ") {
			t.Errorf("%s is not in the help", row.name)
		}
	}
}

// tinyBench makes the tiny checkpoint.
func tinyBench(t *testing.T) string {
	t.Helper()
	folder, err := benchModel(context.Background(), t.TempDir(), "tiny", t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// TestBenchModel: the same bytes every time, which the library reads, and
// nothing is made twice or left half made.
func TestBenchModel(t *testing.T) {
	one, two := tinyBench(t), tinyBench(t)
	files, err := os.ReadDir(one)
	if err != nil || len(files) < 5 {
		t.Fatalf("%v, %v", files, err)
	}
	for _, file := range files {
		a, errA := os.ReadFile(filepath.Join(one, file.Name()))
		b, errB := os.ReadFile(filepath.Join(two, file.Name()))
		if errA != nil || errB != nil || !bytes.Equal(a, b) {
			t.Errorf("%s differs: %v %v", file.Name(), errA, errB)
		}
	}
	p, err := kn.MustLoad(one, kn.WithCache("off")).Predict(benchPrompts[0])
	if err != nil || p.MaskPosition != 5 {
		t.Errorf("%+v, %v", p, err)
	}
	mark := filepath.Join(one, "mark")
	if err := os.WriteFile(mark, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := benchModel(context.Background(), filepath.Dir(one), "tiny", t.Logf)
	if _, missing := os.Stat(mark); again != one || err != nil || missing != nil {
		t.Errorf("made again: %s, %v, %v", again, err, missing)
	}
	stopped, stop := context.WithCancel(context.Background())
	stop()
	dir := t.TempDir()
	if _, err := benchModel(stopped, dir, "tiny", t.Logf); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestBenchChild speaks the protocol with a process of its own.
func TestBenchChild(t *testing.T) {
	scores := filepath.Join(t.TempDir(), "scores")
	model := tinyBench(t)
	requests := []string{
		`{"do":"run"}`,
		`{"do":"dance"}`,
		`not JSON`,
		`{"do":"load","model":` + quoted(filepath.Join(model, "missing")) + `,"prompts":["[MASK]"]}`,
		`{"do":"load","model":` + quoted(model) + `}`,
		`{"do":"load","model":` + quoted(model) + `,"prompts":["The [MASK]","is [MASK] ."],"answer":"France","rule":"gauss_legendre","nodes":3}`,
		`{"do":"run","scores":` + quoted(scores) + `}`,
		`{"do":"run","scores":` + quoted(filepath.Join(scores, "below a file")) + `}`,
		`{"do":"load","model":` + quoted(model) + `,"prompts":["The [MASK]","is [MASK] ."],"answer":"no such answer","batched":true}`,
		`{"do":"run","scores":` + quoted(scores) + `}`,
	}
	wrong := []string{"before", "dance", "invalid", "missing", "no prompts", "", "", "scores", "", "no such answer"}
	cmd := command(t, "bench", "child")
	cmd.Stdin = strings.NewReader(strings.Join(requests, "\n"))
	o := finished(t, cmd)
	answers := strings.Split(strings.TrimSpace(o.stdout), "\n")
	if o.code != 0 || len(answers) != len(requests) {
		t.Fatalf("%d answers to %d requests: %+v", len(answers), len(requests), o)
	}
	for i, line := range answers {
		var a benchAnswer
		if err := json.Unmarshal([]byte(line), &a); err != nil || (a.Error != "") != (wrong[i] != "") || !strings.Contains(a.Error, wrong[i]) {
			t.Errorf("%s: %s, %v; want an error with %q", requests[i], line, err, wrong[i])
		}
		if i == 6 && (a.Nodes != 3 || a.Seconds <= 0) {
			t.Errorf("%s", line)
		}
	}
	got, err := readFloats(scores)
	var want []float64
	for _, prompt := range []string{"The [MASK]", "is [MASK] ."} {
		r := kn.MustLoad(model, kn.WithCache("off")).MustAttribute(prompt, "France", kn.AttributeOptions{Rule: kn.GaussLegendre, Nodes: 3})
		want = append(want, slices.Concat(r.Scores...)...)
	}
	if err != nil {
		t.Fatal(err)
	}
	if share, err := shareOfLargest(got, want); err != nil || share > 1e-5 {
		t.Errorf("the scores differ by %v, %v", share, err)
	}
}

func quoted(s string) string {
	data, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(data)
}

// TestBench runs all rows with the tiny model, in which the program measures
// itself on the Go backend. This program has no XLA and no peers.
func TestBench(t *testing.T) {
	dir, scratch := t.TempDir(), t.TempDir()
	cmd := command(t, "bench", "--size", "tiny", "--dir", dir, "--repeats", "2", "--json")
	cmd.Env = append(cmd.Env, "TMPDIR="+scratch)
	o := finished(t, cmd)
	if o.code != 0 {
		t.Fatalf("%+v", o)
	}
	var b benchmark
	object(t, o.stdout, &b, "machine", "version", "model", "prompt", "tokens", "answer", "probability", "repeats", "reference", "rows")
	if b.Tokens != 14 || b.Answer == "" || b.Probability <= 0 || b.Reference.Difference > 1e-5 || len(b.Rows) != len(benchRows) {
		t.Errorf("%+v", b)
	}
	measured := map[string]benchMeasure{}
	for _, row := range b.Rows {
		for _, m := range row.Measures {
			if (m.Median == 0 && m.Peak == 0) != (m.Note != "") {
				t.Errorf("%s: %+v", row.Row, m)
			}
			if m.Note == "" {
				measured[row.Row] = m
			} else if !strings.Contains(m.Note, "XLA") && !strings.Contains(m.Note, "xla") && !strings.Contains(m.Note, "--peers") {
				t.Errorf("%s: %s was not measured: %s", row.Row, m.Contender, m.Note)
			}
		}
	}
	for row, most := range map[string]float64{"go-adaptive": kn.DefaultTolerance, "go-20": 0.2, "cold-start": kn.DefaultTolerance, "cached": kn.DefaultTolerance} {
		if m := measured[row]; len(m.Seconds) != 2 || m.Minimum > m.Median || m.Error == nil || *m.Error > most || m.Nodes == 0 {
			t.Errorf("%s: %+v", row, m)
		}
	}
	for _, row := range []string{"prediction", "mini"} {
		if m := measured[row]; len(m.Seconds) != 2 || m.First == 0 || m.Error != nil {
			t.Errorf("%s: %+v", row, m)
		}
	}
	if m := measured["memory"]; m.Peak == 0 && b.Machine.Platform == "linux/amd64" || m.Median != 0 {
		t.Errorf("memory: %+v", m)
	}
	left, err := os.ReadDir(scratch)
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestBenchPeers puts a script in the place of Python, behind which this
// program computes with the default rule, but answers the wish to choose with
// an error. What has no other rule is found out to have other scores.
func TestBenchPeers(t *testing.T) {
	dir := t.TempDir()
	python := filepath.Join(dir, "python")
	script := "#!/bin/sh\nif [ \"$1\" = -c ]; then exit 0; fi\nKN_BACKEND=go:ops_sequential exec " + program + " bench child\n"
	if err := os.WriteFile(python, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	o := finished(t, command(t, "bench", "--size", "tiny", "--dir", dir, "--repeats", "1", "--json",
		"--rows", "go-adaptive,go-20,cold-start", "--python", python))
	var b benchmark
	if err := json.Unmarshal([]byte(o.stdout), &b); err != nil || o.code != 0 || len(b.Rows) != 3 {
		t.Fatalf("%v: %+v", err, o)
	}
	for _, i := range []int{0, 2} {
		m := b.Rows[i].Measures
		us, them := m[len(m)-2], m[len(m)-1]
		if us.Faster != them.Median/us.Median || them.Faster != 0 || *them.Error > kn.DefaultTolerance || them.First == 0 {
			t.Errorf("%+v", b.Rows[i])
		}
	}
	if m := b.Rows[1].Measures[1]; !strings.Contains(m.Note, "choose") {
		t.Errorf("%+v", m)
	}
}

// TestBenchFailures: errors that say what to do, and nothing on standard output.
func TestBenchFailures(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"--rows", "speed"}, exitUsage, "go-adaptive"},
		{[]string{"--rows", ""}, exitUsage, "go-adaptive"},
		{[]string{"--repeats", "0"}, exitUsage, "at least 1"},
		{[]string{"--size", "huge"}, exitUsage, "base or tiny"},
		{[]string{"--peers", "--python", "python3"}, exitUsage, "one of the two"},
		{[]string{"extra"}, exitUsage, "extra"},
		{[]string{"--size", "tiny", "--dir", filepath.Join(file, "below")}, exitFailure, "--dir"},
		{[]string{"--size", "tiny", "--dir", t.TempDir(), "--python", file}, exitFailure, "--peers"},
	} {
		o := finished(t, command(t, append([]string{"bench"}, c.args...)...))
		if o.code != c.code || o.stdout != "" || !strings.Contains(o.stderr, c.says) {
			t.Errorf("kn bench %q: %+v, want exit status %d and %q", c.args, o, c.code, c.says)
		}
	}
}
