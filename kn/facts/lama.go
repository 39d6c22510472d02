package facts

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// lamaRelations is LAMA's file of relations.
const lamaRelations = "relations.jsonl"

// LAMA is the source of LAMA's T-REx facts (Petroni et al., EMNLP 2019), each
// with its relation's one template: a folder with relations.jsonl, and one
// file of triples a relation beside it or in TREx. dir is that folder, its
// TREx, or the repository.
func LAMA(dir string) (Source, error) {
	relations, triples, ok := lamaPaths(dir)
	if !ok {
		return nil, fmt.Errorf("facts: %s is not LAMA: it needs %s, and files such as P19.jsonl beside it or in TREx", dir, lamaRelations)
	}
	files, err := propertyFiles(triples)
	if err != nil {
		return nil, err
	}
	return func(yield func(Bag, error) bool) {
		known, err := readLAMARelations(relations)
		if err != nil {
			yield(Bag{}, err)
			return
		}
		fromFiles(files, func(file propertyFile) (Relation, error) {
			relation, ok := known[file.property]
			if !ok {
				return relation, fmt.Errorf("facts: %s has no template for the relation of %s", relations, file.path)
			}
			return relation, nil
		})(yield)
	}, nil
}

// lamaPaths finds the file of relations and the folder of triples.
func lamaPaths(dir string) (relations, triples string, ok bool) {
	for _, base := range []string{dir, filepath.Join(dir, "data"), filepath.Dir(filepath.Clean(dir))} {
		relations = filepath.Join(base, lamaRelations)
		if _, err := os.Stat(relations); err != nil {
			continue
		}
		for _, triples := range []string{dir, filepath.Join(base, "TREx")} {
			if _, err := propertyFiles(triples); err == nil {
				return relations, triples, true
			}
		}
	}
	return "", "", false
}

// readLAMARelations reads names and templates, by property.
func readLAMARelations(path string) (map[string]Relation, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("facts: %w", err)
	}
	defer file.Close()
	all := map[string]Relation{}
	for line, text := range lines(file, path) {
		if text.err != nil {
			return nil, fmt.Errorf("facts: %w", text.err)
		}
		var r struct {
			Relation, Label string
			Template        Template
		}
		if err := json.Unmarshal(text.bytes, &r); err != nil {
			return nil, fmt.Errorf("facts: %s:%d: not a JSON object: %w", path, line, err)
		}
		if err := r.Template.validate(); err != nil {
			return nil, fmt.Errorf("facts: %s:%d: %w", path, line, err)
		}
		all[r.Relation] = Relation{Property: r.Relation, Name: r.Label, Templates: []Template{r.Template}}
	}
	return all, nil
}
