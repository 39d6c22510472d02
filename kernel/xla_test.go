package kernel

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/xla"
	"github.com/knowledge-neurons/gonb-kn/kn/xla/xlatest"
)

func TestEnvironmentOfWorker(t *testing.T) {
	p := Paths{Data: "/data", Go: "/go"}
	for _, c := range []struct {
		base []string
		want string
	}{
		{nil, "KN_WORKER=/data/bin/kn"},
		{[]string{"KN_WORKER=/mine/kn"}, "KN_WORKER=/mine/kn"},
		{[]string{"KN_WORKER="}, "KN_WORKER="}, // no worker is wanted
		{[]string{"KN_KERNEL_PID=12"}, "KN_WORKER=/data/bin/kn"},
	} {
		var got []string
		for _, v := range p.Environment(c.base) {
			if strings.HasPrefix(v, "KN_") {
				got = append(got, v)
			}
		}
		if !slices.Equal(got, []string{c.want}) {
			t.Errorf("%q became %q, want %q", c.base, got, c.want)
		}
	}
}

// TestSamePlace: the plug-ins are in the folder that uninstalling removes.
func TestSamePlace(t *testing.T) {
	for _, data := range []string{t.TempDir(), "relative", ""} {
		t.Setenv("XDG_DATA_HOME", data)
		p, err := Locate()
		if err != nil {
			t.Fatal(err)
		}
		if dir, err := xla.Dir(); err != nil || dir != filepath.Join(p.Data, "pjrt") {
			t.Errorf("XDG_DATA_HOME=%q: plug-ins are in %s (%v), all else in %s", data, dir, err, p.Data)
		}
	}
}

