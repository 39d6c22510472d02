package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/clitest"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// program is the built bench, and knProgram the kn command that it measures.
var program, knProgram string

func TestMain(m *testing.M) {
	os.Exit(clitest.Main(m, func(paths []string) { program, knProgram = paths[0], paths[1] }, ".", knPackage))
}

// bench is the program, which measures the kn that was built.
func bench(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return clitest.Command(t, program, append([]string{"--kn", knProgram}, args...)...)
}

// small is the model that the project carries for its tests.
func small(t *testing.T) string { return filepath.Join(sharedtest.Goldens(t)[0], "model") }
