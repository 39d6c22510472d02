package main

import (
	"cmp"
	"context"
	_ "embed"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// peersProgram runs the published tools; see the words at its beginning.
//
//go:embed peers.py
var peersProgram []byte

// peerPackages are what the published tools are measured as.
var peerPackages = []string{"torch==2.8.0", "transformers<5", "knowledge-neurons==0.0.2", "numpy"}

// torchCPU is where PyTorch publishes its builds without CUDA. PyPI's for
// Linux on amd64 bring 3 GB of CUDA along.
const torchCPU = "https://download.pytorch.org/whl/cpu"

// peersPython returns the Python of the private environment below dir, which
// is made if need be. Without install it only looks: "" is none.
func peersPython(ctx context.Context, dir string, install bool, log io.Writer, say func(string, ...any)) (string, error) {
	environment := filepath.Join(dir, "peers")
	python := filepath.Join(environment, "bin", "python")
	if runtime.GOOS == "windows" {
		python = filepath.Join(environment, "Scripts", "python.exe")
	}
	done := filepath.Join(environment, "installed") // made last
	if _, err := os.Stat(done); err == nil {
		return python, nil
	}
	if !install {
		return "", nil
	}
	base, err := pythonForPeers(ctx)
	if err != nil {
		return "", err
	}
	say("installing %v into %s", peerPackages, environment)
	pip := func(args ...string) []string {
		return append([]string{python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"}, args...)
	}
	if err := visibly(ctx, log, base, "-m", "venv", "--clear", environment); err != nil {
		return "", fmt.Errorf("no environment for the peers: %w; on Debian and Ubuntu it needs apt install python3-venv", err)
	}
	if runtime.GOOS == "linux" && runtime.GOARCH == "amd64" {
		err := visibly(ctx, log, pip("--timeout", "10", "--retries", "0", "--index-url", torchCPU, peerPackages[0])...)
		if err != nil && ctx.Err() == nil {
			say("%s cannot be used (%v); taking PyPI's build, which is larger", torchCPU, err)
		}
	}
	if err := visibly(ctx, log, pip(peerPackages...)...); err != nil {
		return "", fmt.Errorf("the peers cannot be installed: %w; install %v into a Python of your own and name it with --python", err, peerPackages)
	}
	return python, os.WriteFile(done, nil, 0o644)
}

// pythonForPeers finds a Python for which PyTorch 2.8.0 exists.
func pythonForPeers(ctx context.Context) (string, error) {
	const ask = "import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))"
	for _, name := range []string{"python3", "python3.13", "python3.12", "python3.11", "python3.10", "python"} {
		path, err := exec.LookPath(name)
		if err == nil && exec.CommandContext(ctx, path, "-c", ask).Run() == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("no Python from 3.10 to 3.13 on the PATH, which the peers need; install one, or name one with --python")
}

// visibly runs a command whose words go to log.
func visibly(ctx context.Context, log io.Writer, command ...string) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return fmt.Errorf("%s: %w", filepath.Base(command[0]), err)
	}
	return nil
}

// checkPeers says whether a Python has what peers.py imports.
func checkPeers(ctx context.Context, python string) error {
	const ask = "import importlib.util as u, sys; sys.exit(' '.join(m for m in ('torch', 'transformers', 'knowledge_neurons', 'numpy') if u.find_spec(m) is None) or 0)"
	out, err := exec.CommandContext(ctx, python, "-c", ask).CombinedOutput()
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%s cannot run the published tools: %w; without %s; it needs %v, or let --peers install them",
			python, err, cmp.Or(strings.TrimSpace(string(out)), "an answer"), peerPackages)
	}
	return ctx.Err()
}
