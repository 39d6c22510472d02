package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/clitest"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
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
		r.compareWithLast(how)
		return r
	}
	ours := benchMeasure{Contender: "a|b", First: 30, Seconds: []float64{2, 1}, Minimum: 1, Median: 1.5, Error: &share, Nodes: 8, Peak: 1.5e9}
	theirs := benchMeasure{Contender: "theirs", First: 9, Seconds: []float64{6}, Minimum: 6, Median: 6}
	nine := ours
	nine.Prompts, nine.PerSecond = 9, 6
	slow := benchMeasure{Contender: "theirs", Once: true, Seconds: []float64{60}, Minimum: 60, Median: 60}
	missing := benchMeasure{Contender: "theirs", Note: "it is missing"}
	for _, c := range []struct {
		row  benchRowResult
		want []string
	}{
		{row(faster, ours, theirs), []string{
			"### my-bert, 110 million parameters, digest 01234567\n",
			`| title | a\|b | 1.00 s | 1.50 s |  | 4.00 × faster | 30.0 s | 8.0 | 0.1 % | 1.50 GB |`,
			`|  | theirs | 6.00 s | 6.00 s |  |  | 9.00 s |  |  |  |`,
			"- float32, /models/my-bert; 3 tokens: “[MASK]”, “Paris” with probability 0.2500\n",
			"- 5 repetitions in turn",
			"with 64 Gauss-Legendre nodes a layer, from which 128 nodes differ by 0.1 %: “[MASK]”\n",
		}},
		{row(faster, nine, slow), []string{
			`| title | a\|b | 1.00 s | 1.50 s | 6 | 40.00 × faster | 30.0 s |`, `|  | theirs | 60.0 s | 60.0 s |  |  |  |`,
			"- theirs: measured once",
		}},
		{row(secondsMore, ours, theirs), []string{"| -4.50 s |"}},
		{row(alone, ours, theirs), []string{"| 1.50 s |  |  | 30.0 s |"}},
		{row(memoryAlone, ours, missing), []string{`| title | a\|b |  |  |  |  |  |  |  | 1.50 GB |`, "| not measured |"}},
		{row(faster, ours, missing), []string{"| 1.50 s |  |  | 30.0 s |", "|  | theirs | not measured |", "- theirs (row); theirs (again): it is missing\n"}},
	} {
		again := c.row
		again.Row = "again"
		b := &benchmark{Repeats: 5, Rows: []benchRowResult{c.row, again}}
		b.benchSubject = benchSubject{Model: "/models/my-bert", Name: "my-bert", Parameters: 109_500_000, Digest: "0123456789abcdef"}
		b.benchQuestion = benchQuestion{"[MASK]", 3, "Paris", 0.25, &benchReference{Nodes: 64, CheckNodes: 128, Difference: 0.001}}
		var w bytes.Buffer
		b.write(&w)
		for _, want := range c.want {
			if !strings.Contains(w.String(), want) {
				t.Errorf("no %q in\n%s", want, w.String())
			}
		}
		if strings.Count(w.String(), "it is missing") > 1 || strings.Count(w.String(), "once") > 1 {
			t.Errorf("a reason is given twice in\n%s", w.String())
		}
		if lines := strings.Split(w.String(), "\n"); strings.Count(lines[3], "|") != strings.Count(lines[2], "|") || strings.Count(lines[4], " | ") != strings.Count(lines[2], " | ") {
			t.Errorf("not a Markdown table:\n%s", w.String())
		}
	}
}

