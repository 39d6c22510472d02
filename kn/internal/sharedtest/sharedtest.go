// Package sharedtest finds the reference data that lie beside the project,
// in ../shared seen from the module's root.
package sharedtest

import (
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// Path returns the path of a file or folder below the shared folder. The
// test fails, rather than being skipped, when it is not there and CI=true.
// Elsewhere a newcomer has only the project: Available tells.
func Path(t testing.TB, elem ...string) string {
	t.Helper()
	path := filepath.Join(append([]string{root(), "..", "shared"}, elem...)...)
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("reference data are missing: %v", err)
	}
	return path
}

// Available says whether the shared folder is there. With CI=true it always
// says yes, so that Path then fails if it is not.
func Available() bool {
	if os.Getenv("CI") == "true" {
		return true
	}
	_, err := os.Stat(filepath.Join(root(), "..", "shared", "goldens"))
	return err == nil
}

// root is the module's root: three folders above this file.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..")
}

// Goldens returns the folders of reference checkpoints with what PyTorch
// computes from them in float64: a small one that is part of the project,
// and the larger ones of the shared folder where that is available.
func Goldens(t testing.TB) []string {
	t.Helper()
	folders := []string{filepath.Join(root(), "kn", "internal", "sharedtest", "testdata", "golden")}
	if Available() {
		folders = append(folders, Path(t, "goldens", "cased"), Path(t, "goldens", "uncased"))
	}
	return folders
}

// ReadJSON reads a golden's file into v.
func ReadJSON(t testing.TB, v any, elem ...string) {
	t.Helper()
	path := filepath.Join(elem...)
	data, err := os.ReadFile(path)
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}
