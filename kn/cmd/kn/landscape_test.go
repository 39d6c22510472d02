package main

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/landscape"
)

// landscapeGolden is what PyTorch computes.
type landscapeGolden struct {
	Texts       []string
	Labels      []int
	Alphas      factorsFlag
	Betas       factorsFlag
	Loss, Error [][]float64
}

// labelled writes a golden's examples as a TSV file.
func labelled(t *testing.T, g landscapeGolden) string {
	t.Helper()
	lines := []string{"label\tsentence"}
	for i, text := range g.Texts {
		lines = append(lines, fmt.Sprintf("%d\t%s", g.Labels[i], text))
	}
	return written(t, strings.Join(lines, "\n"))
}

// thetas are a golden's classifiers as arguments.
func thetas(dir string, n int) (args []string) {
	for i := range n {
		args = append(args, fmt.Sprintf("--theta%d", i), filepath.Join(dir, fmt.Sprintf("classifier_%d", i)))
	}
	return args
}

var planeKeys = []string{"theta0", "theta1", "norm1", "alphas", "loss", "error", "examples", "provenance"}

func TestLandscapeEqualsReference(t *testing.T) {
	for _, dir := range goldens(t) {
		var want landscapeGolden
		sharedtest.ReadJSON(t, &want, dir, "landscape.json")
		file := labelled(t, want)
		args := append([]string{"landscape", "--data", file, "--alphas", want.Alphas.String(), "--json"}, thetas(dir, 3)...)
		var got landscape.Grid
		object(t, succeeds(t, append(args, "--betas", want.Betas.String())...), &got, append(planeKeys, "theta2", "norm2", "cosine", "betas")...)
		var line landscape.Line
		object(t, succeeds(t, args[:len(args)-2]...), &line, planeKeys...)
		for i, row := range want.Loss {
			for j, loss := range row {
				if !near(got.Loss[i][j], loss) || math.Abs(got.Error[i][j]-want.Error[i][j]) > 1e-12 {
					t.Errorf("%s: at alpha %v, beta %v: %v, %v; want %v, %v", dir, want.Alphas[i], want.Betas[j], got.Loss[i][j], got.Error[i][j], loss, want.Error[i][j])
				}
			}
			// Beta 0 is the second column: the curve.
			if line.Loss[i] != got.Loss[i][1] || line.Error[i] != got.Error[i][1] {
				t.Errorf("%s: the curve at alpha %v is %v, the surface %v", dir, want.Alphas[i], line.Loss[i], got.Loss[i][1])
			}
		}
	}
}

// TestLandscapeTablesAndCharts: what is printed and drawn for readers.
func TestLandscapeTablesAndCharts(t *testing.T) {
	var g landscapeGolden
	dir := goldens(t)[0]
	sharedtest.ReadJSON(t, &g, dir, "landscape.json")
	g.Texts[0] += " ☃"
	file, out := labelled(t, g), t.TempDir()
	curve := append([]string{"landscape", "--data", file, "--alphas", "0,0.5,1", "--plot"}, filepath.Join(out, "curve.png"))
	surface := append([]string{"landscape", "--data", file, "--alphas", "0,1", "--betas", "0,1", "--plot"}, filepath.Join(out, "surface.html"))
	groups := append([]string{"landscape", "--data", file, "--reset", "--plot"}, filepath.Join(out, "groups.png"))
	group := []string{"landscape", "--data", file, "--alphas", "0,1", "--group", "1,classifier"}
	for _, c := range []struct {
		args, words []string
	}{
		{append(curve, thetas(dir, 2)...), []string{"alpha", "0.5", "lowest at alpha", "6 examples", "the vocabulary cannot spell"}},
		{append(groups, thetas(dir, 2)...), []string{"none: B", "embeddings", "layer 1", "classifier", "all: A", "moved by", "6 examples"}},
		{append(group, thetas(dir, 2)...), []string{"alpha", "only bert.encoder.layer.1, classifier moves"}},
		{append(surface, thetas(dir, 3)...), []string{"loss: alpha, beta", "error: alpha, beta", "on an area of at least", "cosine"}},
	} {
		table := succeeds(t, c.args...)
		for _, word := range c.words {
			if !strings.Contains(table, word) {
				t.Errorf("%q is missing in\n%s", word, table)
			}
		}
	}
	for name, start := range map[string]string{"curve.png": "\x89PNG", "groups.png": "\x89PNG", "surface.html": "<!DOCTYPE html>"} {
		data, err := os.ReadFile(filepath.Join(out, name))
		if err != nil || !strings.HasPrefix(string(data), start) {
			t.Errorf("%s begins with %.20q: %v", name, data, err)
		}
	}
}