// script writes a program.
func script(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCheckCompiler(t *testing.T) {
	dir := t.TempDir()
	good := script(t, filepath.Join(dir, "good"), "cat > /dev/null")
	poor := script(t, filepath.Join(dir, "poor"), "cat > /dev/null; echo 'stdlib.h: No such file' >&2; exit 1")
	for _, c := range []struct{ name, compiler, enabled, variable, fault string }{
		{"good", good, "1", "", ""},
		{"with arguments", good + " -m64", "1", "", ""},
		{"none", filepath.Join(dir, "none"), "0", "", "apt install gcc"},
		{"no headers", poor, "1", "", "stdlib.h: No such file"},
		{"switched off", good, "0", "", "go env -w CGO_ENABLED=1"},
		{"switched off by the variable", good, "0", "0", "unset CGO_ENABLED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Setenv("CGO_ENABLED", c.variable)
			p := Paths{Go: script(t, filepath.Join(dir, "go"), "echo '"+c.compiler+"'; echo "+c.enabled)}
			err := p.CheckCompiler(context.Background())
			if (err == nil) != (c.fault == "") {
				t.Fatal(err)
			}
			if err != nil && (!errors.Is(err, ErrNoCompiler) || !strings.Contains(err.Error(), c.fault)) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestBuildTools: only the kn command is built with the tag, and only if that
// is wanted; GoNB is built from its source with the edits, and a source that
// has changed is refused.
func TestBuildTools(t *testing.T) {
	dir := t.TempDir()
	p := Paths{Root: dir, Data: filepath.Join(dir, "data")}
	p.Go = script(t, filepath.Join(dir, "go"), `if [ "$1" = list ]; then echo "`+dir+`/cache"; exit 0; fi
echo "$CGO_ENABLED $@" >> builds; touch "`+p.Program(Name)+`"`)
	source := map[string]string{}
	for _, e := range sourceEdits {
		source[e.file] += e.old + "\n"
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("// "+name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write := func(file, text string) {
		path := filepath.Join(dir, "cache", file)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o444); err != nil {
			t.Fatal(err)
		}
	}
	for file, text := range source {
		write(file, text)
	}
	t.Setenv("CGO_ENABLED", "")
	for _, withXLA := range []bool{false, true} {
		if err := os.RemoveAll(filepath.Join(dir, "builds")); err != nil {
			t.Fatal(err)
		}
		if err := p.BuildTools(context.Background(), withXLA); err != nil {
			t.Fatal(err)
		}
		builds, err := os.ReadFile(filepath.Join(dir, "builds"))
		if err != nil {
			t.Fatal(err)
		}
		kn, tagged := 0, 0
		for line := range strings.Lines(string(builds)) {
			if strings.HasSuffix(line, knPackage+"\n") {
				kn++
			}
			if strings.HasPrefix(line, "1 ") && strings.Contains(line, "-tags=xla "+knPackage) && !strings.Contains(line, "gonb\n") {
				tagged++
			}
		}
		if kn != 1 || tagged == 1 != withXLA {
			t.Errorf("withXLA %v built\n%s", withXLA, builds)
		}
		mod := filepath.Join(p.Data, "gonb-source", "go.mod")
		if !strings.Contains(string(builds), "-modfile="+mod+" "+gonbPackage+"\n") {
			t.Errorf("GoNB was not built from %s:\n%s", mod, builds)
		}
		for file, want := range source {
			for _, e := range sourceEdits {
				if e.file == file {
					want = strings.Replace(want, e.old, e.new, 1)
				}
			}
			data, err := os.ReadFile(filepath.Join(p.Data, "gonb-source", "gonb", file))
			if err != nil || string(data) != want {
				t.Errorf("%s is %q, %v; want %q", file, data, err, want)
			}
		}
	}
	file := sourceEdits[0].file
	if err := os.Remove(filepath.Join(dir, "cache", file)); err != nil {
		t.Fatal(err)
	}
	write(file, source[file]+source[file])
	if err := p.BuildTools(context.Background(), false); err == nil || !strings.Contains(err.Error(), "GoNB's source has changed") {
		t.Errorf("%v", err)
	}
}

// TestPip: a Python without pip gets an environment with it.
func TestPip(t *testing.T) {
	dir, scratch := t.TempDir(), t.TempDir()
	t.Setenv("PATH", dir+":/usr/bin:/bin")
	// Its own pip fails; "-m venv FOLDER" makes a Python whose pip works.
	script(t, filepath.Join(dir, "python3"), `
case "$2" in
pip) exit 1 ;;
venv) mkdir -p "$3/bin" && printf '#!/bin/sh\necho "$@ $TMPDIR $PIP_REQUIRE_VIRTUALENV" >> "`+dir+`/asked"\n' > "$3/bin/python" && chmod +x "$3/bin/python" ;;
esac`)
	if err := (Paths{Data: dir}).Pip(context.Background(), scratch, "download", "it"); err != nil {
		t.Fatal(err)
	}
	asked, err := os.ReadFile(filepath.Join(dir, "asked"))
	if err != nil || string(asked) != "-m pip download it "+scratch+" 0\n" {
		t.Errorf("pip was run with %q (%v)", asked, err)
	}
	// Debian's python3 has neither pip nor venv.
	script(t, filepath.Join(dir, "python3"), "case $2 in pip|venv) echo 'no module' ; exit 1;; esac")
	err = (Paths{Data: dir}).Pip(context.Background(), t.TempDir(), "download", "it")
	if err == nil || !strings.Contains(err.Error(), "apt install python3-pip") || !strings.Contains(err.Error(), "no module") {
		t.Errorf("%v", err)
	}
}

// standInKN stands for the kn command. It predicts well on the Go backend,
// and on XLA what it was built with.
const standInKN = `package main

import ("fmt"; "os"; "strings")

var onXLA string

func main() {
	p := "0.5"
	if strings.HasPrefix(os.Getenv("KN_BACKEND"), "xla") {
		if p = onXLA; p == "" { fmt.Fprintln(os.Stderr, "cannot be opened"); os.Exit(1) }
		fmt.Fprintln(os.Stderr, "a plug-in says something")
	}
	fmt.Printf("{\"predictions\": [{\"token\": \"a\", \"probability\": %s}]}\n", p)
}
`

func TestCheckXLA(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv(xla.EnvVar, "")
	p := Paths{Data: t.TempDir()}
	if f := p.checkXLA(context.Background()); len(f) != 1 || f[0].Fault != nil || f[0].Advice != "" || !strings.Contains(f[0].Found, "go run ./install -xla") {
		t.Errorf("without a plug-in: %+v", f)
	}
	folder, sources := t.TempDir(), t.TempDir()
	t.Setenv(xla.EnvVar, folder)
	p.Root = sources
	file := filepath.Join(folder, xla.FileName(xla.CPU))
	for name, content := range map[string]string{"go.mod": "module example.org/kn\n", "main.go": standInKN} {
		if err := os.WriteFile(filepath.Join(sources, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	plugin := xlatest.Library("GetPjrtApi")
	for _, c := range []struct {
		name          string
		plugin        []byte
		build         string // arguments of go build
		found, advice string
		fault         string
	}{
		{"damaged", plugin[:100], "-tags=xla", "", "", "not a whole plug-in"},
		{"not linked", plugin, "-tags=", "", "built without XLA", ""},
		{"cannot be opened", plugin, "-tags=xla", "", "", "cannot be opened"},
		{"computes nonsense", plugin, "-tags=xla -ldflags=-X=main.onXLA=0.4", "", "", "predicts otherwise"},
		{"good", plugin, "-tags=xla -ldflags=-X=main.onXLA=0.50001", "predicts as on the Go backend", "", ""},
	} {
		if err := os.WriteFile(file, c.plugin, 0o755); err != nil {
			t.Fatal(err)
		}
		build := exec.Command("go", append([]string{"build", "-o", p.Program("kn")}, strings.Fields(c.build)...)...)
		build.Dir = sources
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		findings := p.checkXLA(context.Background())
		if len(findings) != 1 {
			t.Fatalf("%s: %+v", c.name, findings)
		}
		f, fault := findings[0], ""
		if f.Fault != nil {
			fault = f.Fault.Error()
		}
		for _, text := range [][3]string{{"found", f.Found, c.found}, {"advice", f.Advice, c.advice}, {"fault", fault, c.fault}} {
			if !strings.Contains(text[1], text[2]) || text[0] != "found" && (text[1] == "") != (text[2] == "") {
				t.Errorf("%s: %s %q, want %q", c.name, text[0], text[1], text[2])
			}
		}
	}
}
