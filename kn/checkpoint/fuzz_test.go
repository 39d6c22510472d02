package checkpoint

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"testing"
)

// readBytes lists and reads the tensors of a file in memory. Whatever the
// bytes are, it must end without a panic and without asking for more memory
// than the file accounts for.
func readBytes(t *testing.T, data []byte, read reader) {
	t.Helper()
	tensors, err := read(bytes.NewReader(data), int64(len(data)), "fuzz")
	if err != nil {
		return
	}
	var floats []stored
	for _, s := range tensors {
		n := elements(s.shape)
		if n < 0 || s.offset < 0 || s.extent < n*sizes[s.dtype] || s.offset+s.extent > int64(len(data)) {
			t.Fatalf("tensor %s %v lies outside the file", s.name, s.shape)
		}
		if s.dtype.float() && n < 1<<16 {
			floats = append(floats, s)
		}
	}
	out, err := readAll(context.Background(), floats, nil, "", nil)
	if err != nil {
		return
	}
	for i, tensor := range out {
		if int64(len(tensor.Data)) != elements(floats[i].shape) || firstBad(tensor.Data) >= 0 {
			t.Fatalf("tensor %s was read wrongly", floats[i].name)
		}
	}
}

func FuzzReadSafetensors(f *testing.F) {
	f.Add(read(f, tiny, safetensorsFile))
	f.Add(safetensorsOf(`{"x":{"dtype":"F16","shape":[2,2],"data_offsets":[0,8]},"y":{"dtype":"I64","shape":[],"data_offsets":[8,16]}}`, 16))
	f.Add(safetensorsOf(`{"__metadata__":{"format":"pt"},"x":{"dtype":"BF16","shape":[0],"data_offsets":[0,0]}}`, 0))
	f.Fuzz(func(t *testing.T, data []byte) { readBytes(t, data, readSafetensors) })
}

// FuzzReadPickle reads the bytes as a whole file and as the pickle in an archive.
func FuzzReadPickle(f *testing.F) {
	for _, name := range []string{"zip.bin", "legacy.bin", "views.bin", "evil.bin"} {
		f.Add(read(f, "testdata", "torch", name))
	}
	f.Add([]byte(pickleOf("K\x00K\x02K\x02\x86K\x01K\x02\x86")))
	f.Fuzz(func(t *testing.T, data []byte) {
		readBytes(t, data, readTorch)
		readBytes(t, torchZip(t, zip.Store, map[string]string{"data.pkl": string(data), "data/0": "0123456789abcdef"}), readTorch)
	})
}

// FuzzReadConfig reads any config.json; what is valid survives being written.
func FuzzReadConfig(f *testing.F) {
	f.Add(read(f, tiny, configFile))
	f.Add([]byte(`{"model_type":"bert","tie_word_embeddings":false,"hidden_size":1e3}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseConfig(data)
		if err != nil {
			return
		}
		for _, e := range c.Expected() {
			if elements(e.Shape) <= 0 {
				t.Fatalf("%s has shape %v", e.Name, e.Shape)
			}
		}
		written, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := parseConfig(written); err != nil || !reflect.DeepEqual(c, again) && len(c.Architectures) > 0 {
			t.Fatalf("%+v became %+v: %v", c, again, err)
		}
	})
}