// TestLandscapeReset: a curve of one group begins where that group is reset.
func TestLandscapeReset(t *testing.T) {
	var g landscapeGolden
	dir := goldens(t)[0]
	sharedtest.ReadJSON(t, &g, dir, "landscape.json")
	args := append([]string{"landscape", "--data", labelled(t, g), "--group", "embeddings,0", "--json"}, thetas(dir, 2)...)
	var back landscape.GroupResets
	object(t, succeeds(t, append(args, "--reset")...), &back, "theta0", "theta1", "start", "fine_tuned", "groups", "examples", "provenance")
	var line landscape.Line
	object(t, succeeds(t, append(args, "--alphas", "0,1")...), &line, append(planeKeys, "group")...)
	if len(back.Groups) != 1 || line.Loss[0] != back.Groups[0].Loss || line.Loss[1] != back.FineTuned.Loss || line.Loss[0] == back.Start.Loss || line.Loss[0] == line.Loss[1] {
		t.Errorf("reset: %+v; on the line: %v", back, line.Loss)
	}
}

// TestLandscapeTrajectory fine-tunes a small model and finds its way on a plane.
func TestLandscapeTrajectory(t *testing.T) {
	dir := goldens(t)[0]
	var lines []string
	for i := range 40 {
		lines = append(lines, fmt.Sprintf("%d\t%s was born in %s", i%2, []string{"Mary", "John"}[i%2], []string{"London", "Paris", "Rome"}[i%3]))
	}
	file := written(t, "label\tsentence\n"+strings.Join(lines, "\n"))
	out := t.TempDir()
	for _, seed := range []string{"1", "2"} {
		succeeds(t, "finetune", "--model", filepath.Join(dir, "model"), "--task", file, "--steps", "4", "--batch", "8", "--learning-rate", "0.01",
			"--checkpoints", "0,2", "--seed", seed, "--out", filepath.Join(out, seed))
	}
	one := filepath.Join(out, "1")
	args := []string{
		"landscape", "--theta0", filepath.Join(one, "checkpoints", "step-000000"), "--theta1", one, "--theta2", filepath.Join(out, "2"),
		"--data", file, "--alphas", "0,1", "--betas", "0,1", "--trajectory", one,
	}
	var got surfaceResult
	object(t, succeeds(t, append(args, "--json")...), &got, append(planeKeys, "theta2", "norm2", "cosine", "betas", "trajectory")...)
	if n := len(got.Trajectory); n != 3 {
		t.Fatalf("the way is %+v", got.Trajectory)
	}
	first, middle, last := got.Trajectory[0], got.Trajectory[1], got.Trajectory[2]
	if first.Distance != 0 || !(middle.Alpha > 0 && middle.Alpha < 1.5) || math.Abs(last.Alpha-1) > 1e-6 || math.Abs(last.Beta) > 1e-6 || last.Step != 4 {
		t.Errorf("the way is %+v", got.Trajectory)
	}
	if table := succeeds(t, args...); !strings.Contains(table, "in the plane") || !strings.Contains(table, "100.0 %") {
		t.Errorf("the way is missing in\n%s", table)
	}
}

func TestLandscapeErrors(t *testing.T) {
	var g landscapeGolden
	dir := goldens(t)[0]
	sharedtest.ReadJSON(t, &g, dir, "landscape.json")
	good := labelled(t, g)
	g.Labels[3] = 7
	bad := labelled(t, g)
	comma := written(t, "label,sentence\n1,London\n")
	for _, c := range []struct {
		code  int
		args  []string
		words string
	}{
		{cli.ExitUsage, []string{"--data", good, "--betas", "0,1"}, "--betas needs --theta2"},
		{cli.ExitUsage, []string{"--data", good, "--trajectory", "x"}, "--trajectory needs --theta2"},
		{cli.ExitUsage, []string{"--data", good, "--alphas", "0,x"}, "finite number"},
		{cli.ExitUsage, []string{"--data", good, "--alphas", "0,1", "--reset"}, "leave out --theta2, --alphas"},
		{cli.ExitFailure, []string{"--data", good, "--group", "7"}, "no tensor bert.encoder.layer.7"},
		{cli.ExitUsage, []string{"--data", good, "--plot", "x.gif"}, ".svg, .png, .pdf"},
		{cli.ExitUsage, []string{"--data", good, "--plot", "x.html"}, "end its name"},
		{cli.ExitUsage, []string{"--data", good, "--alphas", "1,0", "--plot", "x.svg"}, "rising order"},
		{cli.ExitUsage, nil, `"data"`},
		{cli.ExitFailure, []string{"--data", bad}, `label "7" is none of`},
		{cli.ExitFailure, []string{"--data", comma}, "tabs must set the columns apart"},
		{cli.ExitFailure, []string{"--data", filepath.Join(dir, "none.tsv")}, "none.tsv"},
		{cli.ExitFailure, []string{"--data", good, "--theta1", filepath.Join(dir, "model")}, "no classifier"},
	} {
		o := within(append(append([]string{"landscape"}, thetas(dir, 2)...), c.args...)...)
		if o.code != c.code || o.stdout != "" || !isOneLine(o.stderr) || !strings.Contains(o.stderr, c.words) {
			t.Errorf("%q: exit status %d, stdout %q, stderr %q without %q", c.args, o.code, o.stdout, o.stderr, c.words)
		}
	}
}
