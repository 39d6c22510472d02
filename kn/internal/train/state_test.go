package train

import (
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// TestState: a state is read back by the training that it is of, and for
// others an error says why not.
func TestState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "training.state")
	mine := Header{Format: 1, Digest: "mine", Backend: "go"}
	var got []float32
	if variables, err := ReadState(path, mine, &got); variables != nil || err != nil {
		t.Errorf("no file: %v, %v", variables, err)
	}
	want := map[string]Variable{"/w": {Dims: []int{2, 1}, Floats: []float32{0, -3}}, "/steps": {Ints: []int64{7}}, "/zero": {Floats: []float32{0}}}
	if err := WriteState(path, mine, []float32{1, 2}, want); err != nil {
		t.Fatal(err)
	}
	if variables, err := ReadState(path, mine, &got); err != nil || !reflect.DeepEqual(variables, want) || !slices.Equal(got, []float32{1, 2}) {
		t.Errorf("%v, %v, %v", variables, err, got)
	}
	for want, header := range map[string]Header{
		"on the backend go, and this is xla:cpu: set KN_BACKEND=go": {Format: 1, Digest: "mine", Backend: "xla:cpu"},
		"another configuration": {Format: 1, Digest: "other", Backend: "xla:cpu"},
		"another version":       {Format: 2, Digest: "mine", Backend: "go"},
	} {
		if variables, err := ReadState(path, header, &got); variables != nil || err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%+v: %v, %v", header, variables, err)
		}
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, whole[:len(whole)-3], 0o644); err != nil {
		t.Fatal(err)
	}
	if variables, err := ReadState(path, mine, &got); variables != nil || err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("cut short: %v, %v", variables, err)
	}
}
