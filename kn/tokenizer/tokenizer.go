package tokenizer

import (
	"fmt"
	"maps"
	"slices"
)

// Options say how [New] builds a tokenizer. The zero value is BertTokenizer's
// default: an uncased model.
type Options struct {
	Cased            bool  // keep capitals, and accents unless StripAccents says otherwise
	StripAccents     *bool // nil: strip them if the model is uncased
	KeepChineseWords bool  // do not set CJK characters apart
	MaxLength        int   // tokens that the model takes, [CLS] and [SEP] included; 0: not known
}

// Tokenizer is a model's vocabulary and the rules to spell text with it. It is
// not modified after it was made and can be used by many goroutines.
type Tokenizer struct {
	norm      normalizer
	model     model
	pair      pairForm
	vocabSize int      // tokens of the model; added tokens may have ids from here on
	tokens    []string // by id, added tokens included; "" where tokenizer.json leaves a hole
	byToken   map[string]int
	added     []Added // by id
	raw       matcher // added tokens looked for in the raw text
	normed    matcher // those looked for in the normalised text
	special   Special
	ids       struct{ pad, unk, cls, sep, mask int } // -1 for what a causal model's tokenizer lacks
	masked    bool                                   // it is a masked language model's
	prefix    []int                                  // tokens before every text
	suffix    []int                                  // and behind it
	parts     *fileParts                             // nil: the files follow from the rest
	maxLength int
}

// pairForm is how two texts become one row of tokens.
type pairForm struct {
	seps int // [SEP]s between them
	kind int // token type of the second
}

// Special names the five tokens with a meaning of their own. A causal model's
// tokenizer may lack any of them.
type Special struct{ Pad, Unk, Cls, Sep, Mask string }

// DefaultSpecial are the names that practically every BERT uses.
var DefaultSpecial = Special{Pad: "[PAD]", Unk: "[UNK]", Cls: "[CLS]", Sep: "[SEP]", Mask: Mask}

// robertaSpecial are the names that RoBERTa uses.
var robertaSpecial = Special{Pad: "<pad>", Unk: "<unk>", Cls: "<s>", Sep: "</s>", Mask: "<mask>"}

// Mask stands for the mask token in the text of every tokenizer, whatever it
// calls its own, so that prompts do not depend on the model.
const Mask = "[MASK]"

// New makes a tokenizer of a vocabulary in which a token's index is its id.
// It must hold [PAD], [UNK], [CLS], [SEP] and [MASK]; pieces that continue a
// word begin with "##".
func New(vocab []string, opts Options) (*Tokenizer, error) {
	s := spec{
		norm: normalizer{
			cleanText: true, chinese: !opts.KeepChineseWords,
			stripAccents: opts.StripAccents, lowercase: !opts.Cased,
		},
		tokens: slices.Clone(vocab), prefix: "##", maxChars: 100,
		special: DefaultSpecial, maxLength: opts.MaxLength,
	}
	return s.build()
}

// MustNew is [New] for cells: it panics where New returns an error.
func MustNew(vocab []string, opts Options) *Tokenizer {
	t, err := New(vocab, opts)
	if err != nil {
		panic(err)
	}
	return t
}

// spec is everything that a tokenizer is made of, gathered from files or options.
type spec struct {
	norm     normalizer
	tokens   []string // by id, added tokens not included
	prefix   string
	maxChars int
	bpe      *bpe     // instead of a WordPiece of tokens, prefix and maxChars
	pair     pairForm // the zero value is BERT's
	causal   *causal  // nil: a masked language model's
	parts    *fileParts
	processing
	special   Special
	added     []Added // the special tokens among them or not
	maxLength int
}

func (s spec) build() (*Tokenizer, error) {
	t := &Tokenizer{
		norm: s.norm, pair: s.pair, special: s.special, maxLength: s.maxLength, vocabSize: len(s.tokens), tokens: s.tokens,
		masked: s.causal == nil, parts: s.parts,
	}
	if s.pair == (pairForm{}) {
		t.pair = pairForm{seps: 1, kind: 1}
	}
	ids := make(map[string]int, len(s.tokens))
	for id, token := range s.tokens {
		if token != "" {
			ids[token] = id
		}
	}
	if len(ids) == 0 {
		return nil, fmt.Errorf("tokenizer: the vocabulary is empty; give a vocab.txt with one token a line")
	}
	pieces := &wordPiece{ids: ids, prefix: s.prefix, maxChars: s.maxChars}
	t.model = pieces
	if s.bpe != nil {
		t.model = s.bpe
	}
	t.byToken = maps.Clone(ids) // words are not spelled with added tokens
	if err := t.add(s.added); err != nil {
		return nil, err
	}
	if err := t.findSpecial(); err != nil {
		return nil, err
	}
	if t.masked {
		t.prefix, t.suffix = []int{t.ids.cls}, []int{t.ids.sep}
	} else if err := t.findAround(s.causal); err != nil {
		return nil, err
	}
	pieces.unk = t.ids.unk
	t.raw = newMatcher(t.pick(false), func(a Added) []rune { return []rune(a.Content) })
	t.normed = newMatcher(t.pick(true), func(a Added) []rune {
		var out []rune
		for _, c := range t.norm.apply([]rune(a.Content), 0, false) {
			out = append(out, c.r)
		}
		return out
	})
	return t, nil
}

