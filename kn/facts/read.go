package facts

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/utf8text"
)

// maxLine bounds one line of an outside file, in bytes: LAMA's lines carry
// whole Wikipedia sentences.
const maxLine = 16 << 20

// triple is a line of LAMA's or PARAREL's files.
type triple struct {
	Subject  string `json:"sub_label"`
	Answer   string `json:"obj_label"`
	Relation string `json:"predicate_id"` // LAMA has it; PARAREL's is the file's name
	UUID     string `json:"uuid"`
}

// Read reads facts, one JSON object a line with the keys sub_label and obj_label;
// predicate_id, where it stands, replaces relation. It holds one line in memory
// at a time and ends at the first error, which gives the file's name and the
// line.
func Read(r io.Reader, name, relation string) iter.Seq2[Fact, error] {
	return func(yield func(Fact, error) bool) {
		for t, err := range readTriples(r, name, relation) {
			if !yield(Fact{Relation: t.Relation, Subject: t.Subject, Answer: t.Answer}, err) {
				return
			}
		}
	}
}

// readTriples is [Read] with all that a line says.
func readTriples(r io.Reader, name, relation string) iter.Seq2[triple, error] {
	return func(yield func(triple, error) bool) {
		for line, text := range lines(r, name) {
			if text.err != nil {
				yield(triple{}, text.err)
				return
			}
			var t triple
			err := json.Unmarshal(text.bytes, &t)
			switch {
			case err != nil:
				err = fmt.Errorf("%s:%d: not a JSON object: %w", name, line, err)
			case t.Subject == "" || t.Answer == "":
				err = fmt.Errorf("%s:%d: sub_label or obj_label is missing; each line needs both", name, line)
			}
			t.Relation = cmp.Or(t.Relation, relation)
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}

// ReadFile reads all facts of a file named after its relation, like
// P19.jsonl.
func ReadFile(path string) ([]Fact, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("facts: %w", err)
	}
	defer file.Close()
	relation, _, _ := strings.Cut(filepath.Base(path), ".")
	var all []Fact
	for fact, err := range Read(file, path, relation) {
		if err != nil {
			return nil, fmt.Errorf("facts: %w", err)
		}
		all = append(all, fact)
	}
	return all, nil
}

// ReadDir reads every P*.jsonl of a folder, in the order of the properties'
// numbers.
func ReadDir(dir string) ([]Fact, error) {
	files, err := propertyFiles(dir)
	if err != nil {
		return nil, err
	}
	var all []Fact
	for _, file := range files {
		some, err := ReadFile(file.path)
		if err != nil {
			return nil, err
		}
		all = append(all, some...)
	}
	return all, nil
}

// propertyFile is a file of triples of one relation, named after it.
type propertyFile struct{ path, property string }

// propertyFiles lists the files like P19.jsonl of a folder, in the order of
// the properties' numbers.
func propertyFiles(dir string) ([]propertyFile, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("facts: %w", err)
	}
	var files []propertyFile
	for _, e := range entries {
		property, isTriples := strings.CutSuffix(e.Name(), ".jsonl")
		if isTriples && propertyNumber(property) >= 0 {
			files = append(files, propertyFile{filepath.Join(dir, e.Name()), property})
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("facts: %s has no file like P19.jsonl; give the folder that holds one file of triples a relation", dir)
	}
	slices.SortFunc(files, func(a, b propertyFile) int { return compareRelations(a.property, b.property) })
	return files, nil
}

// lineOrError is a line without its end, or why there is none.
type lineOrError struct {
	bytes []byte
	err   error
}

// lines yields the lines that are not blank with their numbers, from 1. Text
// that is not UTF-8 is an error.
func lines(r io.Reader, name string) iter.Seq2[int, lineOrError] {
	return func(yield func(int, lineOrError) bool) {
		scanner := utf8text.NewScanner(r, name, maxLine)
		for scanner.Scan() {
			if len(bytes.TrimSpace(scanner.Bytes())) == 0 {
				continue
			}
			if !yield(scanner.Line(), lineOrError{bytes: scanner.Bytes()}) {
				return
			}
		}
		if err := scanner.Err(); err != nil {
			yield(scanner.Line()+1, lineOrError{err: err})
		}
	}
}
