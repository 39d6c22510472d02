package checkpoint

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// safetensorsOf is a safetensors file of a header and some bytes.
func safetensorsOf(header string, numbers int) []byte {
	file := binary.LittleEndian.AppendUint64(nil, uint64(len(header)))
	return append(append(file, header...), make([]byte, numbers)...)
}

// TestBadSafetensors checks that each fault of a file is found and named.
func TestBadSafetensors(t *testing.T) {
	good := read(t, tiny, safetensorsFile)
	const x = `"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`
	for wants, file := range map[string][]byte{
		"0 bytes are too few":                     {},
		"its header should have":                  good[:100],
		"lie outside the file":                    good[:len(good)-1],
		"1 bytes follow the last tensor":          append(bytes.Clone(good), 0),
		"18446744073709551615 bytes":              append(bytes.Repeat([]byte{255}, 8), good...),
		"x comes twice":                           safetensorsOf(`{`+x+`,`+x+`}`, 8),
		"tensor x: its dtype \"F4\" is unknown":   safetensorsOf(`{"x":{"dtype":"F4","shape":[2],"data_offsets":[0,8]}}`, 8),
		"shape [3] of F32 does not fit its 8":     safetensorsOf(strings.Replace(`{`+x+`}`, "[2]", "[3]", 1), 8),
		"shape [-2] of F32":                       safetensorsOf(strings.Replace(`{`+x+`}`, "[2]", "[-2]", 1), 8),
		"shape [2147483647 2147483647 2147483647": safetensorsOf(strings.Replace(`{`+x+`}`, "[2]", "[2147483647,2147483647,2147483647]", 1), 8),
		"bytes -8 to 0 lie outside":               safetensorsOf(strings.Replace(`{`+x+`}`, "[0,8]", "[-8,0]", 1), 8),
		"another tensor overlaps tensor y":        safetensorsOf(`{`+x+`,"y":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}`, 12),
		"there is a gap before tensor y":          safetensorsOf(`{`+x+`,"y":{"dtype":"F32","shape":[1],"data_offsets":[12,16]}}`, 16),
	} {
		dir := copyFiles(t, tiny, smallFiles...)
		write(t, file, dir, safetensorsFile)
		expectLoadError(t, dir, wants, safetensorsFile)
	}
}

// TestBadHeader checks headers that are not the JSON that they should be.
func TestBadHeader(t *testing.T) {
	const x = `"x":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`
	for _, header := range []string{``, `[]`, `{"x" 1}`, `{` + x, `{"x":{"dtype":3}}`, `{"x":[]}`, `{"__metadata__":{"a":1}}`, "\xff"} {
		dir := copyFiles(t, tiny, smallFiles...)
		write(t, safetensorsOf(header, 8), dir, safetensorsFile)
		expectLoadError(t, dir, "its header is not what safetensors has", safetensorsFile, "get it again")
	}
}

