package main

import (
	"bytes"
	"errors"
	"io"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/creack/pty"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

// onTerminal runs a command on a terminal of 80 columns and returns what it shows.
func onTerminal(t *testing.T, cmd *exec.Cmd) string {
	t.Helper()
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 80})
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	var shown bytes.Buffer
	// Linux reports the end of a terminal's program as an input error.
	if _, err := io.Copy(&shown, terminal); err != nil && !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %v: %s", cmd, err, &shown)
	}
	return strings.ReplaceAll(shown.String(), "\r\n", "\n")
}

const plainPrediction = `The capital of france is [MASK] .
  token    id  rank  probability
  lucy    228     1        0.080
  Norway  177     2        0.041
  Paris   143   176      0.00065
`

// TestColours: on a terminal only, and not against the user's wish.
func TestColours(t *testing.T) {
	args := []string{"predict", "--model", small(t), "--prompt", prompt, "--answer", "Paris", "--top", "2"}
	if got := succeeds(t, args...); got != plainPrediction {
		t.Errorf("into a file:\n%s, want\n%s", got, plainPrediction)
	}
	for env, coloured := range map[string]bool{"NO_COLOR=": true, "NO_COLOR=1": false, "TERM=dumb": false} {
		cmd := command(t, args...)
		cmd.Env = append(cmd.Env, "TERM=xterm", env)
		shown := onTerminal(t, cmd)
		if got := strings.Contains(shown, "\x1b[32m  Paris"); got != coloured {
			t.Errorf("%s: %q", env, shown)
		}
		if !coloured && shown != plainPrediction {
			t.Errorf("%s: %q, want %q", env, shown, plainPrediction)
		}
	}
}

// TestProgressBar: while it takes long, on a terminal only, and not in the result.
func TestProgressBar(t *testing.T) {
	var prompts strings.Builder
	for n := range 16 {
		prompts.WriteString("[MASK]" + strings.Repeat(" a", n) + "\n")
	}
	args := []string{"neurons", "--model", small(t), "--prompts", written(t, prompts.String()), "--answer", "Paris", "--rule", "left_riemann", "--nodes", "1200"}
	want := succeeds(t, args...)
	shown := onTerminal(t, command(t, args...))
	if !strings.Contains(shown, "layers of 16 prompts attributed") || !strings.Contains(shown, "/32") {
		t.Errorf("no bar in %q", shown)
	}
	last := shown[strings.LastIndex(shown, "\r")+1:]
	if got := stripColours(last); got != want {
		t.Errorf("after the bar there is\n%s, want\n%s", got, want)
	}
}

func stripColours(s string) string {
	return strings.NewReplacer("\x1b[1m", "", "\x1b[22m", "", "\x1b[2m", "", "\x1b[32m", "", "\x1b[0m", "", "\x1b[0;22m", "").Replace(s)
}

// TestTableAligns: by width on a terminal, not by bytes or characters.
func TestTableAligns(t *testing.T) {
	table := newTable("word", ">number")
	table.add(nil, "Zürich", 1)
	table.add(nil, "東京", 0.25)
	table.add(nil, "e\u0301", -1.5)
	var out bytes.Buffer
	table.write(&out, cli.NewStyle(&out))
	want := "  word    number\n  Zürich       1\n  東京    0.2500\n  e\u0301       -1.500\n"
	if out.String() != want {
		t.Errorf("got\n%s, want\n%s", &out, want)
	}
}
