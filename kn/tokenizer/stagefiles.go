package tokenizer

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/dlclark/regexp2/v2"
)

// filePart is a normaliser, a pre-tokenizer or a post-processor in
// tokenizer.json, with the fields of all kinds of them.
type filePart struct {
	Type string `json:"type"`

	Normalizers   []filePart `json:"normalizers"`
	PreTokenizers []filePart `json:"pretokenizers"`
	Processors    []filePart `json:"processors"`

	Prepend string `json:"prepend"`
	Content string `json:"content"`
	Pattern struct {
		Regex  string `json:"Regex"`
		String string `json:"String"`
	} `json:"pattern"`
	Behavior    string    `json:"behavior"`
	Invert      bool      `json:"invert"`
	EachDigit   bool      `json:"individual_digits"`
	Replacement string    `json:"replacement"`
	Scheme      string    `json:"prepend_scheme"`
	Split       *bool     `json:"split"`            // nil: true
	PrefixSpace *bool     `json:"add_prefix_space"` // nil: true
	Regex       *bool     `json:"use_regex"`        // nil: true, as in older files
	TrimOffsets *bool     `json:"trim_offsets"`     // nil: true
	Sep         specialID `json:"sep"`
	Cls         specialID `json:"cls"`

	Single []templatePart `json:"single"`
	Pair   []templatePart `json:"pair"`
	Tokens map[string]struct {
		Tokens []string `json:"tokens"`
	} `json:"special_tokens"`
}

// specialID is a token with its id: ["</s>", 2].
type specialID struct{ token string }

// UnmarshalJSON reads the pair.
func (s *specialID) UnmarshalJSON(data []byte) error {
	var id int
	return json.Unmarshal(data, &[]any{&s.token, &id})
}

// orTrue is what a field says that is true by default.
func orTrue(b *bool) bool { return b == nil || *b }

// steps reads a normaliser.
func (p *filePart) steps() ([]normalStep, error) {
	switch {
	case p == nil:
		return nil, nil
	case p.Type == "Sequence":
		var all []normalStep
		for i := range p.Normalizers {
			steps, err := p.Normalizers[i].steps()
			if err != nil {
				return nil, err
			}
			all = append(all, steps...)
		}
		return all, nil
	case p.Type == "NFC":
		return []normalStep{{compose: true}}, nil
	case p.Type == "Prepend" && p.Prepend != "":
		return []normalStep{{with: p.Prepend}}, nil
	case p.Type == "Replace" && p.Pattern.String != "":
		return []normalStep{{before: p.Pattern.String, with: p.Content}}, nil
	case p.Type == "Replace":
		return nil, errors.New("its normalizer replaces by a pattern; only fixed texts are supported")
	}
	return nil, fmt.Errorf("its normalizer is %s; only NFC, Prepend, Replace and sequences of them are supported", p.Type)
}

// stages reads a pre-tokenizer. Words that went through ByteLevel are spelled
// in bytes.
func (p *filePart) stages() (stages []stage, byteLevel bool, err error) {
	if p == nil {
		return nil, false, nil
	}
	if p.Type != "Sequence" {
		s, err := p.stage()
		_, byteLevel = s.(byteLevelStage)
		return []stage{s}, byteLevel, err
	}
	for i := range p.PreTokenizers {
		next, inBytes, err := p.PreTokenizers[i].stages()
		if err != nil {
			return nil, false, err
		}
		if byteLevel {
			return nil, false, errors.New("its pre-tokenizer ByteLevel is followed by another; only a last one is supported")
		}
		stages, byteLevel = append(stages, next...), inBytes
	}
	return stages, byteLevel, nil
}

