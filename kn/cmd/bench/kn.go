package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
)

// knPackage is the kn command, whose whole processes are measured.
const knPackage = "github.com/knowledge-neurons/gonb-kn/kn/cmd/kn"

// findKn is the program that --kn names, or "".
func findKn(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	found, err := exec.LookPath(path)
	if err != nil {
		return "", fmt.Errorf("there is no program kn to measure: %w; give its path with --kn, or leave that out to have it built", err)
	}
	return filepath.Abs(found)
}

// buildKn builds the kn command into a folder as this program was built, with
// XLA and SIMD or without.
func buildKn(ctx context.Context, folder string, log io.Writer, say func(string, ...any)) (string, error) {
	say("building the kn command")
	path := filepath.Join(folder, "kn")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	command, environment := []string{"go", "build", "-o", path}, os.Environ()
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "-tags":
				command = append(command, "-tags="+s.Value)
			case slices.Contains([]string{"GOEXPERIMENT", "CGO_ENABLED"}, s.Key):
				environment = append(environment, s.Key+"="+s.Value)
			}
		}
	}
	cmd := exec.CommandContext(ctx, command[0], append(command[1:], knPackage)...)
	cmd.Env, cmd.Stdout, cmd.Stderr = environment, log, log
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("the kn command cannot be built: %w; start this program in the module's folder, or name a kn with --kn", err)
	}
	return path, nil
}
