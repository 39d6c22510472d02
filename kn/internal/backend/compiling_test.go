package backend

import (
	"context"
	"testing"
	"time"
)

// TestCompiling: calls side by side count once, and only those of the context.
func TestCompiling(t *testing.T) {
	ctx, c := CountCompiling(t.Context())
	child, cancel := context.WithCancel(ctx)
	defer cancel()
	begun := time.Now().Add(-time.Minute)
	Compiled(child, begun)
	Compiled(ctx, begun.Add(10*time.Second))
	Compiled(t.Context(), begun.Add(-time.Hour))
	if took := c.Took(); took < time.Minute || took > 61*time.Second {
		t.Errorf("counted %v, want a minute", took)
	}
}
