package kernel

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// ErrNoCompiler says that what needs cgo cannot be built.
var ErrNoCompiler = errors.New("XLA needs a C compiler")

// CheckCompiler tries whether Go can use a C compiler. Its error matches
// [ErrNoCompiler] and names what to install.
func (p Paths) CheckCompiler(ctx context.Context) error {
	if os.Getenv("CGO_ENABLED") == "0" {
		return fmt.Errorf("%w, and CGO_ENABLED=0 forbids it: unset CGO_ENABLED", ErrNoCompiler)
	}
	out, err := command(ctx, p.Root, os.Environ(), p.Go, "env", "CC", "CGO_ENABLED")
	if err != nil {
		return err
	}
	lines := strings.Split(out, "\n")
	compiler := strings.Fields(lines[0])
	if len(compiler) == 0 {
		compiler = []string{"gcc"}
	}
	if _, err := exec.LookPath(compiler[0]); err != nil {
		return fmt.Errorf("%w, and there is no %s on the PATH: %s", ErrNoCompiler, compiler[0], compilerPackages)
	}
	if strings.TrimSpace(lines[1]) == "0" {
		return fmt.Errorf("%w, and Go's settings forbid it: go env -w CGO_ENABLED=1", ErrNoCompiler)
	}
	// A compiler without the C library's headers is not enough.
	cmd := exec.CommandContext(ctx, compiler[0], append(compiler[1:], "-x", "c", "-fsyntax-only", "-")...)
	cmd.Stdin = strings.NewReader("#include <stdlib.h>\n#include <dlfcn.h>\n")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w that works, %s does not (%w): %s\n%s", ErrNoCompiler, compiler[0], err, compilerPackages, lastLines(string(out), 5))
	}
	return nil
}

const compilerPackages = "install one (Debian and Ubuntu: apt install gcc libc6-dev; Fedora: dnf install gcc glibc-devel; macOS: xcode-select --install)"
