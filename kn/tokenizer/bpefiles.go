package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// fileBPE is tokenizer.json, as far as a byte-level BPE needs it.
type fileBPE struct {
	AddedTokens  []Added         `json:"added_tokens"`
	Normalizer   json.RawMessage `json:"normalizer"`
	PreTokenizer struct {
		Type        string `json:"type"`
		PrefixSpace bool   `json:"add_prefix_space"`
		Regex       *bool  `json:"use_regex"` // nil: true, as in older files
	} `json:"pre_tokenizer"`
	PostProcessor *struct {
		fileTemplate
		Sep         specialID `json:"sep"`
		Cls         specialID `json:"cls"`
		TrimOffsets *bool     `json:"trim_offsets"`
	} `json:"post_processor"`
	Model struct {
		Dropout *float64       `json:"dropout"`
		Prefix  string         `json:"continuing_subword_prefix"`
		Suffix  string         `json:"end_of_word_suffix"`
		Whole   bool           `json:"ignore_merges"`
		Vocab   map[string]int `json:"vocab"`
		Merges  mergeList      `json:"merges"`
	} `json:"model"`
}

// specialID is a token with its id: ["</s>", 2].
type specialID struct{ token string }

// UnmarshalJSON reads the pair.
func (s *specialID) UnmarshalJSON(data []byte) error {
	var id int
	return json.Unmarshal(data, &[]any{&s.token, &id})
}

// mergeList are merges, each "a b" or, since tokenizers 0.20, ["a", "b"].
type mergeList []string

// UnmarshalJSON reads either form.
func (m *mergeList) UnmarshalJSON(data []byte) error {
	if err := json.Unmarshal(data, (*[]string)(m)); err == nil {
		return nil
	}
	var pairs [][]string
	if err := json.Unmarshal(data, &pairs); err != nil {
		return err
	}
	*m = nil
	for _, pair := range pairs {
		*m = append(*m, strings.Join(pair, " "))
	}
	return nil
}

// parseByteLevel refuses what is not the form of GPT-2 and RoBERTa.
func parseByteLevel(data []byte) (spec, error) {
	var f fileBPE
	if err := json.Unmarshal(data, &f); err != nil {
		return spec{}, fmt.Errorf("%w; get the file again", err)
	}
	const remedy = "only the byte-level BPE of GPT-2 and RoBERTa is supported; if the folder has a vocab.json and a merges.txt of that kind, remove tokenizer.json"
	regex := f.PreTokenizer.Regex
	switch m := f.Model; {
	case len(f.Normalizer) > 0 && string(f.Normalizer) != "null":
		return spec{}, errors.New("it has a normalizer; " + remedy)
	case f.PreTokenizer.Type != "ByteLevel" || regex != nil && !*regex:
		return spec{}, errors.New("its pre-tokenizer is not ByteLevel with its own pattern; " + remedy)
	case m.Dropout != nil && *m.Dropout != 0 || m.Prefix != "" || m.Suffix != "":
		return spec{}, errors.New("its BPE has a dropout, or marks the insides or ends of words; " + remedy)
	case f.PostProcessor == nil:
		return spec{}, errors.New("it has no post-processor that adds the special tokens at both ends; " + remedy)
	}
	tokens, err := tokensByID(f.Model.Vocab)
	if err != nil {
		return spec{}, err
	}
	s := spec{tokens: tokens, special: robertaSpecial, added: f.AddedTokens}
	if s.bytes, err = newByteLevel(tokens, f.Model.Merges); err != nil {
		return spec{}, err
	}
	s.bytes.prefixSpace, s.bytes.whole = f.PreTokenizer.PrefixSpace, f.Model.Whole
	p := f.PostProcessor
	if p.TrimOffsets != nil {
		s.bytes.trimOffsets = *p.TrimOffsets
	}
	switch p.Type {
	case "RobertaProcessing":
		s.special.Cls, s.special.Sep, s.pair = p.Cls.token, p.Sep.token, pairForm{seps: 2, kind: 0}
		return s, nil
	case "TemplateProcessing":
		s.bytes.trimOffsets = false // it is the other one that does
		s.pair, err = p.form(&s.special)
		return s, err
	}
	return spec{}, fmt.Errorf("its post-processor is %s; %s", p.Type, remedy)
}

// form reads [CLS] A [SEP] and, for a pair, [CLS] A [SEP] B [SEP] with one
// [SEP] or two in the middle.
func (p *fileTemplate) form(s *Special) (pairForm, error) {
	wrong := errors.New("its post-processor's template is neither [CLS] A [SEP] nor RoBERTa's")
	is := func(part templatePart, special bool, kind int) bool {
		return (part.SpecialToken != nil) == special && part.typeID() == kind
	}
	if len(p.Single) != 3 || !is(p.Single[0], true, 0) || !is(p.Single[1], false, 0) || !is(p.Single[2], true, 0) {
		return pairForm{}, wrong
	}
	s.Cls, s.Sep = p.Single[0].SpecialToken.ID, p.Single[2].SpecialToken.ID
	n := len(p.Pair)
	if n != 5 && n != 6 {
		return pairForm{}, wrong
	}
	form := pairForm{seps: n - 4, kind: p.Pair[n-1].typeID()}
	for i, part := range p.Pair {
		kind := 0
		if i >= n-2 {
			kind = form.kind
		}
		if !is(part, i != 1 && i != n-2, kind) || part.SpecialToken != nil && i > 0 && part.SpecialToken.ID != s.Sep {
			return pairForm{}, wrong
		}
	}
	return form, nil
}