func (p *filePart) stage() (stage, error) {
	switch p.Type {
	case "ByteLevel":
		return byteLevelStage{prefixSpace: p.PrefixSpace != nil && *p.PrefixSpace, pattern: orTrue(p.Regex)}, nil
	case "Digits":
		return digitsStage{p.EachDigit}, nil
	case "Split":
		return p.splitStage()
	case "Metaspace":
		s := metaspaceStage{split: orTrue(p.Split)}
		switch {
		case p.Replacement != metaspace:
			return nil, fmt.Errorf("its pre-tokenizer Metaspace writes spaces as %q; only %q is supported", p.Replacement, metaspace)
		case p.Scheme == "always" || p.Scheme == "" && orTrue(p.PrefixSpace):
			s.prefix = prefixAlways
		case p.Scheme == "first":
			s.prefix = prefixFirst
		case p.Scheme != "never" && p.Scheme != "":
			return nil, fmt.Errorf("its pre-tokenizer Metaspace has the prepend_scheme %q; only always, first and never are supported", p.Scheme)
		}
		return s, nil
	}
	return nil, fmt.Errorf("its pre-tokenizer is %s; only ByteLevel, Digits, Metaspace, Split and sequences of them are supported", p.Type)
}

func (p *filePart) splitStage() (stage, error) {
	s := splitStage{pattern: p.Pattern.Regex}
	if s.pattern == "" {
		s.pattern = regexp2.Escape(p.Pattern.String)
	}
	switch {
	case s.pattern == "":
		return nil, errors.New("its pre-tokenizer Split has no pattern; get the file again")
	case p.Behavior == "Removed" && p.Invert:
		s.removed = removeBetween
	case p.Behavior == "Removed":
		s.removed = removeMatches
	case p.Behavior != "Isolated":
		return nil, fmt.Errorf("its pre-tokenizer Split has the behavior %q; only Isolated and Removed are supported", p.Behavior)
	}
	// What these match is the whole text.
	if scanners[s.pattern] != nil && s.removed != removeMatches {
		return scanStage{s.pattern}, nil
	}
	if _, err := compiled(s.pattern); err != nil {
		return nil, fmt.Errorf("its pre-tokenizer Split has a pattern that cannot be run here: %w", err)
	}
	return s, nil
}

// processing is what a post-processor does.
type processing struct {
	roberta     *pairForm // RobertaProcessing
	bert        *pairForm // a template of the form [CLS] A [SEP]
	cls, sep    string    // of these two
	around      causal    // of a template
	trimOffsets bool      // see [bpe]
	trimPrefix  bool
}

// processing reads a post-processor.
func (p *filePart) processing() (out processing, err error) {
	if p == nil {
		return out, nil
	}
	switch p.Type {
	case "Sequence":
		for i := range p.Processors {
			next, err := p.Processors[i].processing()
			if err != nil {
				return out, err
			}
			if next.trimOffsets {
				out.trimOffsets, out.trimPrefix = true, next.trimPrefix
			}
			if t := p.Processors[i].Type; t != "ByteLevel" {
				next.trimOffsets, next.trimPrefix = out.trimOffsets, out.trimPrefix
				out = next
			}
		}
		return out, nil
	case "ByteLevel":
		return processing{trimOffsets: orTrue(p.TrimOffsets), trimPrefix: orTrue(p.PrefixSpace)}, nil
	case "RobertaProcessing":
		return processing{
			roberta: &pairForm{seps: 2, kind: 0}, cls: p.Cls.token, sep: p.Sep.token,
			trimOffsets: orTrue(p.TrimOffsets), trimPrefix: orTrue(p.PrefixSpace),
		}, nil
	case "TemplateProcessing":
		return p.template()
	}
	return out, fmt.Errorf("its post-processor is %s; only ByteLevel, RobertaProcessing, TemplateProcessing and sequences of them are supported", p.Type)
}

// template reads the tokens before and behind a text, and those of a pair if
// they have the form of BERT's or RoBERTa's.
func (p *filePart) template() (out processing, err error) {
	texts := 0
	for _, part := range p.Single {
		if part.SpecialToken == nil {
			texts++
			continue
		}
		tokens := p.Tokens[part.SpecialToken.ID].Tokens
		if tokens == nil {
			tokens = []string{part.SpecialToken.ID}
		}
		if texts == 0 {
			out.around.prefix = append(out.around.prefix, tokens...)
		} else {
			out.around.suffix = append(out.around.suffix, tokens...)
		}
	}
	if texts != 1 {
		return out, fmt.Errorf("its post-processor's template has %d texts, not one; get the file again", texts)
	}
	var s Special
	if form, err := (&fileTemplate{Single: p.Single, Pair: p.Pair}).form(&s); err == nil {
		out.bert, out.cls, out.sep = &form, s.Cls, s.Sep
	}
	return out, nil
}