// add takes the added tokens, which may name tokens of the vocabulary or
// continue it.
func (t *Tokenizer) add(added []Added) error {
	added = slices.Clone(added)
	slices.SortStableFunc(added, func(a, b Added) int { return a.ID - b.ID })
	for _, a := range added {
		size := len(t.tokens)
		switch {
		case a.Content == "" || a.ID < 0 || a.ID > size:
			return fmt.Errorf("tokenizer: added token %q has id %d, but ids go on from %d; mend added_tokens in tokenizer.json", a.Content, a.ID, size)
		case a.ID == size:
			t.tokens = append(t.tokens, a.Content)
		case t.tokens[a.ID] == "":
			t.tokens[a.ID] = a.Content
		case t.tokens[a.ID] != a.Content:
			return fmt.Errorf("tokenizer: added token %q has id %d, which is %q in the vocabulary; mend added_tokens in tokenizer.json",
				a.Content, a.ID, t.tokens[a.ID])
		}
		t.byToken[a.Content] = a.ID
		t.added = append(t.added, a)
	}
	return nil
}

// findSpecial looks up the five special tokens, which are always added tokens.
// Without a mask they need not be there.
func (t *Tokenizer) findSpecial() error {
	for _, s := range []struct {
		token string
		id    *int
	}{
		{t.special.Pad, &t.ids.pad},
		{t.special.Unk, &t.ids.unk},
		{t.special.Cls, &t.ids.cls},
		{t.special.Sep, &t.ids.sep},
		{t.special.Mask, &t.ids.mask},
	} {
		id, ok := t.byToken[s.token]
		if *s.id = -1; !ok && !t.masked {
			continue
		}
		if !ok {
			return fmt.Errorf("tokenizer: the vocabulary of %d tokens lacks %s, which a masked language model needs; is this vocabulary such a model's?", len(t.tokens), s.token)
		}
		*s.id = id
		if !slices.ContainsFunc(t.added, func(a Added) bool { return a.Content == s.token }) {
			t.added = append(t.added, Added{ID: id, Content: s.token, Special: true})
		}
	}
	slices.SortStableFunc(t.added, func(a, b Added) int { return a.ID - b.ID })
	return nil
}

// pick lists the added tokens that are looked for in the normalised text, or
// in the raw one. [Mask] is another name of the mask token.
func (t *Tokenizer) pick(normalized bool) []Added {
	picked := slices.DeleteFunc(slices.Clone(t.added), func(a Added) bool { return a.Normalized != normalized })
	if _, ok := t.byToken[Mask]; ok {
		return picked
	}
	for _, a := range picked {
		if a.ID == t.ids.mask {
			a.Content = Mask
			return append(picked, a)
		}
	}
	return picked
}

// Size is the number of ids: one more than the largest.
func (t *Tokenizer) Size() int { return len(t.tokens) }

// ID looks a token up as it stands in the vocabulary: "##" included, and of a
// BPE in the characters that it writes bytes and spaces as.
func (t *Tokenizer) ID(token string) (int, bool) {
	id, ok := t.byToken[token]
	return id, ok
}

// Token is the token of an id as it stands in the vocabulary, or "" if there is
// none. What is to be read is [Tokenizer.Shown].
func (t *Tokenizer) Token(id int) string {
	if id < 0 || id >= len(t.tokens) {
		return ""
	}
	return t.tokens[id]
}

// Tokens is the whole vocabulary by id. The caller may keep and change it.
func (t *Tokenizer) Tokens() []string { return slices.Clone(t.tokens) }

// PadID is the id of [PAD], -1 if there is none.
func (t *Tokenizer) PadID() int { return t.ids.pad }

// UnkID is the id of [UNK], -1 if there is none.
func (t *Tokenizer) UnkID() int { return t.ids.unk }

// ClsID is the id of [CLS], -1 if there is none.
func (t *Tokenizer) ClsID() int { return t.ids.cls }

// SepID is the id of [SEP], -1 if there is none.
func (t *Tokenizer) SepID() int { return t.ids.sep }

// MaskID is the id of [MASK], -1 if there is none.
func (t *Tokenizer) MaskID() int { return t.ids.mask }

// Masked reports whether the tokenizer is a masked language model's, which has
// all five special tokens; one of a causal model may have none.
func (t *Tokenizer) Masked() bool { return t.masked }

// Cased reports whether capitals are told from small letters.
func (t *Tokenizer) Cased() bool { return !t.norm.lowercase }

// MaxLength is the longest text in tokens that tokenizer_config.json allows,
// or 0 if it does not say.
func (t *Tokenizer) MaxLength() int { return t.maxLength }

// IsSpecial reports whether id is one of the special tokens such as [CLS].
func (t *Tokenizer) IsSpecial(id int) bool {
	return slices.ContainsFunc(t.addedAs(id), func(a Added) bool { return a.Special })
}

func (t *Tokenizer) isAdded(id int) bool { return len(t.addedAs(id)) > 0 }

// addedAs are the added tokens with an id.
func (t *Tokenizer) addedAs(id int) []Added {
	start, _ := slices.BinarySearchFunc(t.added, id, func(a Added, id int) int { return a.ID - id })
	end := start
	for end < len(t.added) && t.added[end].ID == id {
		end++
	}
	return t.added[start:end]
}
