package tokenizer_test

import (
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

var vocabulary = []string{
	"[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "paris", "is", "the", "capital", "of", "walk", "##ing", ".",
}

func ExampleTokenizer_Encode() {
	t := tokenizer.MustNew(vocabulary, tokenizer.Options{})
	e := t.Encode("Walking is Páris.")
	for i, token := range e.Tokens {
		fmt.Println(e.IDs[i], token, e.Offsets[i])
	}
	// Output:
	// 2 [CLS] [0 0]
	// 10 walk [0 4]
	// 11 ##ing [4 7]
	// 6 is [8 10]
	// 5 paris [11 16]
	// 12 . [16 17]
	// 3 [SEP] [0 0]
}

func ExampleTokenizer_Prompt() {
	t := tokenizer.MustNew(vocabulary, tokenizer.Options{})
	e, mask, err := t.Prompt("Paris is the capital of [MASK].", 512)
	fmt.Println(e.Tokens[mask], mask, err)
	_, _, err = t.Prompt("Paris is the capital of France.", 512)
	fmt.Println(err)
	// Output:
	// [MASK] 6 <nil>
	// tokenizer: the prompt has no mask: "Paris is the capital of France." needs one [MASK]; write it where the answer belongs
}

func ExampleTokenizer_Single() {
	t := tokenizer.MustNew(vocabulary, tokenizer.Options{})
	fmt.Println(t.Single("Paris"))
	_, err := t.Single("walking")
	fmt.Println(err)
	// Output:
	// 5 <nil>
	// tokenizer: the answer "walking" is not one token but 2: walk ##ing; choose an answer that is a single token of the vocabulary
}
