package tokenizer

import (
	"cmp"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// causalKinds are the small tokenizers of testdata/causal, which make.py there
// made with the parts of those of well-known models.
var causalKinds = []string{"gpt2", "smollm", "llama3", "qwen2", "llama2", "mistral", "unknown", "other"}

func openCausal(t testing.TB, kind string) *Tokenizer {
	t.Helper()
	return mustOpen(t, filepath.Join("testdata", "causal", kind))
}

// TestCausalEqualTransformers compares ids and offsets, as
// TestByteLevelEqualsTransformers does. The file is a sample of a comparison of
// 20,000 texts for each kind.
func TestCausalEqualTransformers(t *testing.T) {
	var cases map[string][]randomCase
	if err := json.Unmarshal(mustRead(t, cmp.Or(os.Getenv("KN_CAUSAL_CASES"), "testdata/causal/cases.json")), &cases); err != nil {
		t.Fatal(err)
	}
	for _, kind := range causalKinds {
		tok := openCausal(t, kind)
		if len(cases[kind]) == 0 || tok.Masked() {
			t.Fatalf("%s: %d cases; a masked model's: %v", kind, len(cases[kind]), tok.Masked())
		}
		wrong := 0
		for _, c := range cases[kind] {
			e := tok.Encode(c.text)
			// Where bytes are missing Hugging Face gives characters each other's offsets.
			if slices.Equal(e.IDs, c.ids) && (kind == "unknown" || slices.Equal(e.Offsets, c.offsets)) {
				continue
			}
			if wrong++; wrong <= 5 {
				t.Errorf("%s: %+q:\n got %v %v\nwant %v %v", kind, c.text, e.IDs, e.Offsets, c.ids, c.offsets)
			}
		}
		t.Logf("%s: %d of %d texts differ", kind, wrong, len(cases[kind]))
	}
}
