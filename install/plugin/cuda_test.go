package plugin

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kernel"
	"github.com/knowledge-neurons/gonb-kn/kn/xla"
)

// pipWith stands for pip: it puts a plug-in where the real one has it.
func pipWith(content []byte, err error, calls *int) func(context.Context, string, string) error {
	return func(_ context.Context, _, target string) error {
		*calls++
		file := filepath.Join(target, cudaFile)
		return errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, content, 0o755), err)
	}
}

func TestInstallCUDA(t *testing.T) {
	data := t.TempDir()
	t.Setenv("XDG_DATA_HOME", data)
	t.Setenv(xla.EnvVar, "")
	dir, err := xla.Dir()
	if err != nil {
		t.Fatal(err)
	}
	calls := 0
	run := func(content []byte, err error) error {
		return installCUDA(context.Background(), dir, func(string) {}, pipWith(content, err, &calls))
	}
	if err := run(sound, errors.New("no space left")); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Errorf("%v", err)
	}
	if err := run(sound[:90], nil); err == nil || !strings.Contains(err.Error(), "not a whole plug-in") {
		t.Errorf("%v", err)
	}
	if left := visible(t, dir); len(left) != 0 {
		t.Errorf("failures left %v", left)
	}
	if err := run(sound, nil); err != nil {
		t.Fatal(err)
	}
	// The file is found where its libraries are, not where the link is.
	found, err := xla.Find(xla.CUDA)
	if err != nil || !strings.HasSuffix(found.Path, cudaFile) || found.Check() != nil {
		t.Errorf("found %v: %v", found, err)
	}
	before := calls
	if err := run(sound, nil); err != nil || calls != before {
		t.Errorf("the second run did something (%v)", err)
	}
	// What was damaged later is made anew.
	if err := os.WriteFile(found.Path, sound[:90], 0o755); err != nil {
		t.Fatal(err)
	}
	if err := run(sound, nil); err != nil || found.Check() != nil || len(visible(t, dir)) != 2 {
		t.Errorf("%v, %v", err, visible(t, dir))
	}
}

func TestInstallCUDAInterrupted(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(context.Background())
	calls := 0
	pip := pipWith(sound, nil, &calls)
	err := installCUDA(ctx, dir, func(string) {}, func(ctx context.Context, scratch, target string) error {
		cancel()
		return pip(ctx, scratch, target)
	})
	if !errors.Is(err, context.Canceled) || len(visible(t, dir)) != 0 {
		t.Errorf("%v, left %v", err, visible(t, dir))
	}
}

// TestCUDARequirements: pip is asked for all packages, each bounded, into one
// folder.
func TestCUDARequirements(t *testing.T) {
	script := `#!/bin/sh
if [ "$3" = install ]; then
	echo "$@" > "$STAND_IN/asked"
	for a; do case "$a" in --target=*) target="${a#--target=}";; esac; done
	mkdir -p "$target/jax_plugins/xla_cuda13" && cp "$STAND_IN/plugin" "$target/` + cudaFile + `"
fi
`
	stand, dir := standInPython(t, script), t.TempDir()
	if err := os.WriteFile(filepath.Join(stand, "plugin"), sound, 0o755); err != nil {
		t.Fatal(err)
	}
	err := installCUDA(context.Background(), dir, func(string) {}, func(ctx context.Context, scratch, target string) error {
		return pipCUDA(ctx, kernel.Paths{Data: stand}, scratch, target)
	})
	if err != nil {
		t.Fatal(err)
	}
	asked, err := os.ReadFile(filepath.Join(stand, "asked"))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range cudaRequirements {
		if !strings.Contains(string(asked), r) || !strings.Contains(r, "==") && !strings.Contains(r, ",<") {
			t.Errorf("%q was not asked for, or has no upper bound", r)
		}
	}
	if !strings.Contains(cpuWheel.requirement, "=="+cudaVersion) {
		t.Error("the two plug-ins are of different versions of XLA")
	}
}
