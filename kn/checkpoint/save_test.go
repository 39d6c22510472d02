package checkpoint

import (
	"bytes"
	"context"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/adrg/xdg"
)

// TestSave writes a model and reads it again, tied and untied.
func TestSave(t *testing.T) {
	c := mustLoad(t, tiny)
	dir := filepath.Join(t.TempDir(), "a", "model")
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	again := mustLoad(t, dir)
	if !reflect.DeepEqual(again.Tensors, c.Tensors) || !reflect.DeepEqual(again.Config, c.Config) || !reflect.DeepEqual(again.Tokenizer, c.Tokenizer) {
		t.Error("another model was read than was saved")
	}
	other := t.TempDir()
	if err := again.Save(other); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) != 6 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	for _, f := range files {
		if !bytes.Equal(read(t, dir, f.Name()), read(t, other, f.Name())) {
			t.Errorf("%s is not the same when saved again", f.Name())
		}
	}

	c.Config.TieWordEmbeddings = false
	if err := c.Save(dir); err == nil || !strings.Contains(err.Error(), "missing (1): cls.predictions.decoder.weight [16 8]") {
		t.Errorf("got %v", err)
	}
	decoder := Tensor{[]int{16, 8}, make([]float32, 128)}
	c.Tensors[decoderWeight] = decoder
	if err := c.Save(dir); err != nil {
		t.Fatal(err)
	}
	if again := mustLoad(t, dir); !reflect.DeepEqual(again.Tensors[decoderWeight], decoder) {
		t.Error("the untied decoder was lost")
	}
	// transformers 5 looks for the bias under the decoder's name.
	found, closeAll, err := mustOpen(t, dir).openWeights()
	defer closeAll()
	if err != nil || !slices.ContainsFunc(found, func(s stored) bool { return s.name == decoderBias }) {
		t.Errorf("the untied decoder's bias is not stored under its name: %v", err)
	}
}

// TestSaveF16 halves the file; nothing is off by more than half a unit in the
// eleventh binary digit.
func TestSaveF16(t *testing.T) {
	c := mustLoad(t, tiny)
	dir := t.TempDir()
	if err := c.SaveWith(dir, SaveOptions{F16: true}); err != nil {
		t.Fatal(err)
	}
	again := mustLoad(t, dir)
	for name, want := range c.Tensors {
		for i, w := range want.Data {
			if math.Abs(float64(again.Tensors[name].Data[i]-w)) > math.Abs(float64(w))/2048+1e-7 {
				t.Fatalf("%s: %v became %v", name, w, again.Tensors[name].Data[i])
			}
		}
	}
	if len(read(t, dir, safetensorsFile)) > len(read(t, tiny, safetensorsFile))*3/4 {
		t.Error("the file is not smaller")
	}
	c.Tensors[headBias].Data[3] = 70000
	if err := c.SaveWith(dir, SaveOptions{F16: true}); err == nil || !strings.Contains(err.Error(), "F16") {
		t.Errorf("70000 was stored as F16: %v", err)
	}
}

// TestWriteTensors stores any tensors and refuses what could not be read.
func TestWriteTensors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "step.safetensors")
	want := map[string]Tensor{"step": {[]int{}, []float32{7}}, "none": {[]int{0, 3}, []float32{}}, "b": {[]int{2, 1}, []float32{1, -2}}}
	if err := WriteTensors(path, want, SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	if got, err := ReadTensors(context.Background(), path, nil); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, %v", got, err)
	}
	for wants, bad := range map[string]Tensor{
		"element 1 is NaN":            {[]int{2}, []float32{0, float32(math.NaN())}},
		"asks for 3":                  {[]int{3}, []float32{0, 1}},
		"has 1 numbers; its shape [-": {[]int{-1}, []float32{0}},
	} {
		err := WriteTensors(path, map[string]Tensor{"x": bad}, SaveOptions{})
		if err == nil || !strings.Contains(err.Error(), wants) {
			t.Errorf("got %v, want %q", err, wants)
		}
	}
	if got, err := ReadTensors(context.Background(), path, nil); err != nil || !reflect.DeepEqual(got, want) {
		t.Error("a failed write destroyed the file")
	}
	if err := WriteTensors(filepath.Join(path, "x"), want, SaveOptions{}); err == nil {
		t.Error("wrote into a file as if it were a folder")
	}
}

// TestDigest checks what the digest depends on, and that a large file's hash
// is remembered until the file changes.
func TestDigest(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	xdg.Reload()
	digest := func(f *Folder) string {
		d, err := f.Digest()
		if err != nil || len(d) != 64 {
			t.Fatalf("%q: %v", d, err)
		}
		return d
	}
	dir := copyFiles(t, tiny, append(slices.Clone(smallFiles), safetensorsFile)...)
	first := digest(mustOpen(t, dir))
	if c := mustLoad(t, dir); c.Digest != first {
		t.Error("Load gives another digest")
	}
	embedded, err := OpenFS(os.DirFS(dir), "embedded")
	if err != nil || digest(embedded) != first {
		t.Errorf("a file system gives another digest: %v", err)
	}
	write(t, append(read(t, dir, configFile), '\n'), dir, configFile)
	if digest(mustOpen(t, dir)) == first {
		t.Error("the digest does not depend on the configuration")
	}

	large := filepath.Join(dir, safetensorsFile)
	content := make([]byte, 2<<20)
	change := func(at int, mtime time.Time) string {
		content[at]++
		write(t, content, large)
		if err := os.Chtimes(large, mtime, mtime); err != nil {
			t.Fatal(err)
		}
		return digest(mustOpen(t, dir))
	}
	old := time.Now().Add(-time.Hour)
	a := change(0, old)
	if b := change(1, old); b != a {
		t.Error("the hash was not remembered")
	}
	if b := change(2, old.Add(time.Nanosecond)); b == a {
		t.Error("a changed file keeps its hash")
	}
	recent := change(3, time.Now())
	if change(4, time.Now()) == recent {
		t.Error("the hash of a file that is being written was remembered")
	}
	memo, err := filepath.Glob(filepath.Join(xdg.CacheHome, "gonb-kn", "digests", "*.json"))
	if err != nil || len(memo) != 1 {
		t.Fatalf("%v: %v", memo, err)
	}
	write(t, []byte("{"), memo[0])
	if b := change(5, old); b == a {
		t.Error("a damaged memory was believed")
	}
}

// TestOpenFS reads from a file system that is not on disk.
func TestOpenFS(t *testing.T) {
	fsys := fstest.MapFS{}
	for _, name := range append(slices.Clone(smallFiles), safetensorsFile) {
		fsys[name] = &fstest.MapFile{Data: read(t, tiny, name)}
	}
	f, err := OpenFS(fsys, "memory")
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Load(context.Background(), nil)
	if err != nil || !reflect.DeepEqual(c.Tensors, mustLoad(t, tiny).Tensors) || c.Source != "memory" {
		t.Errorf("%v", err)
	}
}
