package relay

import (
	"os"
	"strings"
	"testing"
)

func TestLanguageIsThatOfGoMod(t *testing.T) {
	mod, err := os.ReadFile("../../go.mod")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(mod), "\ngo "+language+".") {
		t.Errorf("the kernel names Go %s, go.mod another", language)
	}
}
