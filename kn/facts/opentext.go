package facts

import (
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// OpenText is a fact's open texts: sentences from the web instead of filled-in
// templates (Dai et al. 2022, section 4.4).
type OpenText struct {
	Relation string `json:"relation"`
	Subject  string `json:"subject,omitempty"` // where the source says it
	Answer   string `json:"answer,omitempty"`

	T1 []string `json:"t1"` // hold the subject and the answer
	T2 []string `json:"t2"` // hold the subject only
	// T3 are random sentences. The authors' files have none: take those of
	// other facts.
	T3 []string `json:"t3,omitempty"`
}

// ReadOpenText reads open texts: a file of the authors' (a JSON list of
// {"th_bags", "h_bags"}, T1 and T2, the relation in the file's name), JSON lines
// of [OpenText], or a folder of such files, in the order of the relations. The
// facts of the authors' files stand in query_pairs.json, a pair of subject and
// answer for each entry; it is read if it lies beside them, in the folder above,
// or in PARAREL's folder of their repository. What is returned holds one fact in
// memory at a time, can be run through more than once, and ends at the first
// error, which names file and line.
func ReadOpenText(path string) iter.Seq2[OpenText, error] {
	return func(yield func(OpenText, error) bool) {
		files, err := openTextFiles(path)
		if err != nil {
			yield(OpenText{}, err)
			return
		}
		pairs, err := pairsBeside(path)
		if err != nil {
			yield(OpenText{}, err)
			return
		}
		for _, file := range files {
			for text, err := range file.read(pairs) {
				if err != nil {
					err = fmt.Errorf("facts: %w", err)
				}
				if !yield(text, err) || err != nil {
					return
				}
			}
		}
	}
}

// propertyInName finds P19 in final_distant_allbags_P19_new.json.
var propertyInName = regexp.MustCompile(`(?:^|[^A-Za-z0-9])(P[0-9]+)(?:[^A-Za-z0-9]|$)`)

// openTextFiles lists a folder's files of open texts, or the file itself.
func openTextFiles(path string) ([]openTextFile, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("facts: %w", err)
	}
	if !info.IsDir() {
		return []openTextFile{newOpenTextFile(path)}, nil
	}
	var files []openTextFile
	for _, pattern := range []string{"*.json", "*.jsonl", "*.json.gz", "*.jsonl.gz"} {
		paths, err := filepath.Glob(filepath.Join(path, pattern))
		if err != nil {
			return nil, fmt.Errorf("facts: %w", err)
		}
		for _, p := range paths {
			if filepath.Base(p) != pairsFile {
				files = append(files, newOpenTextFile(p))
			}
		}
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("facts: %s has no file of open texts such as final_distant_allbags_P19_new.json", path)
	}
	slices.SortStableFunc(files, func(a, b openTextFile) int { return compareRelations(a.property, b.property) })
	return files, nil
}

// pairsFile says what the authors' texts are about.
const pairsFile = "query_pairs.json"

// pairsBeside reads the pairs that lie beside a file or folder of texts, or
// above; nil if there are none.
func pairsBeside(path string) (map[string][][]string, error) {
	dir := path
	if !isDir(path) {
		dir = filepath.Dir(path)
	}
	for _, p := range []string{filepath.Join(dir, pairsFile), filepath.Join(dir, "..", pairsFile), filepath.Join(dir, "..", "..", daiPairs)} {
		if isFile(p) {
			return readPairs(p)
		}
	}
	return nil, nil
}

// openTextFile is a file of open texts.
type openTextFile propertyFile

func newOpenTextFile(path string) openTextFile {
	f := openTextFile{path: path}
	if match := propertyInName.FindStringSubmatch(filepath.Base(path)); match != nil {
		f.property = match[1]
	}
	return f
}

// read yields the file's facts.
func (f openTextFile) read(pairs map[string][][]string) iter.Seq2[OpenText, error] {
	return func(yield func(OpenText, error) bool) {
		file, err := openUnzipped(f.path)
		if err != nil {
			yield(OpenText{}, err)
			return
		}
		defer file.Close()
		texts := readOpenTextLines(file, f.path)
		if start, _ := file.Peek(1); string(start) == "[" {
			texts = readDistant(file, f.path, f.property, pairs[f.property])
		}
		texts(yield)
	}
}

// readDistant reads the authors' form. pairs, unless nil, are the subject and
// the answer of each entry.
func readDistant(r io.Reader, name, property string, pairs [][]string) iter.Seq2[OpenText, error] {
	type bag struct {
		T1 []string `json:"th_bags"`
		T2 []string `json:"h_bags"`
	}
	return func(yield func(OpenText, error) bool) {
		if property == "" {
			yield(OpenText{}, fmt.Errorf("%s: the file's name says no relation; call it final_distant_allbags_P19_new.json, say", name))
			return
		}
		read := 0
		for e, err := range elements[bag](r, name, "bag") {
			text := OpenText{Relation: property, T1: e.value.T1, T2: e.value.T2}
			switch {
			case err != nil:
			case text.T1 == nil && text.T2 == nil:
				err = fmt.Errorf("%s: neither th_bags nor h_bags is there", e.at)
			case pairs != nil && (read == len(pairs) || len(pairs[read]) != 2):
				err = fmt.Errorf("%s: %s has no pair of subject and answer for it; it has %d of %s", e.at, pairsFile, len(pairs), property)
			case pairs != nil:
				text.Subject, text.Answer = pairs[read][0], pairs[read][1]
			}
			read++
			if !yield(text, err) || err != nil {
				return
			}
		}
		if pairs != nil && read < len(pairs) {
			yield(OpenText{}, fmt.Errorf("%s: it has %d bags, where %s has %d pairs of %s; the texts cannot be told apart", name, read, pairsFile, len(pairs), property))
		}
	}
}

// readOpenTextLines reads JSON lines of OpenText.
func readOpenTextLines(r io.Reader, name string) iter.Seq2[OpenText, error] {
	return func(yield func(OpenText, error) bool) {
		for line, text := range lines(r, name) {
			var t OpenText
			err := text.err
			if err == nil {
				if err = json.Unmarshal(text.bytes, &t); err != nil {
					err = fmt.Errorf("%s:%d: not a JSON object: %w", name, line, err)
				} else if t.Relation == "" || len(t.T1)+len(t.T2)+len(t.T3) == 0 {
					err = fmt.Errorf("%s:%d: relation or texts are missing", name, line)
				}
			}
			if !yield(t, err) || err != nil {
				return
			}
		}
	}
}
