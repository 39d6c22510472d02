package pretrain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/utf8text"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// textTask trains on running text as BERT was, where a share of the tokens is
// chosen, see [hide], and the model is to tell them all; or as GPT-2 was, which
// is to tell every token from those before it.
type textTask struct {
	config Config
	tok    *tokenizer.Tokenizer
	tokens []int32
	order  []int // starts of the windows, shuffled anew in each pass
	pass   int   // of order; -1 at first
}

// Inputs of the training graph. B is the batch, n the tokens, k the masked
// ones of each window.
const (
	textIDs       = iota // [B, n] int32
	textPositions        // [B, k] int32
	textAnswers          // [B, k] int32
	numTextInputs
)

func (t *textTask) inputs() int { return numTextInputs }

// openText reads the text and makes its vocabulary.
func (s *session) openText() error {
	lines, sum, err := readText(s.config.Text)
	if err != nil {
		return err
	}
	vocab, err := Vocabulary(lines, nil, s.config.Merges)
	if err != nil {
		return err
	}
	s.tok, err = tokenizer.New(vocab, tokenizer.Options{Cased: true, MaxLength: s.config.MaxPositions})
	if err != nil {
		return fmt.Errorf("pretrain: %w", err)
	}
	t := &textTask{config: s.config, tok: s.tok, pass: -1}
	for _, line := range lines {
		for _, piece := range s.tok.Tokenize(line) {
			if id, ok := s.tok.ID(piece); ok {
				t.tokens = append(t.tokens, int32(id))
			}
		}
	}
	if windows := len(t.tokens) / t.window(); windows == 0 {
		return fmt.Errorf("pretrain: %s has %d tokens, fewer than the %d of one window; give a longer text or fewer positions", s.config.Text, len(t.tokens), t.window())
	}
	s.task, s.data = t, sum
	s.sample = t.sample
	return nil
}

// readText returns the lines that are not blank, and the file's SHA-256.
func readText(path string) (lines []string, sum string, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, "", fmt.Errorf("pretrain: %w", err)
	}
	defer file.Close()
	hash := sha256.New()
	scanner := utf8text.NewScanner(file, path, 64<<20)
	for scanner.Scan() {
		hash.Write(append(scanner.Bytes(), '\n'))
		if line := strings.TrimSpace(scanner.Text()); line != "" {
			lines = append(lines, line)
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, "", fmt.Errorf("pretrain: %w", err)
	}
	if len(lines) == 0 {
		return nil, "", fmt.Errorf("pretrain: %s has no text", path)
	}
	return lines, hex.EncodeToString(hash.Sum(nil)), nil
}

// window is the number of text tokens between [CLS] and [SEP].
func (t *textTask) window() int { return t.config.MaxPositions - 2 }

// chosen is the number of tokens chosen in each window.
func (t *textTask) chosen() int {
	return max(1, int(math.Round(t.config.MaskedShare*float64(t.window()))))
}

// starts returns the windows of a pass in its order: the text cut at an
// offset of its own.
func (t *textTask) starts(pass int) []int {
	if pass != t.pass {
		rng := rand.New(rand.NewPCG(t.config.Seed, 0x7e87<<32|uint64(pass)))
		t.order, t.pass = nil, pass
		windows := len(t.tokens) / t.window()
		offset := rng.IntN(len(t.tokens) - windows*t.window() + 1)
		for i := range windows {
			t.order = append(t.order, offset+i*t.window())
		}
		rng.Shuffle(windows, func(i, j int) { t.order[i], t.order[j] = t.order[j], t.order[i] })
	}
	return t.order
}

// batch returns the inputs of a step; it depends on the seed and the step.
func (t *textTask) batch(step int) []any {
	rng := rand.New(rand.NewPCG(t.config.Seed, 0x57e9<<32|uint64(step)))
	b, n, k := t.config.Batch, t.window()+2, t.chosen()
	windows := len(t.tokens) / t.window()
	open := make([]int32, t.window())
	for i := range open {
		if open[i] = int32(i + 1); t.config.causal() { // behind [CLS]
			open[i]-- // where it predicts them
		}
	}
	ids, positions, answers := make([]int32, 0, b*n), make([]int32, 0, b*k), make([]int32, 0, b*k)
	for i := range b {
		w := step*b + i
		start := t.starts(w / windows)[w%windows]
		row := append([]int32{int32(t.tok.ClsID())}, t.tokens[start:start+t.window()]...)
		row = append(row, int32(t.tok.SepID()))
		at := choose(rng, open, k)
		var was []int32
		if t.config.causal() {
			was = following(row, at)
		} else {
			was = hide(rng, t.tok, row, at)
		}
		positions, answers = append(positions, at...), append(answers, was...)
		ids = append(ids, row...)
	}
	return []any{
		tensors.FromFlatDataAndDimensions(ids, b, n),
		tensors.FromFlatDataAndDimensions(positions, b, k), tensors.FromFlatDataAndDimensions(answers, b, k),
	}
}

// loss is the mean cross-entropy of the chosen tokens.
func (t *textTask) loss(w *transformer.Weights, in []*graph.Node) *graph.Node {
	hidden := w.Encode(transformer.Inputs{IDs: in[textIDs]}, nil)          // [B, n, H]
	p := chosenLogProbabilities(w, hidden, in[textPositions])              // [B, k, V]
	answer := graph.OneHot(in[textAnswers], w.Config.VocabSize, p.DType()) // [B, k, V]
	return graph.Neg(graph.ReduceAllMean(graph.ReduceSum(graph.Mul(answer, p), -1)))
}

// sample is the share of tokens ranked first when one in each of some windows
// is masked.
func (t *textTask) sample(ctx context.Context, l *learner) (float64, error) {
	const n = 256
	rng := rand.New(rand.NewPCG(t.config.Seed, 0x5a3))
	var prompts []prompt
	for range n {
		start := rng.IntN(len(t.tokens) - t.window() + 1)
		p := prompt{ids: []int32{int32(t.tok.ClsID())}, mask: 1 + rng.IntN(t.window())}
		p.ids = append(append(p.ids, t.tokens[start:start+t.window()]...), int32(t.tok.SepID()))
		p.answer = p.ids[p.mask]
		if t.config.causal() {
			p.mask-- // and reads what stands before it
		} else {
			p.ids[p.mask] = int32(t.tok.MaskID())
		}
		prompts = append(prompts, p)
	}
	first, _, err := score(ctx, l.score, prompts, func(int) {})
	return share(first), err
}
