package plots_test

import (
	"os/exec"
	"strings"
	"testing"
)

// TestACellLinksOnlyWhatItDraws: a cell that draws kn's own results is built
// without what trains, pre-trains and measures.
func TestACellLinksOnlyWhatItDraws(t *testing.T) {
	list, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	const module = "github.com/knowledge-neurons/gonb-kn/"
	packages := strings.Fields(string(list))
	for _, p := range packages {
		switch strings.TrimPrefix(p, module) {
		case "kn/dynamics", "kn/electra", "kn/experiments", "kn/finetune", "kn/internal/train", "kn/landscape", "kn/pretrain", "kn/sweep":
			t.Errorf("package plots links %s", p)
		}
	}
	if packages[len(packages)-1] != module+"plots" {
		t.Errorf("listed %d packages, the last %s", len(packages), packages[len(packages)-1])
	}
}