// TestBenchAgreement: scores by one rule that differ are reported, and those
// by different rules may differ.
func TestBenchAgreement(t *testing.T) {
	for scale, wrong := range map[float64]bool{1: false, 1.0005: false, 1.002: true} {
		r := benchRowResult{Measures: []benchMeasure{
			{Median: 1, scores: []float64{scale, -2 * scale}, rule: leftSum},
			{Median: 1, scores: []float64{3, 4}, rule: bothEndsSum},
			{Median: 1, scores: []float64{3, 4}},
			{Contender: "theirs", Median: 1, scores: []float64{1, -2}, rule: leftSum},
		}}
		r.compareWithLast(faster)
		for _, m := range r.Measures[1:] {
			if m.Agreement != nil || m.Note != "" {
				t.Errorf("not of one rule: %+v", m)
			}
		}
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

// TestBenchRows: every row names contenders that exist, the row of the spread
// has one, rows that are measured together stand together, and all contenders
// are in a row.
func TestBenchRows(t *testing.T) {
	seen, used := map[string]bool{}, map[string]bool{}
	last, help := "", clitest.Finished(t, bench(t, "--help")).Stdout
	for _, row := range benchRows {
		for _, key := range row.contenders {
			if benchEntries[key].make == nil {
				t.Errorf("%s: there is no contender %q", row.name, key)
			}
			used[key] = true
		}
		if row.compare == spread && len(row.contenders) != 1 {
			t.Errorf("%s: the spread is of one contender, not of %q", row.name, row.contenders)
		}
		if row.group != last && seen[row.group] {
			t.Errorf("%s stands apart from its group %q", row.name, row.group)
		}
		seen[row.group], last = true, row.group
		if !strings.Contains(help, "  "+row.name+"  ") {
			t.Errorf("%s is not in the help", row.name)
		}
	}
	for key := range benchEntries {
		if !used[key] {
			t.Errorf("no row has %q", key)
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
	dir := t.TempDir()
	scores, swept := filepath.Join(dir, "scores"), filepath.Join(dir, "swept")
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
		`{"do":"load","model":` + quoted(model) + `,"prompts":["The [MASK]","is [MASK] ."],"answer":"日","batched":true}`,
		`{"do":"run","scores":` + quoted(scores+"-2") + `}`,
		`{"do":"load","model":` + quoted(model) + `,"prompts":["The [MASK]","is [MASK] ."],"answer":"France","sweep":true,"judged":1}`,
		`{"do":"run","scores":` + quoted(swept) + `}`,
		`{"do":"load","model":` + quoted(model) + `,"prompts":["The [MASK]","is [MASK] ."],"answer":"France","sweep":true,"judged":2}`,
		`{"do":"run","scores":` + quoted(swept) + `}`,
		`{"do":"load","model":` + quoted(model) + `,"prompts":["The [MASK]","is ."],"answer":"France","sweep":true}`,
		`{"do":"run","scores":` + quoted(swept) + `}`,
	}
	wrong := []string{
		"before", "dance", "invalid", "missing", "no prompts", "", "", "scores", "", "日",
		"", "", "", "prompt 2 of 2", "", "of 2 prompts",
	}
	cmd := clitest.Command(t, program, "child")
	cmd.Stdin = strings.NewReader(strings.Join(requests, "\n"))
	o := clitest.Finished(t, cmd)
	answers := strings.Split(strings.TrimSpace(o.Stdout), "\n")
	if o.Code != 0 || len(answers) != len(requests) {
		t.Fatalf("%d answers to %d requests: %+v", len(answers), len(requests), o)
	}
	for i, line := range answers {
		var a benchAnswer
		if err := json.Unmarshal([]byte(line), &a); err != nil || (a.Error != "") != (wrong[i] != "") || !strings.Contains(a.Error, wrong[i]) {
			t.Errorf("%s: %s, %v; want an error with %q", requests[i], line, err, wrong[i])
		}
		if i == 6 && (a.Nodes != 3 || a.Seconds <= 0 || len(a.ByPrompt) != 2 || a.ByPrompt[1].Nodes != 3 || a.ByPrompt[0].Seconds+a.ByPrompt[1].Seconds > a.Seconds) {
			t.Errorf("%s", line)
		}
		if i == 11 && (a.Nodes < 2 || a.Seconds <= 0 || a.ByPrompt != nil) {
			t.Errorf("%s", line)
		}
	}
	m := kn.MustLoad(model, kn.WithCache("off"))
	three := kn.AttributeOptions{Rule: kn.GaussLegendre, Nodes: 3}
	sameScores(t, scores, m.MustAttribute("The [MASK]", "France", three), m.MustAttribute("is [MASK] .", "France", three))
	sameScores(t, swept, m.MustAttribute("is [MASK] .", "France", kn.AttributeOptions{Tolerance: sweep.DefaultTolerance}))
	if files, err := os.ReadDir(dir); err != nil || len(files) != 2 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// TestBenchChildTold: a process that is told to end says so.
func TestBenchChildTold(t *testing.T) {
	stopped, stop := context.WithCancel(context.Background())
	stop()
	load := `{"do":"load","model":` + quoted(tinyBench(t)) + `,"prompts":["The [MASK]"],"answer":"France"}`
	var out bytes.Buffer
	if err := serveBench(stopped, strings.NewReader(load+"\n"+`{"do":"run"}`), &out); err != nil || !strings.Contains(out.String(), "told its process to end") {
		t.Errorf("%v: %s", err, out.String())
	}
}

// sameScores says where the scores in a file are not those of attributions.
func sameScores(t *testing.T, file string, attributions ...*kn.Attribution) {
	t.Helper()
	got, err := readFloats(file)
	if err != nil {
		t.Fatal(err)
	}
	var want []float64
	for _, a := range attributions {
		want = append(want, slices.Concat(a.Scores...)...)
	}
	if share, err := shareOfLargest(got, want); err != nil || share > 1e-5 {
		t.Errorf("%s: the scores differ by %v, %v", filepath.Base(file), share, err)
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
	cmd := bench(t, "--size", "tiny", "--dir", dir, "--repeats", "2", "--json")
	cmd.Env = append(cmd.Env, "TMPDIR="+scratch)
	o := clitest.Finished(t, cmd)
	if o.Code != 0 {
		t.Fatalf("%+v", o)
	}
	var b benchmark
	clitest.Object(t, o.Stdout, &b, "machine", "version", "model", "name", "parameters", "digest",
		"prompt", "tokens", "answer", "probability", "repeats", "reference", "rows")
	if b.Tokens != 14 || b.Answer == "" || b.Probability <= 0 || b.Reference.Difference > 1e-5 || len(b.Rows) != len(benchRows) ||
		b.Name != "random-bert-tiny-1" || b.Model != filepath.Join(dir, b.Name) || b.Parameters < 30_000 || len(b.Digest) != 64 {
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
	if m := measured["sweep"]; len(m.Seconds) != 2 || m.Error == nil || *m.Error > sweep.DefaultTolerance || m.Prompts != 9 || m.PerSecond != 9/m.Median || m.Nodes == 0 {
		t.Errorf("sweep: %+v", m)
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

// TestBenchBuildsKn: without --kn the command is built, measured and removed.
func TestBenchBuildsKn(t *testing.T) {
	scratch := t.TempDir()
	built, err := exec.Command("go", "env", "GOCACHE").Output() // which would lie in the command's own cache folder
	if err != nil {
		t.Fatal(err)
	}
	cmd := clitest.Command(t, program, "--model", small(t), "--dir", t.TempDir(), "--repeats", "1", "--rows", "prediction", "--json")
	cmd.Env = append(cmd.Env, "TMPDIR="+scratch, "GOCACHE="+strings.TrimSpace(string(built)))
	o := clitest.Finished(t, cmd)
	var b benchmark
	if err := json.Unmarshal([]byte(o.Stdout), &b); err != nil || o.Code != 0 || b.Answer != "Paris" || b.Rows[0].Measures[0].Median == 0 || !strings.Contains(o.Stderr, "building the kn command") {
		t.Errorf("%v: %+v", err, o)
	}
	if left, err := os.ReadDir(scratch); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	cmd = clitest.Command(t, program, "--model", small(t), "--dir", t.TempDir())
	cmd.Dir = t.TempDir() // no module
	if o := clitest.Finished(t, cmd); o.Code != cli.ExitFailure || o.Stdout != "" || !strings.Contains(o.Stderr, "name a kn with --kn") {
		t.Errorf("outside the module: %+v", o)
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
		{[]string{"--rows", "speed"}, cli.ExitUsage, "go-adaptive"},
		{[]string{"--rows", ""}, cli.ExitUsage, "go-adaptive"},
		{[]string{"--repeats", "0"}, cli.ExitUsage, "at least 1"},
		{[]string{"--size", "huge"}, cli.ExitUsage, "base or tiny"},
		{[]string{"--peers", "--python", "python3"}, cli.ExitUsage, "one of the two"},
		{[]string{"--model", small(t), "--size", "tiny"}, cli.ExitUsage, "one of the two"},
		{[]string{"--model", filepath.Join(file, "below")}, cli.ExitFailure, "there is no folder"},
		{[]string{"--model", "./nowhere"}, cli.ExitFailure, "there is no folder"},
		{[]string{"--model", "no/where"}, cli.ExitFailure, "there is no folder"},
		{[]string{"--model", "nowhere"}, cli.ExitFailure, "give one of these, a folder"},
		{[]string{"--model", file}, cli.ExitFailure, "give " + filepath.Dir(file)},
		{[]string{"--model", "mini"}, cli.ExitFailure, "kn export --model mini --out"},
		{[]string{"--model", filepath.Join(sharedtest.Goldens(t)[0], "classifier_0")}, cli.ExitFailure, "give the masked language model"},
		{[]string{"--model", small(t), "--answer", "walking"}, cli.ExitFailure, "choose an answer that is a single token"},
		{[]string{"--model", small(t), "--answer", ""}, cli.ExitFailure, "give one word"},
		{[]string{"--model", small(t), "--prompt", "Paris is the capital."}, cli.ExitFailure, "needs one [MASK]"},
		{[]string{"--model", small(t), "--prompt", "[MASK] and [MASK]"}, cli.ExitFailure, "an answer of any length"},
		{[]string{"--model", small(t), "--prompt", "[MASK]" + strings.Repeat(" is", 99)}, cli.ExitFailure, "shorten it"},
		{[]string{"--kn", file}, cli.ExitFailure, "leave that out to have it built"},
		{[]string{"extra"}, cli.ExitUsage, "extra"},
		{[]string{"--size", "tiny", "--dir", filepath.Join(file, "below")}, cli.ExitFailure, "--dir"},
		{[]string{"--size", "tiny", "--dir", t.TempDir(), "--python", file}, cli.ExitFailure, "--peers"},
	} {
		o := clitest.Finished(t, bench(t, c.args...))
		if o.Code != c.code || o.Stdout != "" || !strings.Contains(o.Stderr, c.says) {
			t.Errorf("bench %q: %+v, want exit status %d and %q", c.args, o, c.code, c.says)
		}
	}
}
