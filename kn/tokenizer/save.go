package tokenizer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
)

// Files gives the tokenizer as the files of a Hugging Face folder, by name:
// tokenizer.json, tokenizer_config.json, special_tokens_map.json, and vocab.txt
// or, of a byte-level BPE, vocab.json and merges.txt. A causal model's
// configuration files are those that were read, if any.
// transformers' AutoTokenizer reads them, and so does [Open]. The same
// tokenizer always gives the same bytes.
func (t *Tokenizer) Files() (map[string][]byte, error) {
	files := map[string][]byte{}
	texts := map[string]any{}
	var err error
	switch m := t.model.(type) {
	case *wordPiece:
		texts[TokenizerFile], texts[ConfigFile], texts[SpecialTokensFile] = t.file(m), t.config(), t.specialMap()
		if files[VocabularyFile], err = t.vocabulary(); err != nil {
			return nil, err
		}
	case *bpe:
		if t.parts == nil {
			texts[TokenizerFile], texts[ConfigFile], texts[SpecialTokensFile] = t.byteLevelFile(m), t.byteLevelConfig(m), t.specialMap()
		} else {
			texts = t.partsFiles(m)
		}
		if len(t.VocabularyFiles()) > 0 {
			files[MergesFile], texts[VocabularyJSONFile] = m.mergesFile(), t.vocabularyOf(m.ids)
		}
	}
	for name, value := range texts {
		if files[name], err = marshal(value); err != nil {
			return nil, fmt.Errorf("tokenizer: cannot write %s: %w", name, err)
		}
	}
	return files, nil
}

// VocabularyFiles names the files that [Open] reads in the place of
// tokenizer.json; none if it must be there.
func (t *Tokenizer) VocabularyFiles() []string {
	switch _, isBPE := t.model.(*bpe); {
	case !isBPE:
		return []string{VocabularyFile}
	case t.parts == nil || t.parts.merges:
		return []string{VocabularyJSONFile, MergesFile}
	}
	return nil
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

// vocabularyOf is the model's vocabulary without tokens that stand in it twice.
func (t *Tokenizer) vocabularyOf(ids map[string]int) map[string]int {
	vocab := make(map[string]int, t.vocabSize)
	for id, token := range t.tokens[:t.vocabSize] {
		if token != "" && ids[token] == id {
			vocab[token] = id
		}
	}
	return vocab
}

// template is the post-processor of tokenizer.json.
func (t *Tokenizer) template() any {
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
	pair := slices.Clone(single)
	for range t.pair.seps - 1 {
		pair = append(pair, special(t.special.Sep, 0))
	}
	return map[string]any{
		"type": "TemplateProcessing", "single": single,
		"pair": append(pair, text("B", t.pair.kind), special(t.special.Sep, t.pair.kind)),
		"special_tokens": map[string]templateToken{
			t.special.Cls: {t.special.Cls, []int{t.ids.cls}, []string{t.special.Cls}},
			t.special.Sep: {t.special.Sep, []int{t.ids.sep}, []string{t.special.Sep}},
		},
	}
}

// file is tokenizer.json.
func (t *Tokenizer) file(m *wordPiece) any {
	return map[string]any{
		"version": "1.0", "truncation": nil, "padding": nil, "added_tokens": t.added,
		"normalizer": fileNormalizer{
			Type: "BertNormalizer", CleanText: t.norm.cleanText, Chinese: t.norm.chinese,
			StripAccents: t.norm.stripAccents, Lowercase: t.norm.lowercase,
		},
		"pre_tokenizer":  fileType{"BertPreTokenizer"},
		"post_processor": t.template(),
		"decoder":        map[string]any{"type": "WordPiece", "prefix": m.prefix, "cleanup": true},
		"model":          fileModel{"WordPiece", t.special.Unk, m.prefix, m.maxChars, t.vocabularyOf(m.ids)},
	}
}

// addedByID are the added tokens as tokenizer_config.json has them.
func (t *Tokenizer) addedByID() any {
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
	return decoder
}

// config is tokenizer_config.json.
func (t *Tokenizer) config() any {
	c := map[string]any{
		"added_tokens_decoder": t.addedByID(), "clean_up_tokenization_spaces": true, "do_basic_tokenize": true,
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
