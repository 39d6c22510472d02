package checkpoint

import (
	"context"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestWrappers: what wraps a model when it is saved puts its name in front of
// all tensors' names, and changes nothing else.
func TestWrappers(t *testing.T) {
	plain := mustLoad(t, tiny)
	for _, prefix := range []string{"module.", "_orig_mod.", "module._orig_mod.", "model.", "bert_for_masked_lm."} {
		wrapped := map[string]Tensor{}
		for name, tensor := range plain.Tensors {
			wrapped[prefix+name] = tensor
		}
		dir := copyFiles(t, tiny, smallFiles...)
		if err := WriteTensors(filepath.Join(dir, safetensorsFile), wrapped, SaveOptions{}); err != nil {
			t.Fatal(err)
		}
		if c := mustLoad(t, dir); !reflect.DeepEqual(c.Tensors, plain.Tensors) {
			t.Errorf("%q in front changes the tensors", prefix)
		}
	}
	// In front of some names only it is no wrapper's.
	some := map[string]Tensor{}
	for name, tensor := range plain.Tensors {
		if strings.HasPrefix(name, "bert.embeddings.") {
			name = "module." + name
		}
		some[name] = tensor
	}
	dir := copyFiles(t, tiny, smallFiles...)
	if err := WriteTensors(filepath.Join(dir, safetensorsFile), some, SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	expectLoadError(t, dir, "missing (5): bert.embeddings.", "unexpected (5): module.bert.embeddings.", "...")
}

// TestPointers: a clone without Git LFS has texts in the place of large files.
func TestPointers(t *testing.T) {
	pointer := []byte("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 435778770\n")
	for _, file := range []string{safetensorsFile, torchFile, configFile} {
		dir := copyFiles(t, tiny, smallFiles...)
		write(t, pointer, dir, file)
		expectLoadError(t, dir, file, "Git LFS pointer", "git lfs pull")
	}
}

// TestActivationNames: transformers has several names for some functions.
func TestActivationNames(t *testing.T) {
	config, err := os.ReadFile(filepath.Join(tiny, configFile))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"gelu_python": "gelu", "gelu_fast": "gelu_new", "gelu_accurate": "gelu_new", "gelu_python_tanh": "gelu_new",
		"gelu_pytorch_tanh": "gelu_new", "swish": "silu", "silu": "silu", "quick_gelu": "quick_gelu",
	} {
		c, err := parseConfig([]byte(strings.Replace(string(config), `"relu"`, `"`+name+`"`, 1)))
		if err != nil || c.HiddenAct != want {
			t.Errorf("%s is read as %q, %v", name, c.HiddenAct, err)
		}
	}
}

// TestDecoderBias: the bias that is added is the decoder's. Untied models of
// transformers 5 store another one beside it, which nothing reads.
func TestDecoderBias(t *testing.T) {
	tied := mustLoad(t, tiny)
	config, err := os.ReadFile(filepath.Join(tiny, configFile))
	if err != nil {
		t.Fatal(err)
	}
	other := tied.Tensors[headBias]
	own := Tensor{other.Shape, make([]float32, len(other.Data))}
	for i := range own.Data {
		own.Data[i] = float32(i) + 0.5
	}
	tensors := map[string]Tensor{decoderBias: own, decoderWeight: tied.Tensors[WordEmbeddings]}
	for name, tensor := range tied.Tensors {
		tensors[name] = tensor
	}
	dir := copyFiles(t, tiny, smallFiles...)
	if err := WriteTensors(filepath.Join(dir, safetensorsFile), tensors, SaveOptions{}); err != nil {
		t.Fatal(err)
	}
	expectLoadError(t, dir, decoderBias, "differs from "+headBias, "ties the decoder")
	untied := strings.Replace(string(config), "{", `{"tie_word_embeddings": false,`, 1)
	untied = strings.Replace(untied, `"tie_word_embeddings": true`, `"unused": true`, 1)
	write(t, []byte(untied), dir, configFile)
	c, err := mustOpen(t, dir).Load(context.Background(), nil)
	if err != nil || !reflect.DeepEqual(c.Tensors[headBias], own) {
		t.Errorf("the bias of the untied model is %v, %v", c, err)
	}
}

// TestMarkedConfig: a byte order mark is no part of a configuration, and other
// encodings are refused by name.
func TestMarkedConfig(t *testing.T) {
	config, err := os.ReadFile(filepath.Join(tiny, configFile))
	if err != nil {
		t.Fatal(err)
	}
	dir := copyFiles(t, tiny, append(smallFiles, safetensorsFile)...)
	write(t, append([]byte("\ufeff"), config...), dir, configFile)
	if got := mustOpen(t, dir).Config(); !reflect.DeepEqual(got, mustOpen(t, tiny).Config()) {
		t.Errorf("read %+v", got)
	}
	write(t, append([]byte("\xff\xfe"), config...), dir, configFile)
	expectLoadError(t, dir, "config.json:1: UTF-16 text; save the file as UTF-8")
}
