package electra

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"math/rand/v2"
	"os"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/cache"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/utf8text"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// corpus is a text as tokens: a file of four bytes each, of which only windows
// are ever in memory. Every line of the text ends with [SEP].
type corpus struct {
	tok    *tokenizer.Tokenizer
	file   *os.File
	tokens int
	ids    []int32 // the tokens' numbers in tok, by those in the file; nil: the same
	digest string  // of the text and the tokenizer
	length int     // of a window, [CLS] in front included
}

// openCorpus tokenizes what the configuration names, unless the cache has it,
// and says now and then how many tokens there are so far.
func openCorpus(ctx context.Context, c Config, folder *checkpoint.Folder, progress func(tokens int)) (*corpus, error) {
	lines, source, err := source(c, folder)
	if err != nil {
		return nil, err
	}
	files, err := folder.Tokenizer().Files()
	if err != nil {
		return nil, fmt.Errorf("electra: %w", err)
	}
	k := &corpus{tok: folder.Tokenizer(), length: c.Length}
	if k.digest, err = digestOf("tokens", source, files); err != nil {
		return nil, err
	}
	write := func(w io.Writer) error { return k.write(ctx, w, lines, progress) }
	path, err := cache.Default().File(k.digest, write)
	if err == nil && path == "" { // the cache is off
		path, err = cache.At(c.tokensPath()).File(k.digest, write)
	}
	if err != nil {
		return nil, err
	}
	if k.file, err = os.Open(path); err != nil {
		return nil, fmt.Errorf("electra: %w", err)
	}
	if err := k.read(c.Trim); err != nil {
		return nil, errors.Join(err, k.close())
	}
	if n := k.windows(); n < c.Batch+c.HeldOut {
		return nil, errors.Join(fmt.Errorf("electra: the text has %d tokens, %d windows of %d; a batch of %d windows is trained on and %d others are measured on: give a longer text, or smaller windows or batches",
			k.tokens, n, c.Length, c.Batch, c.HeldOut), k.close())
	}
	return k, nil
}

// read looks at the file of tokens.
func (k *corpus) read(trim bool) error {
	info, err := k.file.Stat()
	if err != nil {
		return fmt.Errorf("electra: %w", err)
	}
	if k.tokens = int(info.Size() / tokenSize); trim {
		return k.trim()
	}
	return nil
}

func (k *corpus) close() error { return k.file.Close() }

// tokenSize is the size of a token in the file.
const tokenSize = 4

// write tokenizes lines.
func (k *corpus) write(ctx context.Context, w io.Writer, lines iter.Seq2[string, error], progress func(tokens int)) error {
	buffered := bufio.NewWriterSize(w, 1<<20)
	var tokens []byte
	n, written := 0, 0
	for line, err := range lines {
		if n%1000 == 0 {
			err = errors.Join(err, ctx.Err())
			progress(written)
		}
		if err != nil {
			return err
		}
		tokens = tokens[:0]
		for _, piece := range k.tok.Tokenize(line) {
			id, ok := k.tok.ID(piece)
			if !ok {
				id = k.tok.UnkID()
			}
			tokens = binary.LittleEndian.AppendUint32(tokens, uint32(id))
		}
		if len(tokens) == 0 {
			continue
		}
		tokens = binary.LittleEndian.AppendUint32(tokens, uint32(k.tok.SepID()))
		if _, err := buffered.Write(tokens); err != nil {
			return fmt.Errorf("electra: tokens: %w", err)
		}
		n, written = n+1, written+len(tokens)/tokenSize
	}
	if err := buffered.Flush(); err != nil {
		return fmt.Errorf("electra: tokens: %w", err)
	}
	return nil
}

// source returns the lines of the text, and what tells it from others.
func source(c Config, folder *checkpoint.Folder) (lines iter.Seq2[string, error], identity string, err error) {
	if c.Text != "" {
		sum, err := digestFile(c.Text)
		return textLines(c.Text), "text " + sum, err
	}
	data, err := folder.ReadFile(kn.FactsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("electra: %s does not say what it was taught; give a text file", c.Model)
	}
	if err != nil {
		return nil, "", fmt.Errorf("electra: %w", err)
	}
	sum := sha256.Sum256(data)
	relations, err := json.Marshal(facts.Relations())
	if err != nil {
		return nil, "", fmt.Errorf("electra: %w", err)
	}
	lines = func(yield func(string, error) bool) {
		taught, err := facts.ReadTaught(bytes.NewReader(data), kn.FactsFile)
		if err != nil {
			yield("", err)
			return
		}
		drawn, err := DrawFacts(taught, c.Facts, c.Relations...)
		if err != nil {
			yield("", err)
			return
		}
		statements(drawn)(yield)
	}
	return lines, fmt.Sprintf("%d facts of %q of %x%s", c.Facts, c.Relations, sum, relations), nil
}

