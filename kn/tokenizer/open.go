package tokenizer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/gitlfs"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/utf8text"
)

// The files of a Hugging Face folder that hold the tokenizer.
const (
	TokenizerFile  = "tokenizer.json"
	VocabularyFile = "vocab.txt" // of a WordPiece
	// VocabularyJSONFile and MergesFile are a byte-level BPE's.
	VocabularyJSONFile = "vocab.json"
	MergesFile         = "merges.txt"
	ConfigFile         = "tokenizer_config.json"
	SpecialTokensFile  = "special_tokens_map.json"
	addedTokensFile    = "added_tokens.json"
	sentencePieceFile  = "tokenizer.model"
)

// Open reads the tokenizer of a folder in Hugging Face format: tokenizer.json
// if it is there, else vocab.txt, or vocab.json and merges.txt. What
// tokenizer_config.json says about case, accents and CJK characters, the space
// before a text and the tokens around it holds over tokenizer.json where it
// does in transformers. Whether the tokenizer is a masked language model's,
// which must have its special tokens, is seen from the tokens that it puts
// around a text (see [Tokenizer.Masked]). A vocab.txt without any word about case is taken to be uncased, as there; a
// tokenizer.json speaks for itself (transformers 4 would lower the text of a
// cased one all the same).
func Open(fsys fs.FS) (*Tokenizer, error) {
	config, err := readConfig(fsys)
	if err != nil {
		return nil, err
	}
	data, err := readText(fsys, TokenizerFile)
	if errors.Is(err, fs.ErrNotExist) {
		if hasMerges(fsys, config) {
			return openMerges(fsys, config)
		}
		return openVocabulary(fsys, config)
	}
	if err != nil {
		return nil, fmt.Errorf("tokenizer: cannot read %s: %w", TokenizerFile, err)
	}
	s, err := parseTokenizer(data)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %s: %w", TokenizerFile, err)
	}
	return s.with(config, TokenizerFile)
}

// MustOpen is [Open] for cells: it panics where Open returns an error.
func MustOpen(fsys fs.FS) *Tokenizer {
	t, err := Open(fsys)
	if err != nil {
		panic(err)
	}
	return t
}

// readText reads a text file, which must be UTF-8.
func readText(fsys fs.FS, name string) ([]byte, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, err
	}
	if err := gitlfs.Check(data); err != nil {
		return nil, err
	}
	return utf8text.Clean(data, name)
}

func openVocabulary(fsys fs.FS, config configFile) (*Tokenizer, error) {
	if _, err := fs.Stat(fsys, sentencePieceFile); err == nil {
		return nil, fmt.Errorf("tokenizer: %s is not read here, but the %s that transformers makes of it; in Python: AutoTokenizer.from_pretrained(folder).save_pretrained(folder)",
			sentencePieceFile, TokenizerFile)
	}
	if config.Class == backendClass || config.kind() == llamaClass {
		return nil, fmt.Errorf("tokenizer: %s asks for a %s, which needs a %s; copy it from where the model came from", ConfigFile, config.Class, TokenizerFile)
	}
	if slices.Contains(mergesClasses, config.kind()) {
		return nil, fmt.Errorf("tokenizer: %s asks for a %s, which needs a %s, or a %s with a %s; copy them from where the model came from",
			ConfigFile, config.Class, TokenizerFile, VocabularyJSONFile, MergesFile)
	}
	data, err := readText(fsys, VocabularyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("tokenizer: the folder has neither %s nor %s, nor %s with %s; copy one of them from where the model came from: %w",
			TokenizerFile, VocabularyFile, VocabularyJSONFile, MergesFile, err)
	}
	if err != nil {
		return nil, fmt.Errorf("tokenizer: cannot read %s: %w", VocabularyFile, err)
	}
	tokens, err := parseVocabulary(data)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %s: %w", VocabularyFile, err)
	}
	s := spec{
		norm:   normalizer{cleanText: true, chinese: true, lowercase: true},
		tokens: tokens, prefix: "##", maxChars: 100, special: DefaultSpecial,
	}
	if s.added, err = config.addedTokens(fsys); err != nil {
		return nil, err
	}
	return s.with(config, VocabularyFile)
}