// expectLoadError opens and loads a folder and expects an error with all of wants.
func expectLoadError(t *testing.T, dir string, wants ...string) {
	t.Helper()
	f, err := OpenFolder(dir)
	if err == nil {
		_, err = f.Load(context.Background(), nil)
	}
	for _, want := range wants {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// TestWeightsError checks that all tensors that are not as asked are listed.
func TestWeightsError(t *testing.T) {
	load := func(change func(map[string]Tensor)) error {
		c := mustLoad(t, tiny)
		change(c.Tensors)
		dir := copyFiles(t, tiny, smallFiles...)
		if err := WriteTensors(filepath.Join(dir, safetensorsFile), c.Tensors, SaveOptions{}); err != nil {
			t.Fatal(err)
		}
		_, err := mustOpen(t, dir).Load(context.Background(), nil)
		return err
	}
	err := load(func(m map[string]Tensor) {
		delete(m, "bert.embeddings.LayerNorm.bias")
		delete(m, "cls.predictions.bias")
		m["classifier.weight"] = Tensor{[]int{3, 8}, make([]float32, 24)}
		m["bert.encoder.layer.2.output.dense.bias"] = Tensor{[]int{8}, make([]float32, 8)}
		m["bert.encoder.layer.0.output.dense.weight"] = Tensor{[]int{12, 8}, make([]float32, 96)}
	})
	var w *WeightsError
	if !errors.As(err, &w) || len(w.Missing) != 2 || len(w.Unexpected) != 2 || len(w.Misshapen) != 1 {
		t.Fatalf("got %v", err)
	}
	for _, want := range []string{
		safetensorsFile, "missing (2): bert.embeddings.LayerNorm.bias [8], cls.predictions.bias [16]",
		"unexpected (2): bert.encoder.layer.2.output.dense.bias [8], classifier.weight [3 8]",
		"wrong shape (1): bert.encoder.layer.0.output.dense.weight is [12 8], config.json asks for [8 12]",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	for wants, change := range map[string]func(map[string]Tensor){
		"the head that predicts [MASK] is not stored": func(m map[string]Tensor) {
			for name := range m {
				if strings.HasPrefix(name, "cls.") {
					delete(m, name)
				}
			}
		},
		"decoder.weight differs from bert.embeddings.word_embeddings.weight, but config.json ties them": func(m map[string]Tensor) {
			m[decoderWeight] = Tensor{[]int{16, 8}, make([]float32, 128)}
		},
		"cls.predictions.decoder.weight is [8 16], config.json asks for [16 8]": func(m map[string]Tensor) {
			m[decoderWeight] = Tensor{[]int{8, 16}, make([]float32, 128)}
		},
		"LayerNorm.weight is stored twice": func(m map[string]Tensor) {
			m["embeddings.LayerNorm.gamma"] = m["bert.embeddings.LayerNorm.weight"]
		},
	} {
		if err := load(change); err == nil || !strings.Contains(err.Error(), wants) {
			t.Errorf("got %v, want %q", err, wants)
		}
	}
	if err := load(func(m map[string]Tensor) {
		m[decoderWeight] = m[WordEmbeddings]
		m[decoderBias] = m[headBias]
		m["bert.pooler.dense.bias"] = m["bert.embeddings.LayerNorm.bias"]
	}); err != nil {
		t.Errorf("harmless copies and extras are refused: %v", err)
	}
}

// TestBadNumbers finds NaN and infinity, and says where.
func TestBadNumbers(t *testing.T) {
	for name, bad := range map[string]float64{"NaN": math.NaN(), "+Inf": math.Inf(1), "-Inf": math.Inf(-1)} {
		file := read(t, tiny, safetensorsFile)
		binary.LittleEndian.PutUint32(file[len(file)-8:], math.Float32bits(float32(bad)))
		dir := copyFiles(t, tiny, smallFiles...)
		write(t, file, dir, safetensorsFile)
		expectLoadError(t, dir, "tensor cls.predictions.transform.dense.weight: element 62 is "+name, safetensorsFile)
	}
}

// TestBadConfig checks that configurations of other models are refused.
func TestBadConfig(t *testing.T) {
	config := string(read(t, tiny, configFile))
	for wants, change := range map[string][2]string{
		`model_type is "t5"; only "bert", "distilbert"`:                             {`"model_type": "bert"`, `"model_type": "t5"`},
		`model_type is "t5"; only "bert", "distilbert", "electra", "gpt2", "llama"`: {`"model_type": "bert"`, `"model_type": "t5"`},
		`position_embedding_type is "relative_key"`:                                 {`"absolute"`, `"relative_key"`},
		"is_decoder":                                           {`"model_type"`, `"is_decoder": true, "model_type"`},
		`hidden_act is "prelu"`:                                {`"relu"`, `"prelu"`},
		"hidden_size is 0":                                     {`"hidden_size": 8`, `"hidden_size": 0`},
		"hidden_size is -8":                                    {`"hidden_size": 8`, `"hidden_size": -8`},
		"intermediate_size is 99999999999":                     {`"intermediate_size": 12`, `"intermediate_size": 99999999999`},
		"num_hidden_layers is 5000":                            {`"num_hidden_layers": 2`, `"num_hidden_layers": 5000`},
		"hidden_size 8 is not a multiple":                      {`"num_attention_heads": 2`, `"num_attention_heads": 3`},
		"layer_norm_eps is 0":                                  {`1e-12`, `0`},
		"the vocabulary has 16 tokens, but config.json has vo": {`"vocab_size": 16`, `"vocab_size": 30522`},
		"16 tokens, but config.json has vocab_size 15":         {`"vocab_size": 16`, `"vocab_size": 15`},
		"config.json: unexpected end":                          {config[20:], ""},
		"cannot unmarshal string":                              {`"vocab_size": 16`, `"vocab_size": "16"`},
	} {
		dir := copyFiles(t, tiny, append(smallFiles, safetensorsFile)...)
		if !strings.Contains(config, change[0]) {
			t.Fatalf("config.json lacks %q", change[0])
		}
		write(t, []byte(strings.Replace(config, change[0], change[1], 1)), dir, configFile)
		expectLoadError(t, dir, wants, configFile)
	}
	if _, err := OpenFolder(copyFiles(t, tiny, append(smallFiles, safetensorsFile)...)); err != nil {
		t.Errorf("the unchanged folder is refused: %v", err)
	}
}

// TestMissingFiles checks that what is missing is named.
func TestMissingFiles(t *testing.T) {
	for want, dir := range map[string]string{
		"there is no model folder":          filepath.Join(t.TempDir(), "nothing"),
		"is a file; give the folder":        filepath.Join(tiny, configFile),
		"it holds no config.json":           t.TempDir(),
		"neither tokenizer.json nor vocab":  copyFiles(t, tiny, configFile),
		"it holds no weights: none of mode": copyFiles(t, tiny, smallFiles...),
	} {
		expectLoadError(t, dir, want)
	}
	if _, err := OpenFolder(filepath.Join(t.TempDir(), "nothing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrNotExist", err)
	}
	dir := copyFiles(t, tiny, smallFiles...)
	if err := os.Mkdir(filepath.Join(dir, safetensorsFile), 0o700); err != nil {
		t.Fatal(err)
	}
	expectLoadError(t, dir, "it holds no weights")
}
