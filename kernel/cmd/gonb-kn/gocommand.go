package main

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/knowledge-neurons/gonb-kn/kernel"
)

// goCommand runs the real go with args, except for the "go get" that GoNB
// runs for every cell: that gets only what the workspace does not provide.
func goCommand(args []string) error {
	real := os.Getenv(kernel.GoVariable)
	if real == "" {
		return fmt.Errorf("%s is not set: this go works inside the kernel only", kernel.GoVariable)
	}
	if isGet(args) {
		missing, err := missingPackages(real, slices.Contains(args, "-t"))
		if err == nil && len(missing) == 0 {
			return nil
		}
		if err == nil {
			args = append(slices.Clone(args), missing...)
		}
	}
	err := syscall.Exec(real, append([]string{"go"}, args...), os.Environ())
	return fmt.Errorf("%s cannot be started: %w", real, err)
}

// isGet recognizes GoNB's "go get" and "go get -t".
func isGet(args []string) bool {
	return slices.Equal(args, []string{"get"}) || slices.Equal(args, []string{"get", "-t"})
}

// resolved is the file in the cell's folder that remembers the imports last
// found complete, so that most cells need not ask again.
const resolved = ".gonb-kn-resolved"

// missingPackages lists the packages that the cell in the current folder
// imports, directly or not, and the workspace does not provide.
func missingPackages(real string, tests bool) ([]string, error) {
	digest, err := imports()
	if err != nil {
		return nil, err
	}
	if known, err := os.ReadFile(resolved); err == nil && bytes.Equal(known, digest) {
		return nil, nil
	}
	args := []string{"list", "-e", "-deps", "-f", "{{if .Error}}{{.ImportPath}}{{end}}"}
	if tests {
		args = append(args, "-test")
	}
	out, err := exec.Command(real, append(args, ".")...).Output()
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, path := range strings.Fields(string(out)) {
		// Errors of other kinds are the compiler's to report.
		if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
			missing = append(missing, path)
		}
	}
	if len(missing) == 0 {
		err = os.WriteFile(resolved, digest, 0o600)
	}
	return missing, err
}

// imports digests the import paths of the Go files and the module files in
// the current folder.
func imports() ([]byte, error) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		return nil, errors.New("no Go files")
	}
	var paths []string
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return nil, err
		}
		for _, spec := range f.Imports {
			paths = append(paths, spec.Path.Value)
		}
	}
	slices.Sort(paths)
	hash := sha256.New()
	fmt.Fprintln(hash, slices.Compact(paths))
	for _, name := range []string{"go.mod", "go.work"} {
		data, _ := os.ReadFile(name)
		fmt.Fprintln(hash, len(data), string(data))
	}
	return fmt.Appendf(nil, "%x\n", hash.Sum(nil)), nil
}
