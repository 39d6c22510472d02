package cli

import (
	"strings"
	"testing"
	"time"
)

// TestProgressWithoutATerminal: a line once a minute of what takes long, with
// the time left, and nothing of what is quick.
func TestProgressWithoutATerminal(t *testing.T) {
	var log strings.Builder
	b := NewBar(&log, Style{})
	now := time.Unix(0, 0)
	b.clock = func() time.Time { return now }
	for done := range 11 {
		b.Step(done, 10, "quick steps")
		now = now.Add(time.Second)
	}
	if log.Len() > 0 {
		t.Errorf("of ten seconds it says %q", log.String())
	}
	for done := 0; done <= 300; done += 10 { // 10 a second and a half
		b.Step(done, 300, "prompts, attributing")
		now = now.Add(15 * time.Second)
	}
	want := []string{"20 of 300 prompts, attributing, about 7m0s left", "60 of 300 prompts, attributing, about 6m0s left"}
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 7 || lines[0] != want[0] || lines[1] != want[1] {
		t.Errorf("%d lines:\n%s", len(lines), log.String())
	}
	b.Finish()
}
