package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

const tiny = "testdata/tiny"

// tokenizerFiles and the configuration are what every folder needs.
var smallFiles = []string{configFile, "vocab.txt", "tokenizer_config.json"}

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

func read(t testing.TB, elem ...string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(elem...))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func write(t testing.TB, data []byte, elem ...string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(elem...), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// copyFiles copies files of a folder into a new one.
func copyFiles(t testing.TB, dir string, names ...string) string {
	t.Helper()
	to := t.TempDir()
	for _, name := range names {
		write(t, read(t, dir, name), to, name)
	}
	return to
}

// TestGoldens loads the reference checkpoints, from both kinds of weight files
// where both are there.
func TestGoldens(t *testing.T) {
	for _, golden := range sharedtest.Goldens(t) {
		dir := filepath.Join(golden, "model")
		a := mustLoad(t, dir)
		if err := a.check(); err != nil {
			t.Errorf("%s: %v", dir, err)
		}
		if !mustOpen(t, dir).has(torchFile) {
			continue
		}
		b := mustLoad(t, copyFiles(t, dir, append(smallFiles, torchFile)...))
		if !reflect.DeepEqual(a.Tensors, b.Tensors) {
			t.Errorf("%s: model.safetensors and pytorch_model.bin give different tensors", dir)
		}
		if a.Digest == b.Digest {
			t.Errorf("%s: different files have the same digest", dir)
		}
		if !slices.Equal(a.Tokenizer.Tokens(), b.Tokenizer.Tokens()) {
			t.Errorf("%s: tokenizer.json and vocab.txt give different vocabularies", dir)
		}
	}
}

// TestTorchFiles reads the same model from every kind of file that torch.save
// writes.
func TestTorchFiles(t *testing.T) {
	want := mustLoad(t, tiny)
	for _, name := range []string{"zip.bin", "legacy.bin", "views.bin", "f64.bin"} {
		dir := copyFiles(t, tiny, smallFiles...)
		write(t, read(t, "testdata", "torch", name), dir, torchFile)
		if got := mustLoad(t, dir); !reflect.DeepEqual(got.Tensors, want.Tensors) {
			t.Errorf("%s gives other tensors", name)
		}
	}
}

// TestShards splits a model over two files.
func TestShards(t *testing.T) {
	want := mustLoad(t, tiny)
	dir := copyFiles(t, tiny, smallFiles...)
	parts := [2]map[string]Tensor{{}, {}}
	index := map[string]string{}
	names := slices.Sorted(maps.Keys(want.Tensors))
	for i, name := range names {
		parts[i%2][name] = want.Tensors[name]
		index[name] = []string{"model-1.safetensors", "model-2.safetensors"}[i%2]
	}
	for i, part := range parts {
		if err := WriteTensors(filepath.Join(dir, []string{"model-1.safetensors", "model-2.safetensors"}[i]), part, SaveOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	load := func(index map[string]string) (*Checkpoint, error) {
		data, err := json.Marshal(map[string]any{"weight_map": index})
		if err != nil {
			t.Fatal(err)
		}
		write(t, data, dir, safetensorsIndex)
		return mustOpen(t, dir).Load(context.Background(), nil)
	}
	if got, err := load(index); err != nil || !reflect.DeepEqual(got.Tensors, want.Tensors) {
		t.Errorf("the shards give other tensors: %v", err)
	}
	for wants, change := range map[string]func(map[string]string){
		"places it in":                   func(m map[string]string) { m[names[0]] = "model-2.safetensors" },
		"that its shards do not hold":    func(m map[string]string) { m["more"] = "model-1.safetensors" },
		"shard model-3.safetensors":      func(m map[string]string) { m[names[0]] = "model-3.safetensors" },
		"is not the name of a file":      func(m map[string]string) { m[names[0]] = "../model-1.safetensors" },
		"index.json: no weight_map; get": func(m map[string]string) { clear(m) },
	} {
		changed := maps.Clone(index)
		change(changed)
		if _, err := load(changed); err == nil || !strings.Contains(err.Error(), wants) {
			t.Errorf("got %v, want %q", err, wants)
		}
	}
}

// TestConfig checks defaults and that JSON keeps every field.
func TestConfig(t *testing.T) {
	var c Config
	if err := json.Unmarshal([]byte(`{"model_type": "bert"}`), &c); err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.Architectures = nil
	if !reflect.DeepEqual(c, want) || c.Validate() != nil {
		t.Errorf("got %+v", c)
	}
	c = mustOpen(t, tiny).Config()
	data, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	var again Config
	if err := json.Unmarshal(data, &again); err != nil || !reflect.DeepEqual(c, again) {
		t.Errorf("%+v became %+v: %v", c, again, err)
	}
	if c.HiddenAct != "relu" || c.Layers != 2 || c.IntermediateSize != 12 || c.LayerNormEps != 1e-12 || !c.TieWordEmbeddings {
		t.Errorf("read %+v", c)
	}
	if err := json.Unmarshal([]byte(`{"architectures": ["BertForMaskedLM"]}`), &c); err != nil || c.ModelType != "bert" {
		t.Error("a configuration of 2019 is not a BERT's")
	}
}

// TestHalf checks the conversion of every half against its definition.
func TestHalf(t *testing.T) {
	for h := range 1 << 16 {
		f := fromHalf(uint16(h))
		exp, frac, sign := h>>10&31, float64(h&1023), 1.0
		if h>>15 == 1 {
			sign = -1
		}
		want := sign * math.Ldexp(1+frac/1024, exp-15)
		switch {
		case exp == 0:
			want = sign * math.Ldexp(frac, -24)
		case exp == 31 && frac == 0:
			want = math.Inf(int(sign))
		case exp == 31:
			if !math.IsNaN(float64(f)) {
				t.Fatalf("%#x is %v, not NaN", h, f)
			}
			continue
		}
		if float64(f) != want || math.Signbit(float64(f)) != (sign < 0) {
			t.Fatalf("%#x is %v, not %v", h, f, want)
		}
		if got := toHalf(f); got != uint16(h) {
			t.Fatalf("%v became %#x, not %#x", f, got, h)
		}
	}
	for f, want := range map[float32]uint16{65519: 0x7bff, 65520: 0x7c00, 1 + 1.0/2048: 0x3c00, 1 + 3.0/2048: 0x3c02, 1.0 / (1 << 25): 0, 3.0 / (1 << 25): 2} {
		if got := toHalf(f); got != want {
			t.Errorf("%v became %#x, not %#x", f, got, want)
		}
	}
}

// TestTypes reads the same numbers as F16, BF16 and F64.
func TestTypes(t *testing.T) {
	for d, raw := range map[dtype]string{
		bf16: "\x80\x3f\x00\xc0", f16: "\x00\x3c\x00\xc0", f32: "\x00\x00\x80\x3f\x00\x00\x00\xc0",
		f64: "\x00\x00\x00\x00\x00\x00\xf0\x3f\x00\x00\x00\x00\x00\x00\x00\xc0",
	} {
		var got [2]float32
		if err := decode(got[:], []byte(raw), d); err != nil || got != [2]float32{1, -2} {
			t.Errorf("%s: got %v, %v", d, got, err)
		}
	}
}

func TestProgressAndCancel(t *testing.T) {
	var last, total int64
	_, err := mustOpen(t, tiny).Load(context.Background(), func(_ string, done, all int64) { last, total = max(last, done), all })
	if err != nil || last != total || total == 0 {
		t.Errorf("progress ended at %d of %d: %v", last, total, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := mustOpen(t, tiny).Load(ctx, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
