package kernel_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kernel"
	"github.com/knowledge-neurons/gonb-kn/kernel/kerneltest"
	"github.com/knowledge-neurons/gonb-kn/kn"
)

const allImports = `import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/janpfeifer/gonb/gonbui"
	"github.com/knowledge-neurons/gonb-kn/kn"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
)
%%
_, _, _ = graph.Add, plot.New, gonbui.IsNotebook
fmt.Println(kn.Version, stat.Mean([]float64{1, 3}, nil))`

// TestCellsWithoutNetwork: everything that this module has can be imported
// with no module proxy to be reached.
func TestCellsWithoutNetwork(t *testing.T) {
	s := kerneltest.Shared(t).Start(t, "GOPROXY=off", "GOFLAGS=-mod=mod")
	if a := s.Run(allImports); a.Status != "ok" || a.Printed("stdout") != kn.Version+" 2\n" {
		t.Errorf("%+v", a)
	}
	// Imports last: a later cell uses them without naming them.
	if a := s.Run("%%\nfmt.Println(kn.Neuron{1, 2})"); a.Printed("stdout") != "1:2\n" {
		t.Errorf("%+v", a)
	}
}

// TestCellsGetOurVersions compares what a cell was built with to go.mod.
func TestCellsGetOurVersions(t *testing.T) {
	in := kerneltest.Shared(t)
	s := in.Start(t)
	a := s.Run(`import (
	"runtime/debug"
	"github.com/gomlx/gomlx/core/graph"
	"gonum.org/v1/plot"
)
%%
_, _ = graph.Add, plot.New
info, _ := debug.ReadBuildInfo()
for _, d := range info.Deps { fmt.Println(d.Path, d.Version) }`)
	mod, err := os.ReadFile(filepath.Join(in.Root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	checked := 0
	for line := range strings.Lines(a.Printed("stdout")) {
		line = strings.TrimSpace(line)
		if path, _, _ := strings.Cut(line, " "); strings.Contains(path, "gomlx") || strings.Contains(path, "gonum") {
			checked++
			if !strings.Contains(string(mod), "\t"+line) {
				t.Errorf("a cell was built with %s, which is not what go.mod says", line)
			}
		}
	}
	if checked < 3 {
		t.Errorf("%+v", a)
	}
}

// TestOtherModulesComeByGoGet imports modules that are not in go.mod: one
// that nothing of ours needs, and one that go.mod decides the version of.
func TestOtherModulesComeByGoGet(t *testing.T) {
	s := kerneltest.Shared(t).Start(t)
	a := s.Run("import (\n\t\"github.com/dustin/go-humanize\"\n\t\"go.uber.org/atomic\"\n\t\"github.com/knowledge-neurons/gonb-kn/kn\"\n)\n%%\nfmt.Println(humanize.Ordinal(3), atomic.NewInt64(7), kn.Version)")
	if a.Status != "ok" || a.Printed("stdout") != "3rd 7 "+kn.Version+"\n" {
		t.Errorf("%+v", a)
	}
	// Our packages are not sought elsewhere; the error points at the import.
	a = s.Run("import \"github.com/knowledge-neurons/gonb-kn/kn/nosuch\"\n%%\nnosuch.F()")
	if a.Status != "error" || !strings.Contains(a.Failure(), "cell 2, line 1:") {
		t.Errorf("%+v", a)
	}
}

// TestInterruptStopsTheComputation interrupts an endless loop, and one that
// catches the signal: GoNB kills that after five seconds.
func TestInterruptStopsTheComputation(t *testing.T) {
	s := kerneltest.Shared(t).Start(t)
	for _, c := range []struct {
		code  string
		limit float64 // seconds
	}{
		{"%%\nfmt.Println(\"begun\")\nfor x := 0.0; ; { x++ }", 5},
		{"%%\nsignal.Ignore(os.Interrupt)\nfmt.Println(\"begun\")\nfor x := 0.0; ; { x++ }", 15},
	} {
		a := s.Ask(kerneltest.Ask{Code: c.code, InterruptOn: "begun"})
		if a.Status != "error" || a.Printed("stdout") != "begun\n" || a.StoppedAfter > c.limit || !strings.HasPrefix(a.Failure(), "interrupted: the cell was stopped") || a.Printed("stderr") != "" {
			t.Errorf("%+v", a)
		}
		t.Logf("stopped %.2f s after the interruption", a.StoppedAfter)
	}
	if a := s.Run("%%\nfmt.Println(1)"); a.Printed("stdout") != "1\n" {
		t.Errorf("the kernel did not survive: %+v", a)
	}
}

func TestCompletionAndInspection(t *testing.T) {
	in := kerneltest.Shared(t)
	if _, err := os.Stat(in.Program("gopls")); err != nil {
		t.Fatal("the installer had no gopls to build, although the module proxy is reached")
	}
	s := in.Start(t)
	s.Run("import \"github.com/knowledge-neurons/gonb-kn/kn\"\nvar n kn.Neuron\n%%\nfmt.Println(n)")
	code := "%%\nfmt.Println(n.Lay"
	position := len(code)
	complete := func() bool {
		start := time.Now()
		a := s.Ask(kerneltest.Ask{Code: code, Complete: &position})
		if len(a.Matches) == 0 {
			t.Errorf("after %v there is nothing", time.Since(start))
		}
		return slices.ContainsFunc(a.Matches, func(m string) bool { return strings.Contains(m, "Layer") })
	}
	// Until gopls has read the workspace the kernel says so, within the second
	// that JupyterLab waits.
	for deadline := time.Now().Add(2 * time.Minute); !complete(); {
		if time.Now().After(deadline) {
			t.Fatal("no completion")
		}
		time.Sleep(500 * time.Millisecond)
	}
	code = "%%\nfmt.Println(n.Layer)"
	position = len(code) - 2
	if a := s.Ask(kerneltest.Ask{Code: code, Inspect: &position}); !strings.Contains(a.Text, "Layer") {
		t.Errorf("inspection gave %+v", a)
	}
	// What panics says what it does otherwise.
	code = "%%\nkn.MustLoad"
	position = len(code) - 2
	if a := s.Ask(kerneltest.Ask{Code: code, Inspect: &position}); !strings.Contains(a.Text, "MustLoad is") || !strings.Contains(a.Text, "func Load(name string") {
		t.Errorf("inspection gave %+v", a)
	}
	// A command is not Go, and its line not GoNB's to read.
	code, position = "! ", 2
	if a := s.Ask(kerneltest.Ask{Code: code, Complete: &position}); len(a.Matches) > 0 {
		t.Errorf("%q is completed to %q", code, a.Matches)
	}
}

// TestTwoKernelsAtOnce runs two side by side.
func TestTwoKernelsAtOnce(t *testing.T) {
	in := kerneltest.Shared(t)
	a, b := in.Start(t), in.Start(t)
	a.Run("var x = 1")
	b.Run("var x = 2")
	if got := a.Run("%%\nfmt.Println(x)").Printed("stdout") + b.Run("%%\nfmt.Println(x)").Printed("stdout"); got != "1\n2\n" {
		t.Errorf("got %q", got)
	}
}

func TestSpecIsWrittenAndChecked(t *testing.T) {
	p := kernel.Paths{Root: "/module", Data: t.TempDir(), Jupyter: t.TempDir(), Go: "/go"}
	if err := p.CheckSpec(); err == nil {
		t.Error("no error although there is no kernelspec")
	}
	if err := p.WriteSpec(); err != nil {
		t.Fatal(err)
	}
	if err := p.CheckSpec(); err != nil {
		t.Error(err)
	}
	other := p
	other.Root = "/elsewhere"
	if err := other.CheckSpec(); err == nil || !strings.Contains(err.Error(), "another installation") {
		t.Errorf("another module's kernelspec passes: %v", err)
	}
	data, err := os.ReadFile(filepath.Join(p.Spec(), "kernel.json"))
	if err != nil {
		t.Fatal(err)
	}
	var spec map[string]any
	if err := json.Unmarshal(data, &spec); err != nil || spec["display_name"] != "Go (knowledge neurons)" {
		t.Errorf("%s: %v", data, err)
	}
}

func TestEnvironment(t *testing.T) {
	p := kernel.Paths{Data: "/data", Go: "/real/bin/go"}
	env := p.Environment([]string{"PATH=/usr/bin", "GOWORK=off", "GOFLAGS=-mod=mod -x", "GOEXPERIMENT=rangefunc"})
	want := []string{"PATH=/data/shim:/data/bin:/real/bin:/usr/bin", "GOFLAGS=-x", "GOPLSCACHE=/data/gopls-cache", "GONB_KN_GO=/real/bin/go"}
	experiment := "GOEXPERIMENT=rangefunc"
	if runtime.GOARCH == "amd64" {
		experiment += ",simd"
	}
	for _, v := range append(want, experiment) {
		if !slices.Contains(env, v) {
			t.Errorf("%s is missing in %q", v, env)
		}
	}
	if slices.Contains(env, "GOWORK=off") {
		t.Error("GOWORK is still set")
	}
}

func TestExperiment(t *testing.T) {
	for _, c := range []struct{ arch, value, want string }{
		{"amd64", "", "simd"},
		{"amd64", "simd", "simd"},
		{"amd64", "nosimd", "nosimd"},
		{"amd64", "a,b", "a,b,simd"},
		{"arm64", "", ""},
		{"arm64", "a", "a"},
	} {
		if got := kernel.Experiment(c.arch, c.value); got != c.want {
			t.Errorf("%s %q: %q, want %q", c.arch, c.value, got, c.want)
		}
	}
}
