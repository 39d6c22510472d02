package tokenizer

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"
)

// FuzzTokenize encodes any text and checks what holds for every encoding.
func FuzzTokenize(f *testing.F) {
	for _, text := range []string{"Paris is [MASK].", "e\u0301İ中😀\x00", strings.Repeat("a", 101), "[MASK][MASK", "\xff\u302e"} {
		f.Add(text, true)
		f.Add(text, false)
	}
	f.Fuzz(func(t *testing.T, text string, cased bool) {
		tok := smallT
		if cased {
			tok = MustNew(small, Options{Cased: true})
		}
		e := tok.EncodePair(text, "a")
		n := len(e.IDs)
		if len(e.Tokens) != n || len(e.Offsets) != n || len(e.TypeIDs) != n {
			t.Fatal("lengths differ")
		}
		if e.IDs[0] != tok.ClsID() || e.IDs[n-1] != tok.SepID() || e.IDs[n-3] != tok.SepID() {
			t.Fatalf("not [CLS] A [SEP] B [SEP]: %q", e.Tokens)
		}
		for i, o := range e.Offsets {
			if o[0] < 0 || o[1] > max(1, utf8.RuneCountInString(text)) {
				t.Fatalf("%q at %v lies outside the text", e.Tokens[i], o)
			}
			if tok.Token(e.IDs[i]) != e.Tokens[i] {
				t.Fatalf("token %d is %q, not %q", e.IDs[i], tok.Token(e.IDs[i]), e.Tokens[i])
			}
		}
		if id, err := tok.Single(text); err == nil && id == tok.UnkID() {
			t.Fatal("an answer is [UNK]")
		}
		if e, mask, err := tok.Prompt(text, 100); err == nil && (e.IDs[mask] != tok.MaskID() || slices.Contains(e.IDs[:mask], tok.MaskID())) {
			t.Fatal("wrong mask")
		}
	})
}

// FuzzReadTokenizer reads any files; what can be read must survive being saved.
func FuzzReadTokenizer(f *testing.F) {
	files, err := smallT.Files()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(files[TokenizerFile], files[VocabularyFile], files[ConfigFile])
	f.Add([]byte(nil), files[VocabularyFile], files[ConfigFile])
	for _, kind := range []string{"llama2", "llama3"} {
		dir := filepath.Join("testdata", "causal", kind)
		f.Add(mustRead(f, filepath.Join(dir, TokenizerFile)), []byte(nil), mustRead(f, filepath.Join(dir, ConfigFile)))
	}
	f.Fuzz(func(t *testing.T, tokenizerJSON, vocab, config []byte) {
		fsys := fstest.MapFS{VocabularyFile: {Data: vocab}, ConfigFile: {Data: config}}
		if len(tokenizerJSON) > 0 {
			fsys[TokenizerFile] = &fstest.MapFile{Data: tokenizerJSON}
		}
		tok, err := Open(fsys)
		if err != nil {
			return
		}
		tok.Encode("Paris is [MASK] 中.")
		saved, err := tok.Files()
		if err != nil {
			return
		}
		fsys = fstest.MapFS{}
		for name, data := range saved {
			fsys[name] = &fstest.MapFile{Data: data}
		}
		again, err := Open(fsys)
		if err != nil {
			t.Fatalf("saved files cannot be read: %v", err)
		}
		if a, b := tok.Encode("Paris is walking.").IDs, again.Encode("Paris is walking.").IDs; !slices.Equal(a, b) {
			t.Fatalf("%v became %v", a, b)
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	text := strings.Repeat("Paris is the capital of [MASK]; walking in Zürich. ", 10)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		smallT.Encode(text)
	}
}
