package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// Files gives the tokenizer as the files of a Hugging Face folder, by name:
// vocab.txt, tokenizer.json, tokenizer_config.json and special_tokens_map.json.
// transformers' AutoTokenizer reads them, and so does [Open]. The same
// tokenizer always gives the same bytes.
func (t *Tokenizer) Files() (map[string][]byte, error) {
	vocabulary, err := t.vocabulary()
	if err != nil {
		return nil, err
	}
	files := map[string][]byte{VocabularyFile: vocabulary}
	for name, value := range map[string]any{
		TokenizerFile:     t.file(),
		ConfigFile:        t.config(),
		SpecialTokensFile: t.specialMap(),
	} {
		if files[name], err = marshal(value); err != nil {
			return nil, fmt.Errorf("tokenizer: cannot write %s: %w", name, err)
		}
	}
	return files, nil
}

// vocabulary is vocab.txt: the WordPiece model's tokens, one a line.
func (t *Tokenizer) vocabulary() ([]byte, error) {
	var b bytes.Buffer
	for id, token := range t.tokens[:t.vocabSize] {
		if strings.ContainsAny(token, "\r\n") {
			return nil, fmt.Errorf("tokenizer: token %d is %q, and %s cannot hold a token with a line break", id, token, VocabularyFile)
		}
		b.WriteString(token)
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

// marshal writes JSON as the Hugging Face libraries do: indented, and with
// characters such as < and & as they are.
func marshal(value any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(value)
	return b.Bytes(), err
}

// file is tokenizer.json.
func (t *Tokenizer) file() any {
	special := func(name string, typeID int) templatePart {
		return templatePart{SpecialToken: &templateID{name, typeID}}
	}
	text := func(name string, typeID int) templatePart { return templatePart{Sequence: &templateID{name, typeID}} }
	single := []templatePart{special(t.special.Cls, 0), text("A", 0), special(t.special.Sep, 0)}
	type templateToken struct {
		ID     string   `json:"id"`
		IDs    []int    `json:"ids"`
		Tokens []string `json:"tokens"`
	}
	vocab := make(map[string]int, t.vocabSize)
	for id, token := range t.tokens[:t.vocabSize] {
		if t.pieces.ids[token] == id {
			vocab[token] = id
		}
	}
	return map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil, "added_tokens": t.added,
		"normalizer": fileNormalizer{
			Type: "BertNormalizer", CleanText: t.norm.cleanText, Chinese: t.norm.chinese,
			StripAccents: t.norm.stripAccents, Lowercase: t.norm.lowercase,
		},
		"pre_tokenizer": fileType{"BertPreTokenizer"},
		"post_processor": map[string]any{
			"type": "TemplateProcessing", "single": single,
			"pair": append(single, text("B", 1), special(t.special.Sep, 1)),
			"special_tokens": map[string]templateToken{
				t.special.Cls: {t.special.Cls, []int{t.ids.cls}, []string{t.special.Cls}},
				t.special.Sep: {t.special.Sep, []int{t.ids.sep}, []string{t.special.Sep}},
			},
		},
		"decoder": map[string]any{"type": "WordPiece", "prefix": t.pieces.prefix, "cleanup": true},
		"model":   fileModel{"WordPiece", t.special.Unk, t.pieces.prefix, t.pieces.maxChars, vocab},
	}
}

// config is tokenizer_config.json.
func (t *Tokenizer) config() any {
	type token struct {
		Content    string `json:"content"`
		LStrip     bool   `json:"lstrip"`
		Normalized bool   `json:"normalized"`
		RStrip     bool   `json:"rstrip"`
		SingleWord bool   `json:"single_word"`
		Special    bool   `json:"special"`
	}
	decoder := map[string]token{}
	for _, a := range t.added {
		decoder[fmt.Sprint(a.ID)] = token{a.Content, a.LStrip, a.Normalized, a.RStrip, a.SingleWord, a.Special}
	}
	c := map[string]any{
		"added_tokens_decoder": decoder, "clean_up_tokenization_spaces": true, "do_basic_tokenize": true,
		"do_lower_case": t.norm.lowercase, "strip_accents": t.norm.stripAccents,
		"tokenize_chinese_chars": t.norm.chinese, "never_split": nil, "tokenizer_class": "BertTokenizer",
	}
	if t.maxLength > 0 {
		c["model_max_length"] = t.maxLength
	}
	for name, value := range t.specialMap() {
		c[name] = value
	}
	return c
}

func (t *Tokenizer) specialMap() map[string]string {
	return map[string]string{
		"pad_token": t.special.Pad, "unk_token": t.special.Unk, "cls_token": t.special.Cls,
		"sep_token": t.special.Sep, "mask_token": t.special.Mask,
	}
}

// Save writes [Tokenizer.Files] into an existing folder, each file through a
// temporary one that is renamed when it is complete.
func (t *Tokenizer) Save(dir string) error {
	files, err := t.Files()
	if err != nil {
		return err
	}
	for name, data := range files {
		if err := renameio.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			return fmt.Errorf("tokenizer: cannot write %s: %w", name, err)
		}
	}
	return nil
}
