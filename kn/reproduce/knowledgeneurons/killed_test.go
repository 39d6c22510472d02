package knowledgeneurons_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce/knowledgeneurons"
)

// What a child process is told: the folder, the facts, the stage in whose
// middle it waits to be killed, and the file that it makes when it does.
const childDir, childFacts, childStage, childMark = "KN_TEST_DIR", "KN_TEST_FACTS", "KN_TEST_STAGE", "KN_TEST_MARK"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fmt.Fprintln(os.Stderr, child(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// child reproduces until the stage has done a first step, and then stands still.
func child(dir string) error {
	m, err := kn.Load(mini.Name, kn.WithCache("off"))
	if err != nil {
		return err
	}
	stage := ""
	watch := reproduce.Watch{
		Stage: func(_, _ int, what string, _ bool) { stage = what },
		Step: func(done, _ int, _ string) {
			if done > 0 && stage == os.Getenv(childStage) {
				if err := os.WriteFile(os.Getenv(childMark), nil, 0o600); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				time.Sleep(time.Hour)
			}
		},
	}
	_, err = knowledgeneurons.Reproduce(context.Background(), m, dir, quick(os.Getenv(childFacts)), watch)
	return fmt.Errorf("the reproduction ended before it was killed: %w", err)
}

// killIn reproduces in a process of its own and kills it (SIGKILL) in the middle
// of a stage.
func killIn(t *testing.T, dir, facts, stage string) {
	t.Helper()
	mark := filepath.Join(t.TempDir(), "mark")
	command := exec.Command(os.Args[0])
	command.Env = append(os.Environ(), childDir+"="+dir, childFacts+"="+facts, childStage+"="+stage, childMark+"="+mark)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = command.Wait() // it is killed
		close(ended)
	}()
	for {
		if _, err := os.Stat(mark); err == nil {
			break
		}
		select {
		case <-ended:
			t.Fatalf("in stage %q: %s", stage, &stderr)
		case <-time.After(5 * time.Millisecond):
		}
	}
	if err := command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
}
