//go:build !xla

package backend

import (
	"strings"
	"testing"
)

// TestXLANotLinked: the error says how to get a program that has it.
func TestXLANotLinked(t *testing.T) {
	if Linked() {
		t.Error("linked without the tag")
	}
	for _, config := range []string{"xla", "xla:cpu", "stablehlo:cuda"} {
		_, err := Open(config)
		if err == nil {
			t.Fatalf("%s opened", config)
		}
		for _, want := range []string{config, "not linked", "go run ./install -xla", "-tags xla"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %q is missing in %v", config, want, err)
			}
		}
	}
}