// DrawFacts returns the facts that a training learns from, given the Facts, n,
// and the Relations of its [Config]. An n of 0 stands for all facts, no relations
// for all relations.
func DrawFacts(taught []facts.Taught, n int, relations ...string) ([]facts.Taught, error) {
	drawn := slices.Clone(taught)
	if len(relations) > 0 {
		for _, r := range relations {
			if !slices.ContainsFunc(taught, func(f facts.Taught) bool { return f.Relation == r }) {
				return nil, fmt.Errorf("electra: the model was taught no facts of relation %q", r)
			}
		}
		drawn = slices.DeleteFunc(drawn, func(f facts.Taught) bool { return !slices.Contains(relations, f.Relation) })
	}
	if n <= 0 || n >= len(drawn) {
		return drawn, nil
	}
	rng := rand.New(rand.NewPCG(1, 0xfac7))
	rng.Shuffle(len(drawn), func(i, j int) { drawn[i], drawn[j] = drawn[j], drawn[i] })
	return drawn[:n], nil
}

// statements says each fact in every sentence of its relation that was not
// held out, all in random order.
func statements(taught []facts.Taught) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		var order [][2]int // fact and template
		templates := make([][]facts.Template, len(taught))
		for i, f := range taught {
			relation, err := facts.RelationByProperty(f.Relation)
			if err != nil {
				yield("", err)
				return
			}
			templates[i] = relation.Templates
			for t := range relation.Templates {
				if !slices.Contains(f.HeldOut, t) {
					order = append(order, [2]int{i, t})
				}
			}
		}
		rng := rand.New(rand.NewPCG(1, 0x57a7e))
		rng.Shuffle(len(order), func(i, j int) { order[i], order[j] = order[j], order[i] })
		for _, o := range order {
			if f := taught[o[0]]; !yield(templates[o[0]][o[1]].Fill(f.Subject, f.Answer), nil) {
				return
			}
		}
	}
}

// longestLine is the most that one line of a text may have.
const longestLine = 64 << 20

// textLines reads a file line by line.
func textLines(path string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		file, err := os.Open(path)
		if err != nil {
			yield("", fmt.Errorf("electra: %w", err))
			return
		}
		defer file.Close()
		scanner := utf8text.NewScanner(file, path, longestLine)
		for scanner.Scan() {
			if !yield(scanner.Text(), nil) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			yield("", fmt.Errorf("electra: %w", err))
		}
	}
}

func digestFile(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("electra: %w", err)
	}
	defer file.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", fmt.Errorf("electra: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// windows is the number of whole windows.
func (k *corpus) windows() int { return k.tokens / (k.length - 1) }

// window returns window i, with [CLS] in front.
func (k *corpus) window(i int) ([]int32, error) {
	n := k.length - 1
	data := make([]byte, n*tokenSize)
	if _, err := k.file.ReadAt(data, int64(i)*int64(n)*tokenSize); err != nil {
		return nil, fmt.Errorf("electra: window %d of the corpus: %w", i, err)
	}
	ids := []int32{int32(k.tok.ClsID())}
	for ; len(data) > 0; data = data[tokenSize:] {
		id := int32(binary.LittleEndian.Uint32(data))
		if k.ids != nil {
			id = k.ids[id]
		}
		ids = append(ids, id)
	}
	return ids, nil
}

// trim leaves out of the tokenizer the tokens that are not in the text. A word
// of the text is spelled as before: the longest piece that fits is still there,
// and no longer one is new.
func (k *corpus) trim() error {
	used := make([]bool, k.tok.Size())
	for _, id := range []int{k.tok.PadID(), k.tok.UnkID(), k.tok.ClsID(), k.tok.SepID(), k.tok.MaskID()} {
		used[id] = true
	}
	var token [tokenSize]byte
	for in := bufio.NewReaderSize(k.file, 1<<20); ; {
		if _, err := io.ReadFull(in, token[:]); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return fmt.Errorf("electra: tokens: %w", err)
		}
		used[binary.LittleEndian.Uint32(token[:])] = true
	}
	k.ids = make([]int32, len(used))
	var kept []string
	for id, is := range used {
		if is {
			k.ids[id], kept = int32(len(kept)), append(kept, k.tok.Token(id))
		}
	}
	var err error
	k.tok, err = tokenizer.New(kept, tokenizer.Options{Cased: k.tok.Cased(), MaxLength: k.tok.MaxLength()})
	if err != nil {
		return fmt.Errorf("electra: the trimmed tokenizer: %w", err)
	}
	return nil
}
