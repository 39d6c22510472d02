package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// fileBPE is tokenizer.json, as far as a BPE needs it.
type fileBPE struct {
	AddedTokens []Added `json:"added_tokens"`
	fileParts
	Model struct {
		Dropout  *float64       `json:"dropout"`
		Unk      *string        `json:"unk_token"`
		Prefix   string         `json:"continuing_subword_prefix"`
		Suffix   string         `json:"end_of_word_suffix"`
		Fuse     bool           `json:"fuse_unk"`
		Fallback bool           `json:"byte_fallback"`
		Whole    bool           `json:"ignore_merges"`
		Vocab    map[string]int `json:"vocab"`
		Merges   mergeList      `json:"merges"`
	} `json:"model"`
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

// parseBPE reads a byte-level BPE or one of SentencePiece's form.
func parseBPE(data []byte) (spec, error) {
	var f fileBPE
	if err := json.Unmarshal(data, &f); err != nil {
		return spec{}, fmt.Errorf("%w; get the file again", err)
	}
	if m := f.Model; m.Dropout != nil && *m.Dropout != 0 || m.Prefix != "" || m.Suffix != "" {
		return spec{}, errors.New("its BPE has a dropout, or marks the insides or ends of words, which is not supported")
	}
	tokens, err := tokensByID(f.Model.Vocab)
	if err != nil {
		return spec{}, err
	}
	s, err := f.fileParts.spec(tokens, f.Model.Merges)
	if err != nil {
		return spec{}, err
	}
	s.added, s.bpe.whole = f.AddedTokens, f.Model.Whole
	s.bpe.fuse, s.bpe.fallback = f.Model.Fuse, f.Model.Fallback
	if unk := f.Model.Unk; unk != nil && *unk != "" {
		id, ok := s.bpe.ids[*unk]
		if !ok {
			return spec{}, fmt.Errorf("its unk_token is %q, which is not in the vocabulary; get the file again", *unk)
		}
		s.bpe.unk, s.parts.unk = id, *unk
	}
	if s.bpe.byteLevel && s.bpe.fallback && slices.Contains(s.bpe.bytes[:], -1) {
		return spec{}, errors.New("its byte-level BPE lacks bytes and has a byte_fallback, which is not supported")
	}
	return s, nil
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
	return has(VocabularyJSONFile) && (!has(VocabularyFile) || slices.Contains(mergesClasses, c.kind()))
}

// openMerges reads vocab.json and merges.txt as RoBERTa's, whose mask takes the
// space before it; as GPT-2's or Qwen's if tokenizer_config.json asks for these,
// or does not say and there is no mask.
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
	files := robertaParts
	_, masked := vocab[robertaSpecial.Mask]
	_, ended := vocab[endOfText]
	switch own := config.kind(); {
	case own == qwenClass:
		files = qwenParts
	case own == gptClass || own == "" && !masked && ended:
		files = gptParts
	}
	s, err := files.spec(tokens, parseMerges(data))
	if err != nil {
		return nil, fmt.Errorf("tokenizer: %s: %w", MergesFile, err)
	}
	if s.added, err = config.addedTokens(fsys); err != nil {
		return nil, err
	}
	mask := robertaSpecial.Mask
	if config.Mask != nil && *config.Mask != "" {
		mask = string(*config.Mask)
	}
	if id, ok := vocab[mask]; ok && s.roberta != nil && !slices.ContainsFunc(s.added, func(a Added) bool { return a.Content == mask }) {
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
func (m *bpe) mergesFile() []byte {
	return []byte("#version: 0.2\n" + strings.Join(append(slices.Clone(m.merges), ""), "\n"))
}

// byteLevelFile is tokenizer.json of a byte-level BPE in RoBERTa's form.
func (t *Tokenizer) byteLevelFile(m *bpe) any {
	prefixSpace := m.gpt().prefixSpace
	stage := map[string]any{"type": "ByteLevel", "add_prefix_space": prefixSpace, "trim_offsets": m.trimOffsets, "use_regex": true}
	processor := t.template()
	if t.pair == (pairForm{seps: 2, kind: 0}) {
		processor = map[string]any{
			"type": "RobertaProcessing", "sep": []any{t.special.Sep, t.ids.sep}, "cls": []any{t.special.Cls, t.ids.cls},
			"trim_offsets": m.trimOffsets, "add_prefix_space": prefixSpace,
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

// byteLevelConfig is its tokenizer_config.json.
func (t *Tokenizer) byteLevelConfig(m *bpe) any {
	c := map[string]any{
		"added_tokens_decoder": t.addedByID(), "clean_up_tokenization_spaces": false, "errors": "replace",
		"add_prefix_space": m.gpt().prefixSpace, "trim_offsets": m.trimOffsets, "tokenizer_class": "PreTrainedTokenizerFast",
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
