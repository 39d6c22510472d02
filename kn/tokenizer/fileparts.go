package tokenizer

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// fileParts are the parts of a BPE's tokenizer.json that say how text becomes
// words and what is put around it, and the other files beside it. Where they
// are not RoBERTa's they are written as they were read.
type fileParts struct {
	Normalizer    json.RawMessage `json:"normalizer"`
	PreTokenizer  json.RawMessage `json:"pre_tokenizer"`
	PostProcessor json.RawMessage `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`

	unk                string          // of its model
	config, specialMap json.RawMessage // [ConfigFile] and [SpecialTokensFile]; nil: there are none
	merges             bool            // [VocabularyJSONFile] and [MergesFile] are read in the place of tokenizer.json
}

// The parts of tokenizers that are given as vocab.json and merges.txt, as
// transformers makes them.
var (
	robertaParts = fileParts{
		PreTokenizer:  raw(map[string]any{"type": "ByteLevel", "add_prefix_space": false}),
		PostProcessor: raw(map[string]any{"type": "RobertaProcessing", "sep": []any{robertaSpecial.Sep, 2}, "cls": []any{robertaSpecial.Cls, 0}}),
	}
	gptParts = fileParts{
		PreTokenizer: raw(byteLevelPart(true)), PostProcessor: raw(byteLevelPart(true)), Decoder: raw(byteLevelPart(true)),
	}
	qwenParts = fileParts{
		Normalizer: raw(map[string]any{"type": "NFC"}),
		PreTokenizer: raw(map[string]any{"type": "Sequence", "pretokenizers": []any{
			map[string]any{"type": "Split", "pattern": map[string]any{"Regex": qwenPattern}, "behavior": "Isolated", "invert": false},
			byteLevelPart(false),
		}}),
		PostProcessor: raw(byteLevelPart(false)), Decoder: raw(byteLevelPart(false)),
	}
)

func byteLevelPart(pattern bool) any {
	return map[string]any{"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": false, "use_regex": pattern}
}

// raw is the JSON of a value that has one.
func raw(value any) json.RawMessage {
	data, err := marshal(value)
	if err != nil {
		panic(err)
	}
	return compact(data)
}

// compact is JSON, which was read as such, without white space.
func compact(data json.RawMessage) json.RawMessage {
	var b bytes.Buffer
	if data == nil || string(data) == "null" || json.Compact(&b, data) != nil {
		return nil
	}
	return b.Bytes()
}

// readPart reads one of the parts, nil if it is not there.
func readPart(data json.RawMessage) (*filePart, error) {
	if len(data) == 0 || string(data) == "null" {
		return nil, nil
	}
	p := &filePart{}
	if err := json.Unmarshal(data, p); err != nil {
		return nil, fmt.Errorf("%w; get the file again", err)
	}
	return p, nil
}

// spec builds a BPE of the tokens by id and the merges in order. Whether it is
// a masked language model's is still open if its template may be one's.
func (f fileParts) spec(tokens, merges []string) (spec, error) {
	var normalizer, preTokenizer, postProcessor *filePart
	var err error
	for _, p := range []struct {
		data json.RawMessage
		to   **filePart
	}{{f.Normalizer, &normalizer}, {f.PreTokenizer, &preTokenizer}, {f.PostProcessor, &postProcessor}} {
		if *p.to, err = readPart(p.data); err != nil {
			return spec{}, err
		}
	}
	s := spec{tokens: tokens}
	if s.norm.steps, err = normalizer.steps(); err != nil {
		return spec{}, err
	}
	stages, byteLevel, err := preTokenizer.stages()
	if err != nil {
		return spec{}, err
	}
	around, err := postProcessor.processing()
	if err != nil {
		return spec{}, err
	}
	if s.bpe, err = newBPE(tokens, merges, byteLevel); err != nil {
		return spec{}, err
	}
	s.bpe.stages, s.bpe.trimOffsets, s.bpe.trimPrefix = stages, around.trimOffsets, around.trimPrefix
	s.processing = around
	s.parts = &fileParts{
		Normalizer: compact(f.Normalizer), PreTokenizer: compact(f.PreTokenizer),
		PostProcessor: compact(f.PostProcessor), Decoder: compact(f.Decoder),
	}
	return s, nil
}

// gpt is the only stage of a tokenizer that cuts as GPT-2's does, or nil.
func (m *bpe) gpt() *byteLevelStage {
	if len(m.stages) != 1 {
		return nil
	}
	if s, ok := m.stages[0].(byteLevelStage); ok {
		return &s
	}
	return nil
}

// configureBPE applies tokenizer_config.json to a BPE that was read from file:
// it decides whose it is, and what goes around a text.
func (s *spec) configureBPE(c configFile, file string) error {
	s.parts.config, s.parts.specialMap = c.own, c.specialMap
	s.parts.merges = s.bpe.byteLevel && slices.Contains(mergesClasses, c.kind())
	mask := robertaSpecial.Mask
	if c.Mask != nil && *c.Mask != "" {
		mask = string(*c.Mask)
	}
	hasMask := slices.Contains(s.tokens, mask) || slices.ContainsFunc(s.added, func(a Added) bool { return a.Content == mask })
	if s.roberta != nil || s.bert != nil && hasMask {
		s.configureMasked(c)
		return nil
	}
	return s.configureCausal(c, file)
}

