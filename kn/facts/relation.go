package facts

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"unicode"
)

// Mask is the token that stands for the answer in a prompt.
const Mask = "[MASK]"

const (
	subjectSlot = "[X]"
	answerSlot  = "[Y]"
)

// Template is a sentence with the slots [X] for the subject and [Y] for the
// answer.
type Template string

// Prompt returns the sentence about subject with [Mask] for the answer.
func (t Template) Prompt(subject string) string { return t.Fill(subject, Mask) }

// Fill returns the sentence about subject with answer.
func (t Template) Fill(subject, answer string) string {
	return strings.NewReplacer(subjectSlot, subject, answerSlot, answer).Replace(string(t))
}

// AnswerLast reports whether nothing but punctuation and spaces follows the
// answer. A causal model needs that, since it reads only what stands before.
func (t Template) AnswerLast() bool {
	_, behind, _ := strings.Cut(string(t), answerSlot)
	return !strings.ContainsFunc(behind, func(r rune) bool { return !unicode.IsPunct(r) && !unicode.IsSpace(r) })
}

// validate reports a template whose slots are not exactly one [X] and one [Y].
func (t Template) validate() error {
	if strings.Count(string(t), subjectSlot) != 1 || strings.Count(string(t), answerSlot) != 1 {
		return fmt.Errorf("%q needs [X] once and [Y] once", string(t))
	}
	return nil
}

// Relation is a Wikidata property and the ways to say it.
type Relation struct {
	Property  string     `json:"property"`
	Name      string     `json:"name"`
	Templates []Template `json:"templates"`
}

//go:embed templates.txt
var templatesFile []byte

var embeddedRelations = sync.OnceValue(func() []Relation {
	relations, err := ParseRelations(bytes.NewReader(templatesFile), "templates.txt")
	if err != nil {
		panic(err) // the embedded file is covered by this package's tests
	}
	return relations
})

// Relations returns the relations with this project's own templates, in the
// order of the properties' numbers. The slice is shared: do not write to it.
func Relations() []Relation { return embeddedRelations() }

// RelationByProperty returns the relation of a property, "P19" say.
func RelationByProperty(property string) (Relation, error) {
	for _, r := range Relations() {
		if r.Property == property {
			return r, nil
		}
	}
	return Relation{}, fmt.Errorf("facts: no templates for relation %q; this module has %d relations, from %s on",
		property, len(Relations()), Relations()[0].Property)
}

// ParseRelations reads templates as this package's templates.txt has them: a line
// "P19 place of birth" opens a relation, the lines below it are its templates,
// empty lines and lines that start with # are skipped. Errors give the file's
// name and the line.
func ParseRelations(r io.Reader, name string) ([]Relation, error) {
	var relations []Relation
	seen := map[string]bool{}
	for line, text := range lines(r, name) {
		if text.err != nil {
			return nil, fmt.Errorf("facts: %w", text.err)
		}
		s := strings.TrimSpace(string(text.bytes))
		if strings.HasPrefix(s, "#") {
			continue
		}
		property, title, _ := strings.Cut(s, " ")
		switch {
		case propertyNumber(property) >= 0 && seen[property]:
			return nil, fmt.Errorf("facts: %s:%d: relation %s stands twice", name, line, property)
		case propertyNumber(property) >= 0:
			seen[property] = true
			relations = append(relations, Relation{Property: property, Name: strings.TrimSpace(title)})
			continue
		case len(relations) == 0:
			return nil, fmt.Errorf("facts: %s:%d: a template before the first relation; start with a line like %q", name, line, "P19 place of birth")
		}
		if err := Template(s).validate(); err != nil {
			return nil, fmt.Errorf("facts: %s:%d: %w", name, line, err)
		}
		last := &relations[len(relations)-1]
		last.Templates = append(last.Templates, Template(s))
	}
	return relations, nil
}

// ReadPatterns reads the patterns of PARAREL (key "pattern") or LAMA (key
// "template"), one JSON object a line. Errors give the file's name and the line.
func ReadPatterns(r io.Reader, name string) ([]Template, error) {
	var patterns []Template
	for line, text := range lines(r, name) {
		if text.err != nil {
			return nil, fmt.Errorf("facts: %w", text.err)
		}
		var p struct{ Pattern, Template Template }
		if err := json.Unmarshal(text.bytes, &p); err != nil {
			return nil, fmt.Errorf("facts: %s:%d: not a JSON object: %w", name, line, err)
		}
		pattern := p.Pattern
		if pattern == "" {
			pattern = p.Template
		}
		if err := pattern.validate(); err != nil {
			return nil, fmt.Errorf("facts: %s:%d: %w", name, line, err)
		}
		patterns = append(patterns, pattern)
	}
	return patterns, nil
}
