package train

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestState: a state is read back by the training that it is of, and for
// others an error says why not.
func TestState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "training.state")
	mine := Header{Format: 1, Digest: "mine", Backend: "go"}
	var got []float32
	if ok, err := ReadState(path, mine, &got); ok || err != nil {
		t.Errorf("no file: %v, %v", ok, err)
	}
	if err := WriteState(path, mine, []float32{1, 2}); err != nil {
		t.Fatal(err)
	}
	if ok, err := ReadState(path, mine, &got); !ok || err != nil || len(got) != 2 || got[1] != 2 {
		t.Errorf("%v, %v, %v", ok, err, got)
	}
	for want, header := range map[string]Header{
		"on the backend go, and this is xla:cpu: set KN_BACKEND=go": {Format: 1, Digest: "mine", Backend: "xla:cpu"},
		"another configuration": {Format: 1, Digest: "other", Backend: "xla:cpu"},
		"another version":       {Format: 2, Digest: "mine", Backend: "go"},
	} {
		if ok, err := ReadState(path, header, &got); ok || err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%+v: %v, %v", header, ok, err)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)-3], 0o644); err != nil {
		t.Fatal(err)
	}
	if ok, err := ReadState(path, mine, &got); ok || err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("cut short: %v, %v", ok, err)
	}
}
