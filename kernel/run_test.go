package kernel

import (
	"strings"
	"testing"
)

// TestCommandKeepsMessagesApart: what go says of its downloads is no part of
// the path that it was asked for, and stands in an error.
func TestCommandKeepsMessagesApart(t *testing.T) {
	out, err := command(t.Context(), t.TempDir(), nil, "/bin/sh", "-c", "echo 'go: downloading' >&2; echo path")
	if err != nil || out != "path\n" {
		t.Errorf("%q, %v", out, err)
	}
	if _, err := command(t.Context(), t.TempDir(), nil, "/bin/sh", "-c", "echo 'no such module' >&2; exit 1"); err == nil || !strings.Contains(err.Error(), "no such module") {
		t.Errorf("%v", err)
	}
}
