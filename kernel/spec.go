package kernel

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"

	"github.com/google/renameio/v2"
)

// Spec is a kernelspec: what Jupyter reads to start a kernel. See
// https://jupyter-client.readthedocs.io/en/stable/kernels.html.
type Spec struct {
	Argv          []string       `json:"argv"`
	DisplayName   string         `json:"display_name"`
	Language      string         `json:"language"`
	InterruptMode string         `json:"interrupt_mode"`
	Metadata      map[string]any `json:"metadata"`
}

//go:embed logo-svg.svg
var logo []byte

// KernelSpec returns the kernelspec of an installation. It names absolute paths
// only, so that it works for a Jupyter that was started from anywhere, with
// any PATH.
func (p Paths) KernelSpec() Spec {
	return Spec{
		Argv:          []string{p.Program(Name), "launch", "-root", p.Root, "-go", p.Go, "{connection_file}"},
		DisplayName:   DisplayName,
		Language:      "go",
		InterruptMode: "message",
		Metadata:      map[string]any{"debugger": false},
	}
}

// WriteSpec writes the kernelspec where Jupyter looks for it.
func (p Paths) WriteSpec() error {
	if err := os.MkdirAll(p.Spec(), 0o755); err != nil {
		return fmt.Errorf("kernel: %w; set JUPYTER_DATA_DIR to a folder that can be written", err)
	}
	data, err := json.MarshalIndent(p.KernelSpec(), "", "  ")
	if err != nil {
		return err
	}
	if err := renameio.WriteFile(filepath.Join(p.Spec(), "logo-svg.svg"), logo, 0o644); err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(p.Spec(), "kernel.json"), append(data, '\n'), 0o644); err != nil {
		return fmt.Errorf("kernel: %w", err)
	}
	return nil
}

// CheckSpec says what is wrong with the kernelspec, if anything.
func (p Paths) CheckSpec() error {
	path := filepath.Join(p.Spec(), "kernel.json")
	data, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("there is no kernelspec in %s: run \"go run ./install\"", p.Spec())
	}
	if err != nil {
		return err
	}
	var spec Spec
	if err := json.Unmarshal(data, &spec); err != nil {
		return fmt.Errorf("%s is damaged (%v): run \"go run ./install\"", path, err)
	}
	if !reflect.DeepEqual(spec.Argv, p.KernelSpec().Argv) {
		return fmt.Errorf("%s starts %q, which is another installation: run \"go run ./install\" here to use this one", path, spec.Argv)
	}
	return nil
}
