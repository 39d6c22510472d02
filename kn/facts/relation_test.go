package facts_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

func ExampleTemplate_Prompt() {
	relation, err := facts.RelationByProperty("P19")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(relation.Name)
	fmt.Println(relation.Templates[1].Prompt("Mozart"))
	// Output:
	// place of birth
	// The birthplace of Mozart is [MASK].
}

func TestRelations(t *testing.T) {
	relations := facts.Relations()
	if len(relations) < 30 {
		t.Errorf("%d relations, want at least 30", len(relations))
	}
	for _, r := range relations {
		if len(r.Templates) < 8 {
			t.Errorf("%s has %d templates, want at least 8", r.Property, len(r.Templates))
		}
		if r.Name == "" {
			t.Errorf("%s has no name", r.Property)
		}
		seen := map[string]bool{}
		for _, template := range r.Templates {
			if seen[normal(template)] {
				t.Errorf("%s has %q twice", r.Property, template)
			}
			seen[normal(template)] = true
		}
	}
}

func TestRelationByPropertyUnknown(t *testing.T) {
	if _, err := facts.RelationByProperty("P0"); err == nil || !strings.Contains(err.Error(), `"P0"`) {
		t.Errorf("error is %v, want one that names P0", err)
	}
}

func TestParseRelationsErrors(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"[X] is from [Y].", "t.txt:1: a template before the first relation"},
		{"P19 birth\n\n[X] is from.", `t.txt:3: "[X] is from." needs [X] once and [Y] once`},
		{"P19 birth\nP19 birth", "t.txt:2: relation P19 stands twice"},
	} {
		if _, err := facts.ParseRelations(strings.NewReader(test.text), "t.txt"); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q gives %v, want an error with %q", test.text, err, test.want)
		}
	}
}

// Nothing of ours may equal a sentence of PARAREL or LAMA, whatever the
// relation, case or punctuation: recall on their patterns is measured, and
// must not be trained.
func TestTemplatesAreOurs(t *testing.T) {
	if !sharedtest.Available() {
		t.Log("PARAREL is not beside the project: nothing to compare with")
		return
	}
	foreign := map[string]facts.Template{}
	paths, err := filepath.Glob(filepath.Join(sharedtest.Path(t, "data", "pararel", "data", "pattern_data", "graphs_json"), "*.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range append(paths, sharedtest.Path(t, "data", "lama-sample", "relations.jsonl")) {
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		patterns, err := facts.ReadPatterns(file, path)
		file.Close()
		if err != nil {
			t.Fatal(err)
		}
		for _, pattern := range patterns {
			foreign[normal(pattern)] = pattern
		}
	}
	if len(foreign) < 250 {
		t.Fatalf("only %d patterns read", len(foreign))
	}
	for _, r := range facts.Relations() {
		for _, template := range r.Templates {
			if pattern, same := foreign[normal(template)]; same {
				t.Errorf("%s: %q is the pattern %q", r.Property, template, pattern)
			}
		}
	}
}

func TestReadPatternsErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"pattern": "[X] only"}`:                "p:1:",
		`{"pattern": "[X] in [Y]"}` + "\n" + `x`: "p:2: not a JSON object",
	} {
		if _, err := facts.ReadPatterns(strings.NewReader(text), "p"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q gives %v, want an error with %q", text, err, want)
		}
	}
}

// normal drops case, spacing and punctuation.
func normal(t facts.Template) string {
	words := strings.FieldsFunc(strings.ToLower(string(t)), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r)
	})
	return strings.Join(words, " ")
}
