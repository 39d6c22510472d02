package facts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/utf8text"
)

// Dai is the source of the facts of Dai et al. (2022): LAMA's T-REx triples
// under PARAREL's patterns, 27,738 facts of 34 relations and 253,448 prompts.
// dir is the authors' repository, Hunter-DDM/knowledge-neurons, or its folder
// data. Patterns are in PARAREL/raw_data/patterns, one file a relation; facts
// of relations with three patterns or fewer have no prompts, as with [PARAREL].
// Triples are in PARAREL/query_pairs.json, all of them in one file, or, where
// that is missing, in LAMA/raw_data/TREx, one file a relation: relations whose
// file is missing there are not read.
//
// The authors' bags (PARAREL/data_all.json) say the same without the subjects:
// see [ReadMerged].
func Dai(dir string) (Source, error) {
	base, ok := daiBase(dir)
	if !ok {
		return nil, fmt.Errorf("facts: %s is not the repository knowledge-neurons of Dai et al.: it needs %s, and %s or %s, or the folder data that holds them", dir, daiPatterns, daiPairs, daiTriples)
	}
	relationOf := func(property string) (Relation, error) {
		return patternsOf(property, filepath.Join(base, daiPatterns, property+".jsonl"))
	}
	if path := filepath.Join(base, daiPairs); isFile(path) {
		return fromPairs(path, relationOf), nil
	}
	files, err := propertyFiles(filepath.Join(base, daiTriples))
	if err != nil {
		return nil, err
	}
	return fromFiles(files, func(file propertyFile) (Relation, error) { return relationOf(file.property) }), nil
}

// Where the authors keep their data.
var (
	daiPatterns = filepath.Join("PARAREL", "raw_data", "patterns")
	daiPairs    = filepath.Join("PARAREL", pairsFile)
	daiTriples  = filepath.Join("LAMA", "raw_data", "TREx")
)

func daiBase(dir string) (base string, ok bool) {
	for _, base := range []string{dir, filepath.Join(dir, "data")} {
		if isDir(filepath.Join(base, daiPatterns)) && (isFile(filepath.Join(base, daiPairs)) || isDir(filepath.Join(base, daiTriples))) {
			return base, true
		}
	}
	return "", false
}

// fromPairs is the source of a file {"P19": [[subject, answer], ...], ...}, in
// the order of the properties' numbers.
func fromPairs(path string, relationOf func(property string) (Relation, error)) Source {
	return func(yield func(Bag, error) bool) {
		pairs, err := readPairs(path)
		if err != nil {
			yield(Bag{}, err)
			return
		}
		for _, property := range slices.SortedFunc(maps.Keys(pairs), compareRelations) {
			relation, err := relationOf(property)
			if err != nil {
				yield(Bag{}, err)
				return
			}
			for i, pair := range pairs[property] {
				if len(pair) != 2 || pair[0] == "" || pair[1] == "" {
					yield(Bag{}, fmt.Errorf("facts: %s: %s, pair %d: %q is not a subject and an answer", path, property, i+1, pair))
					return
				}
				if !yield(relation.bag(pair[0], pair[1]), nil) {
					return
				}
			}
		}
	}
}

func readPairs(path string) (pairs map[string][][]string, err error) {
	data, err := os.ReadFile(path)
	if err == nil {
		data, err = utf8text.Clean(data, path)
	}
	if err != nil {
		return nil, fmt.Errorf("facts: %w", err)
	}
	if err := json.Unmarshal(data, &pairs); err != nil {
		return nil, fmt.Errorf("facts: %s: not a JSON object of relations with pairs of subject and answer: %w", path, err)
	}
	return pairs, nil
}

// patternsOf is a relation with the patterns of a file; with none if it has too
// few.
func patternsOf(property, path string) (Relation, error) {
	relation := Relation{Property: property}
	if known, err := RelationByProperty(property); err == nil {
		relation.Name = known.Name
	}
	patterns, err := readPatternFile(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(patterns) < fewestPatterns {
		return relation, nil
	}
	relation.Templates = patterns
	return relation, err
}

// bag is a fact with a prompt of each of the relation's templates.
func (r Relation) bag(subject, answer string) Bag {
	b := Bag{Relation: r.Property, RelationName: r.Name, Subject: subject, Answer: answer}
	for _, t := range r.Templates {
		b.Prompts = append(b.Prompts, t.Prompt(subject))
	}
	return b
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
