package checkpoint

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

func mustOpen(t testing.TB, dir string) *Folder {
	t.Helper()
	f, err := OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func mustLoad(t testing.TB, dir string) *Checkpoint {
	t.Helper()
	c, err := mustOpen(t, dir).Load(context.Background(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// copyFiles copies files of a folder into a new one.
func copyFiles(t testing.TB, dir string, names ...string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(to, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// TestGoldens loads the reference checkpoints from both kinds of weight files.
func TestGoldens(t *testing.T) {
	for _, name := range []string{"cased", "uncased"} {
		t.Run(name, func(t *testing.T) {
			dir := sharedtest.Path(t, "goldens", name, "model")
			a := mustLoad(t, dir)
			b := mustLoad(t, copyFiles(t, dir, configFile, "vocab.txt", "tokenizer_config.json", torchFile))
			if len(a.Tensors) != len(a.Config.Expected()) || !reflect.DeepEqual(a.Tensors, b.Tensors) {
				t.Error("model.safetensors and pytorch_model.bin give different tensors")
			}
			if a.Digest == b.Digest {
				t.Error("different files have the same digest")
			}
			if !slices.Equal(a.Tokenizer.Tokens(), b.Tokenizer.Tokens()) {
				t.Error("tokenizer.json and vocab.txt give different vocabularies")
			}
		})
	}
}
