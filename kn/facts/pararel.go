package facts

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// fewestPatterns is how many patterns a relation of PARAREL must have to be
// asked about: more than 3, as in Dai et al. (2022).
const fewestPatterns = 4

// PARAREL is the source of PARAREL's triples with all patterns of their
// relations (Elazar et al., TACL 2021): triples in trex_lms_vocab, patterns in
// pattern_data/graphs_json, one file a relation in both. dir is the repository
// or its folder data. Dai et al. (2022) leave out relations with no more than
// three patterns, which leaves 34 with 318 patterns: facts of the others have no
// prompts, and [Usable] says so. Relations are named where this module knows them.
//
// These are 23,749 facts and 215,929 prompts, where Dai et al. have 27,738 and
// 253,448, see [Dai]: trex_lms_vocab is PARAREL's selection from LAMA's T-REx
// triples, which the authors read. The patterns are the same, but for spaces
// in two of P279. The 8.63 templates a relation that the paper reports are
// PARAREL's 328 patterns over its 38 relations; the 34 have 9.35.
func PARAREL(dir string) (Source, error) {
	base, ok := pararelBase(dir)
	if !ok {
		return nil, fmt.Errorf("facts: %s is not PARAREL: it needs the folders %s and %s, or the folder data that holds them", dir, triplesDir, patternsDir)
	}
	files, err := propertyFiles(filepath.Join(base, triplesDir))
	if err != nil {
		return nil, err
	}
	return fromFiles(files, func(file propertyFile) (Relation, error) {
		return patternsOf(file.property, filepath.Join(base, patternsDir, file.property+".jsonl"))
	}), nil
}

// Where PARAREL keeps its data.
var (
	triplesDir  = "trex_lms_vocab"
	patternsDir = filepath.Join("pattern_data", "graphs_json")
)

func pararelBase(dir string) (base string, ok bool) {
	for _, base := range []string{dir, filepath.Join(dir, "data")} {
		if isDir(filepath.Join(base, triplesDir)) && isDir(filepath.Join(base, patternsDir)) {
			return base, true
		}
	}
	return "", false
}

func readPatternFile(path string) ([]Template, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("facts: %w", err)
	}
	defer file.Close()
	patterns, err := ReadPatterns(file, path)
	if err != nil {
		return nil, err
	}
	var distinct []Template
	for _, p := range patterns {
		if !slices.Contains(distinct, p) {
			distinct = append(distinct, p)
		}
	}
	return distinct, nil
}

// fromFiles is the source of files of triples, each with the templates of its
// relation.
func fromFiles(files []propertyFile, relationOf func(propertyFile) (Relation, error)) Source {
	return func(yield func(Bag, error) bool) {
		for _, file := range files {
			relation, err := relationOf(file)
			if err != nil {
				yield(Bag{}, err)
				return
			}
			if !file.bags(relation, yield) {
				return
			}
		}
	}
}

// bags yields the triples of a file as bags, and says whether to go on.
func (f propertyFile) bags(relation Relation, yield func(Bag, error) bool) bool {
	file, err := os.Open(f.path)
	if err != nil {
		yield(Bag{}, fmt.Errorf("facts: %w", err))
		return false
	}
	defer file.Close()
	for t, err := range readTriples(file, f.path, f.property) {
		if err != nil {
			yield(Bag{}, fmt.Errorf("facts: %w", err))
			return false
		}
		relation.Property = t.Relation
		b := relation.bag(t.Subject, t.Answer)
		b.UUID = t.UUID
		if !yield(b, nil) {
			return false
		}
	}
	return true
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