// parseVocabulary reads one token a line; the line's number is the id. Blanks at
// a line's end are no part of its token, and blank lines at the end are none.
func parseVocabulary(data []byte) ([]string, error) {
	tokens := strings.Split(string(data), "\n")
	for i, token := range tokens {
		tokens[i] = strings.TrimRight(token, " \t\r") // and no other space: there are tokens such as ##\u3000
	}
	for len(tokens) > 0 && tokens[len(tokens)-1] == "" {
		tokens = tokens[:len(tokens)-1]
	}
	if len(tokens) == 0 {
		return nil, errors.New("empty file; get it again")
	}
	return tokens, nil
}

// configFile is what we read of tokenizer_config.json, and of the older
// special_tokens_map.json, which has the names of special tokens only.
type configFile struct {
	LowerCase    *bool      `json:"do_lower_case"`
	StripAccents *bool      `json:"strip_accents"`
	Chinese      *bool      `json:"tokenize_chinese_chars"`
	MaxLength    float64    `json:"model_max_length"` // 1e30 stands for "no limit"
	Pad          *tokenName `json:"pad_token"`
	Unk          *tokenName `json:"unk_token"`
	Cls          *tokenName `json:"cls_token"`
	Sep          *tokenName `json:"sep_token"`
	Mask         *tokenName `json:"mask_token"`
	Begin        *tokenName `json:"bos_token"`
	End          *tokenName `json:"eos_token"`
	Class        string     `json:"tokenizer_class"`
	PrefixSpace  *bool      `json:"add_prefix_space"`
	TrimOffsets  *bool      `json:"trim_offsets"`
	AddBegin     *bool      `json:"add_bos_token"`
	AddEnd       *bool      `json:"add_eos_token"`

	Added map[string]Added `json:"added_tokens_decoder"` // by id
	// Special tokens of a model's own: "additional" until transformers 5, "extra" since.
	Additional extraTokens `json:"additional_special_tokens"`
	Extra      extraTokens `json:"extra_special_tokens"`

	own, specialMap json.RawMessage // the two files themselves, nil if they are not there
}

// kind is the tokenizer's class, whether it is the fast one or not.
func (c configFile) kind() string { return strings.TrimSuffix(c.Class, "Fast") }

// ends names the tokens that begin and end a causal model's texts, "" if there
// is none.
func (c configFile) ends() (begin, end string) {
	begin, end = tokenOf(c.Begin), tokenOf(c.End)
	switch c.kind() {
	case gptClass:
		return cmp.Or(begin, endOfText), cmp.Or(end, endOfText)
	case qwenClass:
		return begin, cmp.Or(end, endOfText)
	case llamaClass:
		return cmp.Or(begin, "<s>"), cmp.Or(end, "</s>")
	}
	return begin, end
}

// tokenOf is a token's name, "" if it is not given.
func tokenOf(n *tokenName) string {
	if n == nil {
		return ""
	}
	return string(*n)
}

// extraTokens are tokens as a list or, by names that do not matter here, as an
// object; each a string or an object as [Added] has it.
type extraTokens []Added

// UnmarshalJSON reads either form.
func (e *extraTokens) UnmarshalJSON(data []byte) error {
	var list []json.RawMessage
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		var named map[string]json.RawMessage
		if err := json.Unmarshal(data, &named); err != nil {
			return err
		}
		for _, name := range slices.Sorted(maps.Keys(named)) {
			list = append(list, named[name])
		}
	} else if err := json.Unmarshal(data, &list); err != nil {
		return err
	}
	*e = nil // what another file said
	for _, item := range list {
		a := Added{}
		err := json.Unmarshal(item, &a.Content)
		if err != nil {
			err = json.Unmarshal(item, &a)
		}
		if err != nil || a.Content == "" {
			return fmt.Errorf("special token %s is neither a string nor an object with its content", item)
		}
		a.Special = true
		*e = append(*e, a)
	}
	return nil
}

// tokenName is a token given as a string or as an object with its content.
type tokenName string

// UnmarshalJSON reads either form.
func (n *tokenName) UnmarshalJSON(data []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")) {
		var object struct {
			Content string `json:"content"`
		}
		err := json.Unmarshal(data, &object)
		*n = tokenName(object.Content)
		return err
	}
	return json.Unmarshal(data, (*string)(n))
}

