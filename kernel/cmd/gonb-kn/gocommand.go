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
	"regexp"
	"slices"
	"strings"
	"syscall"

	"github.com/knowledge-neurons/gonb-kn/kernel"
)

// goCommand runs the real go with args, except for two commands that GoNB
// runs for every cell: "go get" gets only what the workspace does not provide,
// and "go build" links without debug information, and without the dot imports
// that the cell does not use.
func goCommand(args []string) error {
	real := os.Getenv(kernel.GoVariable)
	if real == "" {
		return fmt.Errorf("%s is not set: this go works inside the kernel only", kernel.GoVariable)
	}
	switch {
	case isGet(args):
		missing, err := missingPackages(real, slices.Contains(args, "-t"))
		if err == nil && len(missing) == 0 {
			return nil
		}
		if err == nil {
			args = append(slices.Clone(args), missing...)
		}
	case isBuild(args):
		// Linking is most of what a cell's start costs, and DWARF a third of
		// that. Panics name their lines without it; whoever wants a debugger
		// says "%goflags -ldflags=", which this leaves alone.
		args = append(slices.Clone(args), "-ldflags=-w")
		if err := dropUnusedDots(real, args); err != nil {
			return err
		}
	}
	err := syscall.Exec(real, append([]string{"go"}, args...), os.Environ())
	return fmt.Errorf("%s cannot be started: %w", real, err)
}

// isGet recognizes GoNB's "go get" and "go get -t".
func isGet(args []string) bool {
	return slices.Equal(args, []string{"get"}) || slices.Equal(args, []string{"get", "-t"})
}

// isBuild recognizes GoNB's "go build -o PROGRAM" without flags of the user's.
func isBuild(args []string) bool {
	return len(args) == 3 && args[0] == "build" && args[1] == "-o" && !strings.Contains(os.Getenv("GOFLAGS"), "-ldflags")
}

// dotImport is a line of the imports that GoNB writes.
var dotImport = regexp.MustCompile(`(?m)^\t\. "([^"\n]+)"$`)

// dropUnusedDots takes dot imports that are not used out of main.go. GoNB
// keeps the imports of earlier cells, and goimports drops the others that a
// cell does not use; what a dot import brings only the compiler knows, so the
// cell is built once to hear what it says.
func dropUnusedDots(real string, build []string) error {
	const name = "main.go"
	code, err := os.ReadFile(name)
	if err != nil || !dotImport.Match(code) {
		return nil
	}
	// A failure is what is looked for; others come again in the real build.
	said, _ := exec.Command(real, append(slices.Clone(build), "-gcflags=-e")...).CombinedOutput()
	kept := dotImport.ReplaceAllFunc(code, func(line []byte) []byte {
		path := dotImport.FindSubmatch(line)[1]
		if bytes.Contains(said, fmt.Appendf(nil, "%q imported and not used", path)) {
			return nil // the line stays, empty: later ones keep their numbers
		}
		return line
	})
	if bytes.Equal(kept, code) {
		return nil
	}
	return os.WriteFile(name, kept, 0o600)
}

// resolved is the file in the cell's folder that remembers the imports last
// found complete, so that most cells need not ask again.
const resolved = ".gonb-kn-resolved"

// suggestion finds, in what go says about an import, the go get that it
// suggests. It names the version that our go.mod decides on, where it does.
var suggestion = regexp.MustCompile(`(?m)^\s*go get (\S+)$`)

// missingPackages lists what to get for the cell in the current folder: what
// it imports, directly or not, and the workspace does not provide.
func missingPackages(real string, tests bool) ([]string, error) {
	digest, err := imports()
	if err != nil {
		return nil, err
	}
	if known, err := os.ReadFile(resolved); err == nil && bytes.Equal(known, digest) {
		return nil, nil
	}
	args := []string{"list", "-e", "-deps", "-f", "{{with .Error}}{{.Err}}{{end}}"}
	if tests {
		args = append(args, "-test")
	}
	out, err := exec.Command(real, append(args, ".")...).Output()
	if err != nil {
		return nil, err
	}
	var missing []string
	for _, match := range suggestion.FindAllStringSubmatch(string(out), -1) {
		// A package that this module lacks is the compiler's to report: no
		// network has it.
		if path := match[1]; !strings.HasPrefix(path, kernel.Module+"/") && !slices.Contains(missing, path) {
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
