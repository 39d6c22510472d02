package checkpoint

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// storedTensors are those of all safetensors files of a folder.
func storedTensors(t *testing.T, dir string) map[string]Tensor {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.safetensors"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", dir, err)
	}
	all := map[string]Tensor{}
	for _, file := range files {
		tensors, err := ReadTensors(t.Context(), file, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, tensor := range tensors {
			all[name] = tensor
		}
	}
	return all
}

// TestCausalSaved: a causal model is saved as transformers saved it, GPT-2 with
// its matrices transposed and three in one, and read again as the same.
func TestCausalSaved(t *testing.T) {
	for name, f := range families {
		if f.decoder == nil {
			continue
		}
		c := mustLoad(t, familyModel(name))
		dir := t.TempDir()
		if err := c.Save(dir); err != nil {
			t.Fatal(err)
		}
		if got, want := storedTensors(t, dir), storedTensors(t, familyModel(name)); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: other tensors were saved than transformers saved", name)
		}
		again := mustLoad(t, dir)
		if !reflect.DeepEqual(again.Tensors, c.Tensors) || !reflect.DeepEqual(again.Config, c.Config) || !reflect.DeepEqual(again.Tokenizer, c.Tokenizer) {
			t.Errorf("%s: another model was read than was saved", name)
		}
		for _, field := range []string{`"architectures"`, `"bos_token_id"`, `"eos_token_id"`} {
			if had := string(read(t, familyModel(name), configFile)); strings.Contains(had, field) && !strings.Contains(string(read(t, dir, configFile)), field) {
				t.Errorf("%s: %s was lost", name, field)
			}
		}
	}
}

// TestGPT2Layout: what is stored as one, the columns of queries, keys and values
// side by side, is taken apart.
func TestGPT2Layout(t *testing.T) {
	c := mustLoad(t, familyModel("gpt2"))
	stored := storedTensors(t, familyModel("gpt2"))
	const h = 24
	fused, bias := stored["transformer.h.1.attn.c_attn.weight"], stored["transformer.h.1.attn.c_attn.bias"]
	for part, name := range []string{"q_proj", "k_proj", "v_proj"} {
		w, b := c.Tensors["model.layers.1.self_attn."+name+".weight"], c.Tensors["model.layers.1.self_attn."+name+".bias"]
		for o := range h {
			if b.Data[o] != bias.Data[part*h+o] {
				t.Fatalf("%s: bias %d is %v", name, o, b.Data[o])
			}
			for i := range h {
				if w.Data[o*h+i] != fused.Data[i*3*h+part*h+o] {
					t.Fatalf("%s: weight %d, %d is %v", name, o, i, w.Data[o*h+i])
				}
			}
		}
	}
	up, want := c.Tensors["model.layers.2.mlp.up_proj.weight"], stored["transformer.h.2.mlp.c_fc.weight"]
	if !slices.Equal(up.Shape, []int{4 * h, h}) || up.Data[7*h+5] != want.Data[5*4*h+7] {
		t.Errorf("the feed-forward layer is %v", up.Shape)
	}
}

// TestTransposed: a matrix that is stored by columns is read right whatever its
// type, its size and its place.
func TestTransposed(t *testing.T) {
	for _, size := range [][2]int{{1, 1}, {3, 17}, {40, 5}, {1200, 1000}} {
		rows, columns := size[0], size[1]
		data := make([]float32, rows*columns)
		for i := range data {
			data[i] = float32(i % 1021)
		}
		dir := t.TempDir()
		file := filepath.Join(dir, safetensorsFile)
		for _, opts := range []SaveOptions{{}, {F16: true}} {
			if err := WriteTensors(file, map[string]Tensor{"a": {[]int{3}, []float32{1, 2, 3}}, "x": {[]int{columns, rows}, data}}, opts); err != nil {
				t.Fatal(err)
			}
			r, err := os.Open(file)
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			info, err := r.Stat()
			if err != nil {
				t.Fatal(err)
			}
			tensors, err := readSafetensors(r, info.Size(), safetensorsFile)
			if err != nil {
				t.Fatal(err)
			}
			x := slot{name: "x", shape: []int{columns, rows}, transposed: true, of: 1}.in(tensors[1], Expected{"y", []int{rows, columns}})
			var last int64
			got, err := readAll(t.Context(), []stored{x}, nil, "", func(_ string, done, total int64) {
				if last = done; total != int64(len(data))*sizes[x.dtype] {
					t.Errorf("%d of %d bytes are read", done, total)
				}
			})
			if err != nil || last != int64(len(data))*sizes[x.dtype] {
				t.Fatalf("%d bytes were read: %v", last, err)
			}
			for i, v := range got[0].Data {
				if v != data[i%columns*rows+i/columns] {
					t.Fatalf("%v: number %d is %v", size, i, v)
				}
			}
		}
	}
}