// hasMerges says whether the folder's vocabulary is a byte-level BPE's: where
// it has both kinds, tokenizer_config.json decides.
func hasMerges(fsys fs.FS, c configFile) bool {
	has := func(name string) bool {
		_, err := fs.Stat(fsys, name)
		return err == nil
	}
	return has(VocabularyJSONFile) && (!has(VocabularyFile) || strings.TrimSuffix(c.Class, "Fast") == robertaClass)
}

// openMerges reads vocab.json and merges.txt as RoBERTa's, whose mask takes the
// space before it.
func openMerges(fsys fs.FS, config configFile) (*Tokenizer, error) {
	vocabulary, err := readText(fsys, VocabularyJSONFile)
	if err != nil {
		return nil, fmt.Errorf("tokenizer: cannot read %s: %w", VocabularyJSONFile, err)
	}
	var vocab map[string]int
	var tokens []string
	if err = json.Unmarshal(vocabulary, &vocab); err == nil {
		tokens, err = tokensByID(vocab)
	}
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %s: %w; get the file again", VocabularyJSONFile, err)
	}
	data, err := readText(fsys, MergesFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("tokenizer: the folder has a %s but no %s; copy it from where the model came from: %w", VocabularyJSONFile, MergesFile, err)
	}
	if err != nil {
		return nil, fmt.Errorf("tokenizer: cannot read %s: %w", MergesFile, err)
	}
	s := spec{tokens: tokens, special: robertaSpecial, pair: pairForm{seps: 2, kind: 0}}
	if s.bytes, err = newByteLevel(tokens, parseMerges(data)); err != nil {
		return nil, fmt.Errorf("tokenizer: %s: %w", MergesFile, err)
	}
	if s.added, err = config.addedTokens(fsys); err != nil {
		return nil, err
	}
	mask := s.special.Mask
	if config.Mask != nil && *config.Mask != "" {
		mask = string(*config.Mask)
	}
	if id, ok := vocab[mask]; ok && !slices.ContainsFunc(s.added, func(a Added) bool { return a.Content == mask }) {
		s.added = append(s.added, Added{ID: id, Content: mask, LStrip: true, Special: true})
	}
	return s.with(config, VocabularyJSONFile)
}

// parseMerges reads one merge a line, below a line with the version.
func parseMerges(data []byte) []string {
	var merges []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimRight(line, "\r\n"); line != "" && !strings.HasPrefix(line, "#version") {
			merges = append(merges, line)
		}
	}
	return merges
}

// mergesFile is merges.txt.
func (m *byteLevel) mergesFile() []byte {
	return []byte("#version: 0.2\n" + strings.Join(append(slices.Clone(m.merges), ""), "\n"))
}

// byteLevelFile is tokenizer.json of a byte-level BPE.
func (t *Tokenizer) byteLevelFile(m *byteLevel) any {
	stage := map[string]any{"type": "ByteLevel", "add_prefix_space": m.prefixSpace, "trim_offsets": m.trimOffsets, "use_regex": true}
	processor := t.template()
	if t.pair == (pairForm{seps: 2, kind: 0}) {
		processor = map[string]any{
			"type": "RobertaProcessing", "sep": []any{t.special.Sep, t.ids.sep}, "cls": []any{t.special.Cls, t.ids.cls},
			"trim_offsets": m.trimOffsets, "add_prefix_space": m.prefixSpace,
		}
	}
	return map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil, "added_tokens": t.added, "normalizer": nil,
		"pre_tokenizer": stage, "post_processor": processor, "decoder": stage,
		"model": map[string]any{
			"type": "BPE", "dropout": nil, "unk_token": nil, "continuing_subword_prefix": "", "end_of_word_suffix": "",
			"fuse_unk": false, "byte_fallback": false, "ignore_merges": m.whole, "vocab": t.vocabularyOf(m.ids), "merges": m.merges,
		},
	}
}

// byteLevelConfig is tokenizer_config.json of a byte-level BPE.
func (t *Tokenizer) byteLevelConfig(m *byteLevel) any {
	c := map[string]any{
		"added_tokens_decoder": t.addedByID(), "clean_up_tokenization_spaces": false, "errors": "replace",
		"add_prefix_space": m.prefixSpace, "trim_offsets": m.trimOffsets, "tokenizer_class": "PreTrainedTokenizerFast",
		"bos_token": t.special.Cls, "eos_token": t.special.Sep,
	}
	if t.pair.seps == 2 {
		c["tokenizer_class"] = robertaClass
	}
	if t.maxLength > 0 {
		c["model_max_length"] = t.maxLength
	}
	for name, value := range t.specialMap() {
		c[name] = value
	}
	return c
}
