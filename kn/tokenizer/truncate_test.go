package tokenizer_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// TestTruncation compares the room that texts of several lengths get with what
// Hugging Face's tokenizers give them with truncation "longest_first".
func TestTruncation(t *testing.T) {
	tok := tokenizer.MustNew([]string{"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"}, tokenizer.Options{})
	for _, c := range []struct{ n1, n2, most, want1, want2 int }{
		{2, 3, 8, 2, 3},
		{3, 3, 8, 2, 3},
		{4, 3, 8, 3, 2},
		{9, 1, 8, 4, 1},
		{1, 9, 8, 1, 4},
		{9, 9, 9, 3, 3},
		{9, 9, 8, 2, 3},
		{9, 8, 8, 3, 2},
		{0, 9, 8, 0, 5},
		{5, 5, 3, 0, 0},
		{7, 5, 0, 7, 5},
	} {
		a, b := strings.Repeat("a ", c.n1), strings.Repeat("b ", c.n2)
		got := tok.EncodePairUpTo(a, b, c.most)
		want := tok.EncodePair(strings.Repeat("a ", c.want1), strings.Repeat("b ", c.want2))
		if !slices.Equal(got.IDs, want.IDs) || !slices.Equal(got.TypeIDs, want.TypeIDs) {
			t.Errorf("%d and %d tokens in %d: %q", c.n1, c.n2, c.most, got.Tokens)
		}
	}
	if got := tok.EncodeUpTo("a b a b", 4); !slices.Equal(got.Tokens, []string{"[CLS]", "a", "b", "[SEP]"}) {
		t.Errorf("got %q", got.Tokens)
	}
	if !reflect.DeepEqual(tok.EncodeUpTo("a b", 4), tok.Encode("a b")) || !reflect.DeepEqual(tok.EncodePairUpTo("a", "b b", 6), tok.EncodePair("a", "b b")) {
		t.Error("what fits is changed")
	}
}
