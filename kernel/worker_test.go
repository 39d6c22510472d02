//go:build linux

package kernel_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kernel/kerneltest"
)

// TestCellsShareAWorker: two cells that compute with one model find one worker
// process, and it goes with the kernel.
func TestCellsShareAWorker(t *testing.T) {
	in := kerneltest.Shared(t)
	model := filepath.Join(t.TempDir(), "model") // a path that no other worker has
	if err := os.CopyFS(model, os.DirFS(filepath.Join(in.Root, "kn", "internal", "sharedtest", "testdata", "golden", "model"))); err != nil {
		t.Fatal(err)
	}
	t.Run("session", func(t *testing.T) {
		s := in.Start(t)
		cell := `import "github.com/knowledge-neurons/gonb-kn/kn"
%%%%
m := kn.MustLoad(%q, kn.WithWorker(os.Getenv("KN_WORKER")), kn.WithCache("off"))
fmt.Println(m.MustPredict("Paris is in [MASK] .").Predictions[%d].Token != "")`
		var first []string
		for k := range 2 {
			if a := s.Run(fmt.Sprintf(cell, model, k)); a.Status != "ok" || !strings.HasSuffix(a.Printed("stdout"), "true\n") || a.Printed("stderr") != "" {
				t.Fatalf("%+v", a)
			}
			now := workersOf(model)
			if len(now) != 1 || k > 0 && now[0] != first[0] {
				t.Errorf("after cell %d there are the workers %v, before %v", k, now, first)
			}
			first = now
		}
	})
	for deadline := time.Now().Add(20 * time.Second); len(workersOf(model)) > 0; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the workers %v live on after the kernel", workersOf(model))
		}
	}
}

// workersOf lists the processes that are workers for a model.
func workersOf(model string) (pids []string) {
	commands, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, path := range commands {
		args, _ := os.ReadFile(path) // it may be gone
		if strings.Contains(string(args), "\x00worker\x00--model\x00"+model+"\x00") {
			pids = append(pids, filepath.Base(filepath.Dir(path)))
		}
	}
	return pids
}
