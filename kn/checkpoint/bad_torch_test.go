package checkpoint

import (
	"archive/zip"
	"bytes"
	"strings"
	"testing"
)

// torchZip is an archive as torch.save writes it, of a pickle and storages.
func torchZip(t testing.TB, method uint16, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for name, content := range files {
		f, err := w.CreateHeader(&zip.FileHeader{Name: "archive/" + name, Method: method})
		if err == nil {
			_, err = f.Write([]byte(content))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// pickleOf is the pickle of {"x": a tensor of the given shape, strides and offset}.
func pickleOf(tail string) string {
	return "\x80\x02}U\x01xctorch._utils\n_rebuild_tensor_v2\n((U\x07storagectorch\nFloatStorage\nU\x010U\x03cpuK\x04tQ" + tail + "tRs."
}

// TestBadTorch checks the faults that a pytorch_model.bin can have.
func TestBadTorch(t *testing.T) {
	legacy, archive := read(t, "testdata", "torch", "legacy.bin"), read(t, "testdata", "torch", "zip.bin")
	pickled := func(program string) []byte {
		return torchZip(t, zip.Store, map[string]string{"data.pkl": program, "data/0": "0123456789abcdef"})
	}
	for wants, file := range map[string][]byte{
		"0 bytes are too few":        {},
		"neither a zip archive nor":  []byte("<html>not found</html>\n"),
		"zip: not a valid zip file":  archive[:len(archive)/2],
		"does not fit the file":      legacy[:len(legacy)-1],
		"the pickle ends too early":  legacy[:300],
		"not one that torch.save":    []byte("\x80\x02K\x01.        "),
		`asks for "posix.system"`:    read(t, "testdata", "torch", "evil.bin"),
		`asks for "builtins.eval"`:   pickled("\x80\x04\x8c\x08builtins\x8c\x04eval\x93."),
		"sets attributes of":         pickled("\x80\x02K\x01}b."),
		"calls torch.FloatStorage":   pickled("\x80\x02ctorch\nFloatStorage\n)R."),
		"instruction 0x81":           pickled("\x80\x02)\x81."),
		"instruction 0xff":           pickled("\xff"),
		"takes what is not there":    pickled("0."),
		"a text of 4294967295 bytes": pickled("X\xff\xff\xff\xff"),
		"rather than a dictionary":   pickled("K\x01."),
		"is not a tensor":            pickled("}U\x01xK\x01s."),
		"x comes twice":              pickled(strings.Replace(pickleOf("K\x00K\x02\x85K\x01\x85"), "s.", "s"+pickleOf("K\x00K\x02\x85K\x01\x85")[3:], 1)),
		"tensor x: shape [5]":        pickled(pickleOf("K\x00K\x05\x85K\x01\x85")),
		"strides [0] does not fit":   pickled(pickleOf("K\x00K\x04\x85K\x00\x85")),
		"its strides are [-1]":       pickled(pickleOf("K\x00K\x02\x85J\xff\xff\xff\xff\x85")),
		"at -1":                      pickled(pickleOf("J\xff\xff\xff\xffK\x02\x85K\x01\x85")),
		"its arguments are not":      pickled(pickleOf("K\x00K\x02\x85)")),
		"2 arguments are too few":    pickled(strings.Replace(pickleOf("K\x00"), "tRs.", "tRs.", 1)),
		"lacks its numbers (data/0)": torchZip(t, zip.Store, map[string]string{"data.pkl": pickleOf("K\x00K\x02\x85K\x01\x85")}),
		"its numbers are compressed": torchZip(t, zip.Deflate, map[string]string{"data.pkl": pickleOf("K\x00K\x02\x85K\x01\x85"), "data/0": "0123456789abcdef"}),
		`byte order is "big"`:        torchZip(t, zip.Store, map[string]string{"data.pkl": "", "byteorder": "big"}),
		"holds no data.pkl":          torchZip(t, zip.Store, map[string]string{"x": ""}),
		"missing (42): bert.":        pickled(pickleOf("K\x00K\x02\x85K\x01\x85")),
	} {
		dir := copyFiles(t, tiny, smallFiles...)
		write(t, file, dir, torchFile)
		expectLoadError(t, dir, wants, torchFile)
	}
}
