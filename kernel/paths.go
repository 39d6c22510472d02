package kernel

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// Module is the path of this module.
const Module = "github.com/knowledge-neurons/gonb-kn"

// Name is the kernel's name for Jupyter, and that of our data folder.
const Name = "gonb-kn"

// Version is kn.Version. The kernel's programs run for each cell, and must not
// take long to start, as they would with all that kn imports.
const Version = "0.2.0"

// DisplayName is what Jupyter's menus show.
const DisplayName = "Go (knowledge neurons)"

// Paths says where everything of an installation is.
type Paths struct {
	Root    string // the module's folder, whose go.mod pins the versions
	Data    string // our folder among the user's data
	Cache   string // our folder in the user's cache
	Jupyter string // Jupyter's data folder
	Go      string // the real go command
}

// Locate finds the paths for this user: XDG_DATA_HOME, XDG_CACHE_HOME and
// JUPYTER_DATA_DIR are respected. It fails outside the module.
func Locate() (Paths, error) {
	home, homeErr := os.UserHomeDir()
	below := func(variable string, elem ...string) (string, error) {
		if dir := os.Getenv(variable); filepath.IsAbs(dir) {
			return dir, nil
		}
		return filepath.Join(append([]string{home}, elem...)...), homeErr
	}
	var p Paths
	data, err := below("XDG_DATA_HOME", dataFolder()...)
	if err != nil {
		return p, fmt.Errorf("kernel: no home folder: %w; set HOME", err)
	}
	cache, err := below("XDG_CACHE_HOME", cacheFolder()...)
	if err != nil {
		return p, fmt.Errorf("kernel: no home folder: %w; set HOME", err)
	}
	p.Data, p.Cache = filepath.Join(data, Name), filepath.Join(cache, Name)
	switch dir := os.Getenv("JUPYTER_DATA_DIR"); {
	case dir != "":
		p.Jupyter = dir
	case runtime.GOOS == "darwin":
		p.Jupyter = filepath.Join(home, "Library", "Jupyter")
	default:
		p.Jupyter = filepath.Join(data, "jupyter")
	}
	if p.Root, err = findModule(); err != nil {
		return p, err
	}
	p.Go, err = findGo(p.Shim())
	return p, err
}

func dataFolder() []string {
	if runtime.GOOS == "darwin" {
		return []string{"Library", "Application Support"}
	}
	return []string{".local", "share"}
}

func cacheFolder() []string {
	if runtime.GOOS == "darwin" {
		return []string{"Library", "Caches"}
	}
	return []string{".cache"}
}

// Bin holds the programs that the installer builds.
func (p Paths) Bin() string { return filepath.Join(p.Data, "bin") }

// Shim holds the go that stands before the real one, and nothing else.
func (p Paths) Shim() string { return filepath.Join(p.Data, "shim") }

// Venv is the private Python environment with JupyterLab, if there is one.
func (p Paths) Venv() string { return filepath.Join(p.Data, "jupyter-venv") }

// Page is the quickstart notebook's result.
func (p Paths) Page() string { return filepath.Join(p.Data, "quickstart.html") }

// Spec is the kernelspec's folder.
func (p Paths) Spec() string { return filepath.Join(p.Jupyter, "kernels", Name) }

// Program is the path of one of our programs.
func (p Paths) Program(name string) string { return filepath.Join(p.Bin(), name) }

// findModule looks for our go.mod in the current folder and above it.
func findModule() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		name, err := moduleName(filepath.Join(dir, "go.mod"))
		if err == nil && name == Module {
			return dir, nil
		}
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return "", err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("kernel: not inside a clone of %s: change into its folder", Module)
		}
		dir = parent
	}
}

// moduleName reads the first line of a go.mod that names a module.
func moduleName(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if name, ok := strings.CutPrefix(lines.Text(), "module "); ok {
			return strings.TrimSpace(name), nil
		}
	}
	return "", nil
}

// findGo finds the real go: the first on the PATH that is not in our shim folder.
func findGo(shim string) (string, error) {
	if path := os.Getenv(GoVariable); path != "" {
		return path, nil
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if filepath.Clean(dir) == shim {
			continue
		}
		if path, err := exec.LookPath(filepath.Join(dir, "go")); err == nil {
			return filepath.Abs(path)
		}
	}
	return "", fmt.Errorf("kernel: there is no go on the PATH: install Go from https://go.dev/dl")
}