// configureMasked makes it a masked language model's.
func (s *spec) configureMasked(c configFile) {
	s.pair = *cmp.Or(s.roberta, s.bert)
	s.special = robertaSpecial
	s.special.Cls, s.special.Sep = s.cls, s.sep
	stage := s.bpe.gpt()
	if len(s.norm.steps) > 0 || stage == nil || !stage.pattern {
		return
	}
	s.parts, s.bpe.unk, s.bpe.fuse, s.bpe.fallback = nil, -1, false, false // RoBERTa's own
	if c.PrefixSpace != nil {
		stage.prefixSpace = *c.PrefixSpace
	}
	if c.TrimOffsets != nil {
		s.bpe.trimOffsets = *c.TrimOffsets
	}
	s.bpe.trimPrefix = stage.prefixSpace
	s.bpe.stages[0] = *stage
}

// configureCausal makes it a causal model's.
func (s *spec) configureCausal(c configFile, file string) error {
	s.causal, s.special = &s.around, Special{Unk: s.parts.unk}
	if stage := s.bpe.gpt(); stage != nil { // what is said, or transformers' default, holds over the file
		stage.prefixSpace = c.PrefixSpace != nil && *c.PrefixSpace
		s.bpe.stages[0] = *stage
	}
	if c.PrefixSpace != nil && !s.bpe.byteLevel && *c.PrefixSpace != s.prefixes() {
		return fmt.Errorf("tokenizer: %s sets add_prefix_space to %v, but %s does the opposite; take both from the same model", ConfigFile, *c.PrefixSpace, file)
	}
	ids := slices.SortedFunc(maps.Keys(c.Added), func(a, b string) int { return cmp.Or(len(a)-len(b), strings.Compare(a, b)) })
	for _, id := range ids {
		s.addSpecial([]Added{c.Added[id]})
	}
	begin, end := c.ends()
	for _, name := range []string{begin, end, tokenOf(c.Pad), tokenOf(c.Unk)} {
		// From merges.txt transformers adds those that the vocabulary lacks.
		if slices.Contains(s.tokens, name) || name != "" && file == VocabularyJSONFile {
			s.addSpecial([]Added{{Content: name, Special: true}})
		}
	}
	add := c.AddBegin
	if c.kind() == llamaClass { // it does not heed the file's post-processor
		s.causal = &causal{}
		if orTrue(add) {
			s.causal.prefix = []string{begin}
		}
		if c.AddEnd != nil && *c.AddEnd {
			s.causal.suffix = []string{end}
		}
	}
	if c.kind() == gptClass && file == VocabularyJSONFile && add != nil && *add {
		s.causal.prefix = []string{begin}
		i := slices.IndexFunc(s.added, func(a Added) bool { return a.Content == begin })
		s.parts.PostProcessor = raw(beginTemplate(begin, s.added[i].ID))
	}
	return nil
}

// prefixes says whether a space is put before text.
func (s *spec) prefixes() bool { return putsSpace(s.norm, s.bpe) }

// putsSpace says whether a BPE puts a space before text.
func putsSpace(n normalizer, m *bpe) bool {
	before := func(step normalStep) bool {
		return !step.compose && step.before == "" && (step.with == " " || step.with == metaspace)
	}
	return slices.ContainsFunc(n.steps, before) || slices.ContainsFunc(m.stages, func(s stage) bool {
		switch s := s.(type) {
		case byteLevelStage:
			return s.prefixSpace
		case metaspaceStage:
			return s.prefix != prefixNever
		}
		return false
	})
}

// beginTemplate is the post-processor that puts a token before each text.
func beginTemplate(token string, id int) any {
	special := func(kind int) any { return templatePart{SpecialToken: &templateID{token, kind}} }
	text := func(name string, kind int) any { return templatePart{Sequence: &templateID{name, kind}} }
	return map[string]any{
		"type": "TemplateProcessing", "single": []any{special(0), text("A", 0)}, "pair": []any{special(0), text("A", 0), text("B", 1)},
		"special_tokens": map[string]any{token: map[string]any{"id": token, "ids": []int{id}, "tokens": []string{token}}},
	}
}

// causal names the tokens that go around a causal model's text.
type causal struct{ prefix, suffix []string }

// findAround looks these up.
func (t *Tokenizer) findAround(c *causal) error {
	for _, side := range []struct {
		names []string
		ids   *[]int
	}{{c.prefix, &t.prefix}, {c.suffix, &t.suffix}} {
		for _, name := range side.names {
			id, ok := t.byToken[name]
			if !ok {
				return fmt.Errorf("tokenizer: %s goes around every text, but the vocabulary lacks it; take both from the same model", name)
			}
			*side.ids = append(*side.ids, id)
		}
	}
	return nil
}

// partsFiles are the files of a BPE with the parts as they were read.
func (t *Tokenizer) partsFiles(m *bpe) map[string]any {
	orNull := func(data json.RawMessage) json.RawMessage {
		if data == nil {
			return json.RawMessage("null")
		}
		return data
	}
	var unk any
	if t.parts.unk != "" {
		unk = t.parts.unk
	}
	files := map[string]any{TokenizerFile: map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil, "added_tokens": t.added,
		"normalizer": orNull(t.parts.Normalizer), "pre_tokenizer": orNull(t.parts.PreTokenizer),
		"post_processor": orNull(t.parts.PostProcessor), "decoder": orNull(t.parts.Decoder),
		"model": map[string]any{
			"type": "BPE", "dropout": nil, "unk_token": unk, "continuing_subword_prefix": nil, "end_of_word_suffix": nil,
			"fuse_unk": m.fuse, "byte_fallback": m.fallback, "ignore_merges": m.whole, "vocab": t.vocabularyOf(m.ids), "merges": m.merges,
		},
	}}
	for name, data := range map[string]json.RawMessage{ConfigFile: t.parts.config, SpecialTokensFile: t.parts.specialMap} {
		if data != nil {
			files[name] = data
		}
	}
	return files
}
