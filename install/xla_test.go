package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kernel"
	"github.com/knowledge-neurons/gonb-kn/kn/xla"
	"github.com/knowledge-neurons/gonb-kn/kn/xla/xlatest"
)

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		o    options
		want bool
	}{
		{options{}, true},
		{options{xla: true}, true},
		{options{xla: true, cuda: true}, true},
		{options{cuda: true, pluginOnly: true}, true},
		{options{check: true}, true},
		{options{uninstall: true}, true},
		{options{pluginOnly: true}, false},
		{options{check: true, uninstall: true}, false},
		{options{check: true, xla: true}, false},
		{options{uninstall: true, pluginOnly: true}, false},
	} {
		if got := c.o.valid(); got != c.want {
			t.Errorf("%+v: %v", c.o, got)
		}
	}
}

// withGo makes a setup whose go says that a compiler is there or is not.
func withGo(t *testing.T, compiler string, o options) *setup {
	t.Helper()
	goes := filepath.Join(t.TempDir(), "go")
	if err := os.WriteFile(goes, []byte("#!/bin/sh\necho "+compiler+"\necho 1\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return &setup{Paths: kernel.Paths{Go: goes}, options: o, out: new(bytes.Buffer)}
}

// installed puts something that passes for a plug-in into our folder.
func installed(t *testing.T, plugin []byte) (data, path string) {
	t.Helper()
	data = t.TempDir()
	t.Setenv("XDG_DATA_HOME", data)
	t.Setenv(xla.EnvVar, "")
	dir, err := xla.Dir()
	if err == nil {
		err = os.MkdirAll(dir, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, xla.FileName(xla.CPU))
	if plugin != nil {
		if err := os.WriteFile(path, plugin, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return data, path
}

func TestDecideXLA(t *testing.T) {
	t.Setenv("CGO_ENABLED", "")
	for _, c := range []struct {
		name          string
		o             options
		there, cc     bool
		want, noticed bool
		fault         bool
	}{
		{"nothing asked, nothing there", options{}, false, false, false, false, false},
		{"plug-in there", options{}, true, true, true, false, false},
		{"plug-in there, no compiler", options{}, true, false, false, true, false},
		{"asked for", options{xla: true}, false, true, true, false, false},
		{"asked for, no compiler", options{cuda: true}, false, false, true, false, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var plugin []byte
			if c.there {
				plugin = xlatest.Library("GetPjrtApi")
			}
			installed(t, plugin)
			compiler := "true" // takes any arguments
			if !c.cc {
				compiler = "/there/is/no/cc"
			}
			s := withGo(t, compiler, c.o)
			err := s.decideXLA(context.Background())
			if (err != nil) != c.fault || err == nil && (s.withXLA != c.want || len(s.notes) > 0 != c.noticed) {
				t.Errorf("withXLA %v, notes %q, %v", s.withXLA, s.notes, err)
			}
			if err != nil && !strings.Contains(err.Error(), "apt install gcc") {
				t.Errorf("the error does not say what to install: %v", err)
			}
		})
	}
}

// TestPluginStep: what is sound is left alone, wherever it is; what is
// damaged or missing is installed.
func TestPluginStep(t *testing.T) {
	sound := xlatest.Library("GetPjrtApi")
	for name, there := range map[string][]byte{"sound": sound, "damaged": sound[:100], "missing": nil} {
		_, path := installed(t, there)
		s := withGo(t, "true", options{xla: true})
		calls := 0
		result, err := s.plugin(context.Background(), xla.CPU, func(_ context.Context, _ kernel.Paths, dir string, progress func(string)) error {
			calls++
			progress("from somewhere")
			return os.WriteFile(filepath.Join(dir, xla.FileName(xla.CPU)), sound, 0o755)
		})
		if err != nil || !strings.Contains(result, path) || (calls == 0) != (name == "sound") {
			t.Errorf("%s: %d calls, %q, %v", name, calls, result, err)
		}
	}
	// A damaged one in a folder of the user's would still be used.
	_, _ = installed(t, nil)
	theirs := t.TempDir()
	t.Setenv(xla.EnvVar, theirs)
	hiding := filepath.Join(theirs, xla.FileName(xla.CPU))
	if err := os.WriteFile(hiding, sound[:100], 0o755); err != nil {
		t.Fatal(err)
	}
	s := withGo(t, "true", options{xla: true})
	_, err := s.plugin(context.Background(), xla.CPU, func(_ context.Context, _ kernel.Paths, dir string, _ func(string)) error {
		return os.WriteFile(filepath.Join(dir, xla.FileName(xla.CPU)), sound, 0o755)
	})
	if err == nil || !strings.Contains(err.Error(), hiding) {
		t.Errorf("%v", err)
	}
}

// TestStepsWithXLA: a plug-in's step comes before the programs are built, and
// having XLA means building them anew.
func TestStepsWithXLA(t *testing.T) {
	stamp := func(s *setup) (names, tools string) {
		for _, step := range s.steps() {
			names += step.name + "; "
			if step.name == "kernel and tools" {
				tools = step.stamp
			}
		}
		return names, tools
	}
	names, without := stamp(&setup{module: "m"})
	if strings.Contains(names, "XLA") {
		t.Errorf("steps: %s", names)
	}
	names, with := stamp(&setup{module: "m", withXLA: true, options: options{xla: true, cuda: true}})
	if !strings.HasPrefix(names, "Go; XLA plug-in (CPU); XLA plug-in (CUDA); kernel and tools; ") || with == without {
		t.Errorf("steps: %s", names)
	}
}

// TestUninstallTakesPlugins: ours go, the user's stay and are named.
func TestUninstallTakesPlugins(t *testing.T) {
	sound := xlatest.Library("GetPjrtApi")
	data, ours := installed(t, sound)
	theirs := filepath.Join(t.TempDir(), xla.FileName(xla.CPU))
	if err := os.WriteFile(theirs, sound, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv(xla.EnvVar, filepath.Dir(theirs))
	var out bytes.Buffer
	p := kernel.Paths{Data: filepath.Join(data, kernel.Name), Cache: filepath.Join(t.TempDir(), "none"), Jupyter: t.TempDir()}
	if err := remove(&out, p); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(ours); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is still there (%v)", ours, err)
	}
	if _, err := os.Stat(theirs); err != nil || !strings.Contains(out.String(), theirs) {
		t.Errorf("%v\n%s", err, out.String())
	}
}
