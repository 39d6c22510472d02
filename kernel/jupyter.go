package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// requirements is what the private environment holds.
const requirements = "jupyterlab==4.6.6\nnbconvert==7.17.2\n"

// Jupyter is a Jupyter that can open and run notebooks.
type Jupyter struct {
	Command string // the jupyter program
	Version string // of JupyterLab
	Private bool   // our own environment
}

// FindJupyter finds the private Jupyter, or else one on the PATH that has
// JupyterLab and nbconvert. It returns an error that matches
// [ErrNoJupyter] when there is neither.
func (p Paths) FindJupyter(ctx context.Context) (Jupyter, error) {
	private := filepath.Join(p.Venv(), "bin", "jupyter")
	marker, err := os.ReadFile(p.requirementsFile())
	if err == nil && string(marker) == requirements {
		if version, err := command(ctx, "", nil, filepath.Join(p.Venv(), "bin", "python"), "-c", askVersion); err == nil {
			return Jupyter{Command: private, Version: strings.TrimSpace(version), Private: true}, nil
		}
	}
	path, err := exec.LookPath("jupyter")
	if err != nil {
		return Jupyter{}, ErrNoJupyter
	}
	j, err := probe(ctx, path)
	if err != nil {
		return Jupyter{}, fmt.Errorf("%w: %s lacks JupyterLab or nbconvert", ErrNoJupyter, path)
	}
	return j, nil
}

// ErrNoJupyter says that there is no Jupyter to be used.
var ErrNoJupyter = errors.New("there is no Jupyter with JupyterLab and nbconvert")

// askVersion asks our own environment's Python, which takes a tenth of the
// time that Jupyter's programs need to say the same.
const askVersion = "from importlib.metadata import version; version('nbconvert'); print(version('jupyterlab'))"

// probe asks a jupyter for its versions.
func probe(ctx context.Context, path string) (Jupyter, error) {
	if _, err := command(ctx, "", nil, path, "nbconvert", "--version"); err != nil {
		return Jupyter{}, err
	}
	version, err := exec.CommandContext(ctx, path, "lab", "--version").Output()
	return Jupyter{Command: path, Version: strings.TrimSpace(string(version))}, err
}

func (p Paths) requirementsFile() string { return filepath.Join(p.Venv(), "requirements.txt") }

// InstallJupyter makes a private Python environment with JupyterLab from
// PyPI, respecting the user's pip settings. One that an interruption left
// unfinished is made anew.
func (p Paths) InstallJupyter(ctx context.Context) error {
	python, err := findPython(ctx)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(p.Venv()); err != nil {
		return err
	}
	if _, err := command(ctx, "", nil, python, "-m", "venv", p.Venv()); err != nil {
		return fmt.Errorf("kernel: %w\n%s cannot make a virtual environment: install its venv module (on Debian and Ubuntu: apt install python3-venv)", err, python)
	}
	pip := filepath.Join(p.Venv(), "bin", "pip")
	args := append([]string{"install", "--quiet", "--disable-pip-version-check"}, strings.Fields(requirements)...)
	env := append(os.Environ(), "PIP_USER=0") // a user's "user = true" does not work in a virtual environment
	if _, err := command(ctx, "", env, pip, args...); err != nil {
		return fmt.Errorf("kernel: installing JupyterLab from PyPI: %w\nis PyPI reachable? pip's settings and PIP_* variables are respected", err)
	}
	// Written last: it says that the environment is complete.
	return renameio.WriteFile(p.requirementsFile(), []byte(requirements), 0o644)
}
