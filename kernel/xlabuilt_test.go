//go:build xla

package kernel

import (
	"context"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/xla"
)

// TestXLABuilt builds the programs as the installer does where a plug-in is
// installed, and lets the health check compute with it.
func TestXLABuilt(t *testing.T) {
	p, err := Locate()
	if err != nil {
		t.Fatal(err)
	}
	p.Data = t.TempDir()
	ctx := context.Background()
	if err := p.CheckCompiler(ctx); err != nil {
		t.Fatal(err)
	}
	if err := p.BuildTools(ctx, true); err != nil {
		t.Fatal(err)
	}
	if !xla.LinkedIn(p.Program("kn")) || xla.LinkedIn(p.Program(Name)) {
		t.Error("kn has no XLA, or something else has")
	}
	plugin, err := xla.Find(xla.CPU)
	if err != nil {
		t.Fatal(err)
	}
	if f := p.checkPlugin(ctx, plugin); f.Fault != nil || f.Advice != "" || !strings.Contains(f.Found, "predicts as on the Go backend") {
		t.Errorf("%+v", f)
	}
}