// addedTokens lists the added tokens beside a vocab.txt: those of
// tokenizer_config.json, or of the added_tokens.json of older versions.
func (c configFile) addedTokens(fsys fs.FS) ([]Added, error) {
	var added []Added
	for id, a := range c.Added {
		n, err := strconv.Atoi(id)
		if err != nil {
			return nil, fmt.Errorf("tokenizer: %s: added_tokens_decoder has the id %q; get the file again", ConfigFile, id)
		}
		a.ID = n
		added = append(added, a)
	}
	data, err := readText(fsys, addedTokensFile)
	if len(added) > 0 || errors.Is(err, fs.ErrNotExist) {
		return added, nil
	}
	var ids map[string]int
	if err == nil {
		err = json.Unmarshal(data, &ids)
	}
	if err != nil {
		return nil, fmt.Errorf("tokenizer: cannot read %s: %w; get the file again", addedTokensFile, err)
	}
	for content, id := range ids {
		added = append(added, Added{ID: id, Content: content, Normalized: true})
	}
	return added, nil
}

// backendClass is what transformers 5 calls a tokenizer that is all in
// tokenizer.json.
const backendClass = "TokenizersBackend"

// transformers' classes of byte-pair encodings with rules of their own.
const (
	robertaClass = "RobertaTokenizer"
	gptClass     = "GPT2Tokenizer"
	qwenClass    = "Qwen2Tokenizer"
	llamaClass   = "LlamaTokenizer"
)

// mergesClasses are those that can be read from vocab.json and merges.txt.
var mergesClasses = []string{robertaClass, gptClass, qwenClass}

// endOfText is the special token of GPT-2, and one of Qwen's.
const endOfText = "<|endoftext|>"

// readConfig reads special_tokens_map.json and tokenizer_config.json, which
// holds over it.
func readConfig(fsys fs.FS) (configFile, error) {
	var c configFile
	for _, name := range []string{SpecialTokensFile, ConfigFile} {
		data, err := readText(fsys, name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = json.Unmarshal(data, &c)
		}
		if err != nil {
			return c, fmt.Errorf("tokenizer: cannot read %s: %w; get the file again", name, err)
		}
		if name == ConfigFile {
			c.own = compact(data)
		} else {
			c.specialMap = compact(data)
		}
	}
	switch c.kind() {
	case robertaClass, gptClass, qwenClass, llamaClass, "", "BertTokenizer", "DistilBertTokenizer", "ElectraTokenizer", "PreTrainedTokenizer", backendClass:
		return c, nil
	}
	return c, fmt.Errorf("tokenizer: %s asks for a %s; only BERT's WordPiece and the byte-pair encodings of RoBERTa, GPT-2, Llama and Qwen are supported", ConfigFile, c.Class)
}

// addSpecial adds special tokens, with the ids that the vocabulary or the
// tokens added before have for them, or behind both.
func (s *spec) addSpecial(extra []Added) {
	next := len(s.tokens)
	for _, a := range s.added {
		next = max(next, a.ID+1)
	}
	for _, a := range extra {
		if slices.ContainsFunc(s.added, func(b Added) bool { return b.Content == a.Content }) {
			continue
		}
		if a.ID = slices.Index(s.tokens, a.Content); a.ID < 0 {
			a.ID = next
			next++
		}
		s.added = append(s.added, a)
	}
}

// with applies tokenizer_config.json and builds the tokenizer.
func (s spec) with(c configFile, file string) (*Tokenizer, error) {
	if s.bpe == nil {
		s.norm.configure(c)
	} else if err := s.configureBPE(c, file); err != nil {
		return nil, err
	}
	if c.MaxLength >= 1 && c.MaxLength < 1<<31 {
		s.maxLength = int(c.MaxLength)
	}
	for _, name := range []struct {
		from *tokenName
		to   *string
	}{{c.Pad, &s.special.Pad}, {c.Unk, &s.special.Unk}, {c.Cls, &s.special.Cls}, {c.Sep, &s.special.Sep}, {c.Mask, &s.special.Mask}} {
		if name.from != nil && *name.from != "" {
			*name.to = string(*name.from)
		}
	}
	s.addSpecial(append(c.Additional, c.Extra...))
	t, err := s.build()
	if err != nil {
		return nil, fmt.Errorf("%w (in %s)", err, file)
	}
	return t, nil
}

// configure applies tokenizer_config.json, as far as it is said there.
func (n *normalizer) configure(c configFile) {
	if c.LowerCase != nil {
		n.lowercase = *c.LowerCase
	}
	if c.StripAccents != nil {
		n.stripAccents = c.StripAccents
	}
	if c.Chinese != nil {
		n.chinese = *c.Chinese
	}
}
