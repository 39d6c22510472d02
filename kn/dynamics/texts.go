package dynamics

import (
	"errors"
	"fmt"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
)

// Sentences are texts of one sentence each, as [Compare] takes them. Data sets
// that are labelled, or of pairs of sentences, can be given as they are.
func Sentences(texts []string) []finetune.Example {
	examples := make([]finetune.Example, len(texts))
	for i, text := range texts {
		examples[i].Sentence1 = text
	}
	return examples
}

// texts are what models are compared on, as they read them.
type texts struct {
	encoded []finetune.Encoded
	batches []finetune.Batch
	sample  Sample
}

// batchSize is the number of texts that are run together.
const batchSize = 32

// encodeFor encodes texts, and makes sure that all models read the same tokens.
func encodeFor(models []source, examples []finetune.Example) (*texts, error) {
	if len(examples) == 0 {
		return nil, errors.New("dynamics: there is no text to compare models on")
	}
	folder := models[0].folder
	tok, longest := folder.Tokenizer(), folder.Config().MaxPositions
	t := &texts{sample: Sample{Texts: len(examples)}}
	t.encoded, t.sample.Unknown = finetune.Encode(tok, examples, longest)
	for _, other := range models[1:] {
		encoded, _ := finetune.Encode(other.folder.Tokenizer(), examples, longest)
		for i, e := range encoded {
			if !slices.Equal(e.IDs, t.encoded[i].IDs) {
				return nil, fmt.Errorf("dynamics: the tokenizers of %s and %s read %q differently; take checkpoints of one model", models[0].name, other.name, examples[i].Sentence1)
			}
		}
	}
	whole, _ := finetune.Encode(tok, examples, 0)
	for i, e := range t.encoded {
		t.sample.Tokens += len(e.IDs)
		if len(whole[i].IDs) > len(e.IDs) {
			t.sample.Cut++
		}
	}
	t.batches = finetune.Batches(tok, t.encoded, batchSize)
	return t, nil
}

// lengths are the numbers of tokens of a batch's texts.
func (t *texts) lengths(b finetune.Batch) []int {
	lengths := make([]int, len(b.Indices))
	for k, i := range b.Indices {
		lengths[k] = len(t.encoded[i].IDs)
	}
	return lengths
}