// TestLoadCausalInto: the parts of a fused tensor are read straight to where
// they are wanted, and a number that is none is named.
func TestLoadCausalInto(t *testing.T) {
	c := mustLoad(t, familyModel("gpt2"))
	places := map[string][]float32{}
	place := func(name string, shape []int) ([]float32, error) {
		places[name] = make([]float32, elements(shape))
		return places[name], nil
	}
	if _, err := mustOpen(t, familyModel("gpt2")).LoadInto(context.Background(), place, nil); err != nil {
		t.Fatal(err)
	}
	for _, e := range c.Config.Expected() {
		if !slices.Equal(places[e.Name], c.Tensors[e.Name].Data) {
			t.Errorf("%s is not where it was wanted", e.Name)
		}
	}
	c.Tensors["model.layers.0.self_attn.k_proj.weight"].Data[30] = float32(math.NaN())
	dir := t.TempDir()
	if err := c.Save(dir); err == nil || !strings.Contains(err.Error(), "transformer.h.0.attn.c_attn.weight") {
		t.Errorf("saved a number that is none: %v", err)
	}
}

// TestCausalExtras: masks and frequencies that old versions stored are passed
// over, whatever their types.
func TestCausalExtras(t *testing.T) {
	for family, extras := range map[string][]string{
		"gpt2":  {"transformer.h.0.attn.bias", "transformer.h.2.attn.masked_bias"},
		"llama": {"model.rotary_emb.inv_freq", "model.layers.1.self_attn.rotary_emb.inv_freq"},
	} {
		stored := storedTensors(t, familyModel(family))
		for i, name := range extras {
			stored[name] = Tensor{[]int{1, 1, i}, make([]float32, i)}
		}
		dir := copyAll(t, familyModel(family))
		if err := WriteTensors(filepath.Join(dir, safetensorsFile), stored, SaveOptions{}); err != nil {
			t.Fatal(err)
		}
		if c := mustLoad(t, dir); !reflect.DeepEqual(c.Tensors, mustLoad(t, familyModel(family)).Tensors) {
			t.Errorf("%s: extras change the model", family)
		}
		stored["transformer.h.0.attn.other_bias"] = Tensor{[]int{1}, []float32{1}}
		if err := WriteTensors(filepath.Join(dir, safetensorsFile), stored, SaveOptions{}); err != nil {
			t.Fatal(err)
		}
		expectLoadError(t, dir, "unexpected (1): transformer.h.0.attn.other_bias [1]")
	}
}

// FuzzReadCausalConfig: no configuration of a causal model makes the package panic,
// and what is valid survives being written.
func FuzzReadCausalConfig(f *testing.F) {
	for name, family := range families {
		if family.decoder != nil {
			f.Add(read(f, familyModel(name), configFile))
			f.Add([]byte(fmt.Sprintf(`{"model_type": %q, "rope_parameters": {"rope_type": "linear", "factor": 2}, "sliding_window": 7, "use_sliding_window": true}`, name)))
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConfig(data)
		if err != nil || !c.Causal() {
			return
		}
		for _, e := range c.Expected() {
			if elements(e.Shape) <= 0 {
				t.Fatalf("%s has shape %v", e.Name, e.Shape)
			}
		}
		written, err := c.file()
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parseConfig(written); err != nil || !reflect.DeepEqual(c, again) {
			t.Fatalf("%+v became %+v: %v", c, again, err)
		}
	})
}
