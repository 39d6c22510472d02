package kernel

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// Pip runs pip with arguments, the way that the user's pip is set up: index,
// proxy and certificates. It is the pip of our own environment, or else of a
// Python on the PATH, or else of an environment made for this in the folder
// scratch, which also takes pip's temporary files.
func (p Paths) Pip(ctx context.Context, scratch string, args ...string) error {
	python, err := p.findPip(ctx, scratch)
	if err != nil {
		return err
	}
	env := append(os.Environ(), "TMPDIR="+scratch, "PIP_DISABLE_PIP_VERSION_CHECK=1", "PIP_NO_INPUT=1",
		"PIP_REQUIRE_VIRTUALENV=0", "PIP_USER=0") // a user's settings for installing do not matter here
	if _, err := command(ctx, "", env, python, append([]string{"-m", "pip"}, args...)...); err != nil {
		return fmt.Errorf("kernel: %w\nis PyPI reachable? pip's settings and PIP_* variables are respected", err)
	}
	return nil
}

// findPip finds a Python that has pip.
func (p Paths) findPip(ctx context.Context, scratch string) (string, error) {
	has := func(python string) bool {
		_, err := command(ctx, "", nil, python, "-m", "pip", "--version")
		return err == nil
	}
	if own := filepath.Join(p.Venv(), "bin", "python"); has(own) {
		return own, nil
	}
	python, err := findPython(ctx)
	if err != nil {
		return "", err
	}
	if has(python) {
		return python, nil
	}
	if err := ctx.Err(); err != nil {
		return "", err
	}
	venv := filepath.Join(scratch, "venv")
	if _, err := command(ctx, "", nil, python, "-m", "venv", venv); err != nil {
		return "", fmt.Errorf("kernel: %w\n%s has no pip and cannot make an environment that has: install one (on Debian and Ubuntu: apt install python3-pip)", err, python)
	}
	return filepath.Join(venv, "bin", "python"), nil
}
