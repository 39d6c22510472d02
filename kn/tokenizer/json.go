package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"
)

// file is tokenizer.json, as far as a BERT needs it.
type file struct {
	Version       string          `json:"version"`
	Truncation    json.RawMessage `json:"truncation"`
	Padding       json.RawMessage `json:"padding"`
	AddedTokens   []Added         `json:"added_tokens"`
	Normalizer    *fileNormalizer `json:"normalizer"`
	PreTokenizer  *fileType       `json:"pre_tokenizer"`
	PostProcessor *fileTemplate   `json:"post_processor"`
	Decoder       json.RawMessage `json:"decoder"`
	Model         fileModel       `json:"model"`
}

type fileType struct {
	Type string `json:"type"`
}

type fileNormalizer struct {
	Type         string `json:"type"`
	CleanText    bool   `json:"clean_text"`
	Chinese      bool   `json:"handle_chinese_chars"`
	StripAccents *bool  `json:"strip_accents"`
	Lowercase    bool   `json:"lowercase"`
}

type fileModel struct {
	Type     string         `json:"type"`
	Unk      string         `json:"unk_token"`
	Prefix   string         `json:"continuing_subword_prefix"`
	MaxChars int            `json:"max_input_chars_per_word"`
	Vocab    map[string]int `json:"vocab"`
}

// fileTemplate is the post-processor in its newer form (TemplateProcessing) or
// its older one (BertProcessing, whose sep and cls are not read: the names in
// tokenizer_config.json hold).
type fileTemplate struct {
	Type   string         `json:"type"`
	Single []templatePart `json:"single"`
	Pair   []templatePart `json:"pair"`
}

type templatePart struct {
	SpecialToken *templateID `json:"SpecialToken,omitempty"`
	Sequence     *templateID `json:"Sequence,omitempty"`
}

type templateID struct {
	ID     string `json:"id"`
	TypeID int    `json:"type_id"`
}

// parseTokenizer reads tokenizer.json: that of a WordPiece or of a BPE.
func parseTokenizer(data []byte) (spec, error) {
	var kind struct {
		Model struct {
			Type   string          `json:"type"`
			Merges json.RawMessage `json:"merges"`
		} `json:"model"`
	}
	if err := json.Unmarshal(data, &kind); err != nil {
		return spec{}, fmt.Errorf("%w; get the file again", err)
	}
	// Files of 2020, such as roberta-base's, do not name the type.
	switch named := kind.Model.Type; {
	case named == "BPE" || named == "" && kind.Model.Merges != nil:
		return parseBPE(data)
	case named == "WordPiece" || named == "":
		return parseWordPiece(data)
	}
	return spec{}, fmt.Errorf("its model is %s; only BERT's WordPiece, and byte-pair encoding (BPE) as GPT-2, RoBERTa, Llama, Qwen and Mistral have it, are supported", kind.Model.Type)
}

// parseWordPiece refuses what is not a BERT's.
func parseWordPiece(data []byte) (spec, error) {
	f := file{Normalizer: &fileNormalizer{}}
	if err := json.Unmarshal(data, &f); err != nil {
		return spec{}, fmt.Errorf("%w; get the file again", err)
	}
	if err := f.check(); err != nil {
		return spec{}, err
	}
	tokens, err := tokensByID(f.Model.Vocab)
	if err != nil {
		return spec{}, err
	}
	n := f.Normalizer
	s := spec{
		norm:   normalizer{cleanText: n.CleanText, chinese: n.Chinese, stripAccents: n.StripAccents, lowercase: n.Lowercase},
		tokens: tokens, prefix: f.Model.Prefix, maxChars: f.Model.MaxChars, special: DefaultSpecial, added: f.AddedTokens,
	}
	if f.Model.Unk != "" {
		s.special.Unk = f.Model.Unk
	}
	return s, f.PostProcessor.special(&s.special)
}

func (f file) check() error {
	const remedy = "only BERT's WordPiece is supported; if the folder has a vocab.txt, remove tokenizer.json"
	switch {
	case f.Normalizer == nil || f.Normalizer.Type != "BertNormalizer":
		return errors.New("its normalizer is not BertNormalizer; " + remedy)
	case f.PreTokenizer == nil || f.PreTokenizer.Type != "BertPreTokenizer":
		return errors.New("its pre-tokenizer is not BertPreTokenizer; " + remedy)
	case f.PostProcessor == nil || f.PostProcessor.Type != "TemplateProcessing" && f.PostProcessor.Type != "BertProcessing":
		return errors.New("its post-processor does not add [CLS] and [SEP]; " + remedy)
	case f.Model.MaxChars <= 0:
		return fmt.Errorf("max_input_chars_per_word is %d; BERT's is 100", f.Model.MaxChars)
	}
	return nil
}

// tokensByID lists a vocabulary by id.
func tokensByID(vocab map[string]int) ([]string, error) {
	size := 0
	for token, id := range vocab {
		// A vocabulary may have a few holes, where vocab.txt had a token twice.
		if id < 0 || id > 2*len(vocab) {
			return nil, fmt.Errorf("token %q of a vocabulary of %d has id %d; get the file again", token, len(vocab), id)
		}
		size = max(size, id+1)
	}
	tokens := make([]string, size)
	for token, id := range vocab {
		if tokens[id] != "" {
			return nil, fmt.Errorf("tokens %q and %q share the id %d; get the file again", min(token, tokens[id]), max(token, tokens[id]), id)
		}
		tokens[id] = token
	}
	return tokens, nil
}

// special reads the names of [CLS] and [SEP] from the template, which must be
// BERT's: [CLS] A [SEP], and [CLS] A [SEP] B [SEP] for a pair.
func (p *fileTemplate) special(s *Special) error {
	if p.Type == "BertProcessing" {
		return nil
	}
	wrong := errors.New("its post-processor's template is not BERT's [CLS] A [SEP]")
	single := p.Single
	if len(single) != 3 || single[0].SpecialToken == nil || single[1].Sequence == nil || single[2].SpecialToken == nil {
		return wrong
	}
	s.Cls, s.Sep = single[0].SpecialToken.ID, single[2].SpecialToken.ID
	for i, part := range single {
		if part.typeID() != 0 || len(p.Pair) != 5 || p.Pair[i].typeID() != 0 {
			return wrong
		}
	}
	if p.Pair[3].Sequence == nil || p.Pair[3].typeID() != 1 || p.Pair[4].SpecialToken == nil || p.Pair[4].typeID() != 1 {
		return wrong
	}
	return nil
}

func (p templatePart) typeID() int {
	switch {
	case p.SpecialToken != nil:
		return p.SpecialToken.TypeID
	case p.Sequence != nil:
		return p.Sequence.TypeID
	}
	return -1
}
