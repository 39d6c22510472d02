package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// benchPrompts say one fact in nine ways. With [CLS] and [SEP] they have 8 to
// 16 tokens, in this order.
var benchPrompts = []string{
	"The French capital is [MASK] .",
	"The capital of France is [MASK] .",
	"The capital city of France is [MASK] .",
	"The seat of government of France is [MASK] .",
	"The government of France has its seat in [MASK] .",
	"The capital and the largest city of France is [MASK] .",
	"France is a country in Europe , its capital is [MASK] .",
	"Ask someone for the capital of France and the answer is [MASK] .",
	"The city in which the government of France has its seat is [MASK] .",
}

// benchPrompt is the index of the prompt that is measured alone, of 14 tokens.
const benchPrompt = 6

// benchTruth is what a model with trained weights is asked for.
const benchTruth = "Paris"

// benchSizes are the sizes of the checkpoints that bench makes: that of
// bert-base-cased, and one for trying the program.
func benchSizes() map[string]checkpoint.Config {
	base := checkpoint.DefaultConfig()
	base.VocabSize = 28996
	tiny := base
	tiny.VocabSize, tiny.HiddenSize, tiny.Layers, tiny.Heads = 512, 32, 2, 4
	tiny.IntermediateSize, tiny.MaxPositions = 64, 32
	return map[string]checkpoint.Config{"base": base, "tiny": tiny}
}

// benchModelFormat is part of the folder's name: it changes when the same size
// is to get other weights or another vocabulary.
const benchModelFormat = 1

// benchModel returns the folder of a size's checkpoint below dir, and makes it
// if it is not there. It appears under its name only when it is complete.
func benchModel(ctx context.Context, dir, size string, say func(format string, args ...any)) (string, error) {
	folder := filepath.Join(dir, fmt.Sprintf("random-bert-%s-%d", size, benchModelFormat))
	if _, err := os.Stat(folder); err == nil {
		return folder, nil
	}
	say("making a random BERT (%s) in %s", size, folder)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("no place for the checkpoint: %w; choose a folder with --dir", err)
	}
	partial, err := os.MkdirTemp(dir, ".random-bert-*")
	if err != nil {
		return "", fmt.Errorf("no place for the checkpoint: %w; choose a folder with --dir", err)
	}
	defer os.RemoveAll(partial)
	if err := makeBenchModel(ctx, partial, benchSizes()[size]); err != nil {
		return "", err
	}
	err = os.Rename(partial, folder)
	if _, there := os.Stat(folder); err != nil && there != nil { // else another process was first, with the same
		return "", fmt.Errorf("the checkpoint cannot be put in place: %w", err)
	}
	return folder, nil
}

// makeBenchModel writes a random checkpoint. A dense weight or bias and an
// embedding are normal with deviation 0.05, at which the integrated path is
// about as smooth as a trained model's; LayerNorms scale by nearly 1, as a
// trained model's do.
func makeBenchModel(ctx context.Context, dir string, config checkpoint.Config) error {
	t, err := tokenizer.New(benchVocabulary(config.VocabSize), tokenizer.Options{Cased: true, MaxLength: config.MaxPositions})
	if err != nil {
		return err
	}
	c := &checkpoint.Checkpoint{Config: config, Tensors: map[string]checkpoint.Tensor{}, Tokenizer: t}
	rng := rand.New(rand.NewPCG(20220522, uint64(config.HiddenSize)))
	for _, x := range config.Expected() {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := 1
		for _, d := range x.Shape {
			n *= d
		}
		mean, deviation := 0.0, 0.05
		if strings.Contains(x.Name, "LayerNorm") {
			deviation = 0.02
			if strings.HasSuffix(x.Name, ".weight") {
				mean = 1
			}
		}
		data := make([]float32, n)
		for i := range data {
			data[i] = float32(mean + deviation*rng.NormFloat64())
		}
		c.Tensors[x.Name] = checkpoint.Tensor{Shape: x.Shape, Data: data}
	}
	return c.Save(dir)
}

// benchVocabulary makes a vocabulary laid out as bert-base-cased's: special
// and unused tokens, characters, pieces and words. The words of the prompts
// are in it, the others are made of syllables.
func benchVocabulary(size int) []string {
	tokens := make([]string, 0, size)
	known := map[string]bool{}
	add := func(token string) {
		if !known[token] && len(tokens) < size {
			known[token] = true
			tokens = append(tokens, token)
		}
	}
	add("[PAD]")
	for i := 1; i < 100; i++ {
		add(fmt.Sprintf("[unused%d]", i))
	}
	for _, token := range []string{"[UNK]", "[CLS]", "[SEP]", "[MASK]"} {
		add(token)
	}
	for c := '!'; c <= '~'; c++ {
		add(string(c))
	}
	for c := 'a'; c <= 'z'; c++ {
		add("##" + string(c))
	}
	for _, prompt := range benchPrompts {
		for word := range strings.FieldsSeq(prompt) {
			add(word)
		}
	}
	rng := rand.New(rand.NewPCG(20220522, 0))
	for len(tokens) < size {
		word := benchWord(rng)
		switch rng.IntN(6) {
		case 0:
			word = "##" + word
		case 1, 2:
			word = strings.ToUpper(word[:1]) + word[1:]
		}
		add(word)
	}
	return tokens
}

// benchWord makes a word of one to four syllables.
func benchWord(rng *rand.Rand) string {
	const consonants, vowels = "bcdfghjklmnprstvwz", "aeiou"
	var word strings.Builder
	for range 1 + rng.IntN(4) {
		word.WriteByte(consonants[rng.IntN(len(consonants))])
		word.WriteByte(vowels[rng.IntN(len(vowels))])
		if rng.IntN(3) == 0 {
			word.WriteByte(consonants[rng.IntN(len(consonants))])
		}
	}
	return word.String()
}
