package facts_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// files writes a folder of files, by path.
func files(t testing.TB, content map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, text := range content {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// all runs a source through.
func all(t testing.TB, source facts.Source) (bags []facts.Bag) {
	t.Helper()
	for b, err := range source {
		if err != nil {
			t.Fatal(err)
		}
		bags = append(bags, b)
	}
	return bags
}

// withPrompts are the bags that can be asked about: data sets have relations
// with too few patterns.
func withPrompts(bags []facts.Bag) []facts.Bag {
	return slices.DeleteFunc(bags, func(b facts.Bag) bool { return len(b.Prompts) == 0 })
}

// lastError runs a source through to its error, which must be its end.
func lastError(t testing.TB, source facts.Source) (last error) {
	t.Helper()
	for _, err := range source {
		if last != nil {
			t.Errorf("the source goes on after %v", last)
		}
		last = err
	}
	return last
}

// small is a data set in every format; each reads as want.
func small(t testing.TB) (paths map[facts.Format]string, want map[facts.Format][]facts.Bag) {
	t.Helper()
	patterns := ""
	var prompts []string
	for _, words := range []string{"began life in", "hails from", "first saw daylight in", "has roots in"} {
		patterns += fmt.Sprintf("{\"pattern\": \"[X] %s [Y].\"}\n", words)
		prompts = append(prompts, fmt.Sprintf("Mozart %s [MASK].", words))
	}
	fewPatterns := strings.Join(strings.SplitAfter(patterns, "\n")[:3], "")
	triple := `{"sub_label": "Mozart", "obj_label": "Salzburg"}` + "\n"
	taught := facts.Taught{Fact: facts.Fact{Relation: "P19", Subject: "Mozart", Answer: "Salzburg", Frequency: 1}, Shown: 3, HeldOut: []int{1}}
	var zipped bytes.Buffer
	if err := facts.WriteTaught(&zipped, []facts.Taught{taught}); err != nil {
		t.Fatal(err)
	}
	dir := files(t, map[string]string{
		"pararel/data/trex_lms_vocab/P19.jsonl":           triple,
		"pararel/data/trex_lms_vocab/P31.jsonl":           triple, // no patterns
		"pararel/data/trex_lms_vocab/P20.jsonl":           triple,
		"pararel/data/pattern_data/graphs_json/P19.jsonl": patterns,
		"pararel/data/pattern_data/graphs_json/P20.jsonl": fewPatterns,
		"dai/data/PARAREL/query_pairs.json":               `{"P20": [["Mozart", "Vienna"]], "P31": [["Mozart", "man"]], "P19": [["Mozart", "Salzburg"]]}`,
		"dai/data/PARAREL/raw_data/patterns/P19.jsonl":    patterns,
		"dai/data/PARAREL/raw_data/patterns/P20.jsonl":    fewPatterns, // and P31 has none
		"lama/data/relations.jsonl":                       `{"relation": "P19", "template": "[X] hails from [Y] .", "label": "place of birth"}`,
		"lama/data/TREx/P19.jsonl":                        triple,
		"merged.json":                                     `[[["One [MASK].", "Salzburg", "P19(place of birth)"], ["Two [MASK].", "Salzburg", "P19(place of birth)"]]]`,
		"bags.jsonl":                                      `{"relation":"P19","relation_name":"place of birth","subject":"Mozart","answer":"Salzburg","prompts":["One [MASK]."]}` + "\n",
		"facts.jsonl.gz":                                  zipped.String(),
	})
	path := func(name string) string { return filepath.Join(dir, name) }
	bag := func(subject string, prompts ...string) []facts.Bag {
		return []facts.Bag{{Relation: "P19", RelationName: "place of birth", Subject: subject, Answer: "Salzburg", Prompts: prompts}}
	}
	paths = map[facts.Format]string{
		facts.FormatDai: path("dai"), facts.FormatPARAREL: path("pararel"), facts.FormatLAMA: path("lama"), facts.FormatMerged: path("merged.json"),
		facts.FormatBags: path("bags.jsonl"), facts.FormatTaught: path("facts.jsonl.gz"),
	}
	want = map[facts.Format][]facts.Bag{
		facts.FormatDai:     bag("Mozart", prompts...),
		facts.FormatPARAREL: bag("Mozart", prompts...),
		facts.FormatLAMA:    bag("Mozart", "Mozart hails from [MASK] ."),
		facts.FormatMerged:  bag("", "One [MASK].", "Two [MASK]."),
		facts.FormatBags:    bag("Mozart", "One [MASK]."),
		facts.FormatTaught:  all(t, facts.Bags([]facts.Taught{taught})),
	}
	return paths, want
}

func TestOpenTellsTheFormat(t *testing.T) {
	paths, want := small(t)
	paths["pararel, data"] = filepath.Join(paths[facts.FormatPARAREL], "data")
	paths["dai, data"] = filepath.Join(paths[facts.FormatDai], "data")
	paths["lama, TREx"] = filepath.Join(paths[facts.FormatLAMA], "data", "TREx")
	for name, path := range paths {
		source, format, err := facts.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		if wanted, _, _ := strings.Cut(string(name), ","); string(format) != wanted {
			t.Errorf("%s is taken for %q", path, format)
		}
		for range 2 { // a source runs through more than once
			if got := withPrompts(all(t, source)); !reflect.DeepEqual(got, want[format]) {
				t.Errorf("%s: got %+v, want %+v", name, got, want[format])
			}
		}
		for range source {
			break // and can be left early
		}
	}
}

func TestOpenZipped(t *testing.T) {
	paths, want := small(t)
	data, err := os.ReadFile(paths[facts.FormatMerged])
	if err != nil {
		t.Fatal(err)
	}
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	source, _, err := facts.Open(filepath.Join(files(t, map[string]string{"merged.json.gz": zipped.String()}), "merged.json.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if got := all(t, source); !reflect.DeepEqual(got, want[facts.FormatMerged]) {
		t.Errorf("got %+v", got)
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	bag := `{"relation": "P19", "answer": "Salzburg", "prompts": ["a [MASK]"]}` + "\n"
	for _, c := range []struct{ name, text, want string }{
		{"empty", "", "is empty"},
		{"prose", "Once upon a time", "holds no facts"},
		{"open.json", `[{"th_bags": []}]`, "ReadOpenText"},
		{"triples.jsonl", `{"sub_label": "A", "obj_label": "B"}`, "triples and no prompts"},
		{"other.jsonl", `{"a": 1}`, "none of the keys"},
		{"torn.jsonl", `{"a": `, "torn.jsonl:1: not a JSON object"},
		{"bad.gz", "\x1f\x8bnot zipped", "not a gzip file"},
		{"bags.jsonl", bag + "\n{", "bags.jsonl:3: not a JSON object"},
		{"bags.jsonl", bag + `{"relation": "P19"}`, "bags.jsonl:2: relation, answer or prompts are missing"},
		{"merged.json", "[[[\"a\", \"b\", \"P1\"]],\n[[\"a\", \"b\"]]]", `merged.json:2: bag 2: prompt 1 is ["a" "b"]`},
		{"merged.json", "[[[\"a\", \"b\", \"P1\"],\n[\"a\", \"c\", \"P1\"]]]", `merged.json:2: bag 1: prompt 2 asks for "c" of P1`},
		{"merged.json", "[[[\"a\", \"b\", \"P1\"]],\n\n[]]", "merged.json:3: bag 2: it has no prompt"},
		{"merged.json", "[[[\"a\", \"b\", \"P1\"]],\n[[\"a\"", "merged.json:2: bag 2: unexpected EOF"},
		{"merged.json", "[[[\"a\", \"b\", \"P1\"]]", "merged.json:1: bag 2: unexpected EOF"},
		{"merged.json", "[[[\"a\", \"b\", \"P1\"]]]\n{}", "there is more after the list's end"},
		{"merged.json", "[[[1]]]", "merged.json:1: bag 1"},
	} {
		path := filepath.Join(files(t, map[string]string{c.name: c.text}), c.name)
		source, _, err := facts.Open(path)
		if err == nil {
			err = lastError(t, source)
		}
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s %q: error %v, want one with %q", c.name, c.text, err, c.want)
		}
	}
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "missing")} {
		if _, _, err := facts.Open(path); err == nil || !strings.Contains(err.Error(), "PARAREL") || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: error %v", path, err)
		}
	}
}

func TestFolderErrorsNameFileAndLine(t *testing.T) {
	triple := `{"sub_label": "Mozart", "obj_label": "Salzburg"}` + "\n"
	patterns := ""
	for i := range 4 {
		patterns += fmt.Sprintf("{\"pattern\": \"[X] has way %d to [Y].\"}\n", i)
	}
	const lama = `{"relation": "P19", "template": "[X] hails from [Y] ."}`
	for want, content := range map[string]map[string]string{
		"P19.jsonl:2: not a JSON object":                           {"relations.jsonl": lama, "P19.jsonl": triple + "x"},
		"P19.jsonl:1: sub_label":                                   {"relations.jsonl": lama, "P19.jsonl": "{}"},
		"relations.jsonl:1:":                                       {"relations.jsonl": `{"relation": "P19", "template": "[X]"}`, "P19.jsonl": triple},
		"relations.jsonl:2: not a":                                 {"relations.jsonl": lama + "\n[", "P19.jsonl": triple},
		"no template for the relation":                             {"relations.jsonl": lama, "P20.jsonl": triple},
		`query_pairs.json: P19, pair 2: ["Bach"] is not a subject`: {"PARAREL/query_pairs.json": `{"P19": [["Mozart", "Salzburg"], ["Bach"]]}`, "PARAREL/raw_data/patterns/P19.jsonl": patterns},
		"query_pairs.json: not a JSON object":                      {"PARAREL/query_pairs.json": "[]", "PARAREL/raw_data/patterns/P19.jsonl": patterns},
		"patterns/P19.jsonl:1:":                                    {"PARAREL/query_pairs.json": `{"P19": []}`, "PARAREL/raw_data/patterns/P19.jsonl": "[X]"},
		"graphs_json/P19.jsonl:1:":                                 {"trex_lms_vocab/P19.jsonl": triple, "pattern_data/graphs_json/P19.jsonl": "[X]"},
	} {
		source, _, err := facts.Open(files(t, content))
		if err != nil {
			t.Fatal(err)
		}
		if err := lastError(t, source); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
	for name, open := range map[string]func(string) (facts.Source, error){"PARAREL": facts.PARAREL, "LAMA": facts.LAMA, "the repository knowledge-neurons": facts.Dai} {
		if _, err := open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "is not "+name) {
			t.Errorf("%s of an empty folder: %v", name, err)
		}
	}
}

// TestDaiFromTriples: the authors' pairs are LAMA's triples, so both give the
// same facts, and with PARAREL's patterns those of [facts.PARAREL] about the
// same triples.
func TestDaiFromTriples(t *testing.T) {
	patterns, triples, pairs := "", "", []string{}
	for i := range 5 {
		patterns += fmt.Sprintf("{\"pattern\": \"[X] has way %d to [Y].\"}\n", i)
		triples += fmt.Sprintf("{\"sub_label\": \"S%d\", \"obj_label\": \"O%d\", \"predicate_id\": \"P19\"}\n", i, i)
		pairs = append(pairs, fmt.Sprintf("[\"S%d\", \"O%d\"]", i, i))
	}
	var read [][]facts.Bag
	for _, content := range []map[string]string{
		{"PARAREL/raw_data/patterns/P19.jsonl": patterns, "LAMA/raw_data/TREx/P19.jsonl": triples, "LAMA/raw_data/TREx/P20.jsonl": triples},
		{"PARAREL/raw_data/patterns/P19.jsonl": patterns, "PARAREL/query_pairs.json": `{"P19": [` + strings.Join(pairs, ",") + `]}`},
		{"pattern_data/graphs_json/P19.jsonl": patterns, "trex_lms_vocab/P19.jsonl": triples},
	} {
		source, _, err := facts.Open(files(t, content))
		if err != nil {
			t.Fatal(err)
		}
		read = append(read, withPrompts(all(t, source)))
	}
	if len(read[0]) != 5 || len(read[0][0].Prompts) != 5 {
		t.Errorf("got %v", read[0])
	}
	for _, other := range read[1:] {
		if !reflect.DeepEqual(other, read[0]) {
			t.Errorf("got %v, want %v", other, read[0])
		}
	}
}

// TestPublishedDataSets counts. See [facts.Dai] for the 27,738 facts of the same
// 34 relations that Dai et al. (2022) have.
func TestPublishedDataSets(t *testing.T) {
	if !sharedtest.Available() {
		t.Log("the published data sets are not beside the project: nothing to count")
		return
	}
	for _, c := range []struct {
		folder, relation          string
		relations, facts, prompts int
	}{
		{"pararel", "P19", 34, 23749, 215929},
		{"lama-sample", "P19", 2, 80, 80},
	} {
		source, _, err := facts.Open(sharedtest.Path(t, "data", c.folder))
		if err != nil {
			t.Fatal(err)
		}
		relations, n, prompts := map[string]int{}, 0, 0
		for b, err := range source {
			if err != nil {
				t.Fatal(err)
			}
			if len(b.Prompts) == 0 {
				continue
			}
			relations[b.Relation] = len(b.Prompts)
			n, prompts = n+1, prompts+len(b.Prompts)
		}
		if len(relations) != c.relations || n != c.facts || prompts != c.prompts {
			t.Errorf("%s: %d relations, %d facts, %d prompts, want %+v", c.folder, len(relations), n, prompts, c)
		}
		patterns := 0
		for _, n := range relations {
			patterns += n
		}
		t.Logf("%s: %.2f prompts a relation", c.folder, float64(patterns)/float64(len(relations)))
	}
}

// TestMarksAndOtherEncodings: all formats are read with a byte order mark, and
// refused by name and line in anything but UTF-8.
func TestMarksAndOtherEncodings(t *testing.T) {
	paths, want := small(t)
	for format, path := range paths {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if info.IsDir() || format == facts.FormatTaught { // which is zipped, and ours
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		rewrite := func(data string) (facts.Source, error) {
			if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
			source, _, err := facts.Open(path)
			return source, err
		}
		source, err := rewrite("\ufeff" + string(text))
		if err != nil {
			t.Errorf("%s with a mark: %v", format, err)
		} else if got := all(t, source); !reflect.DeepEqual(got, want[format]) {
			t.Errorf("%s with a mark: %v", format, got)
		}
		source, err = rewrite(strings.ReplaceAll(string(text), "Salzburg", "Sal\xe9burg"))
		if err == nil {
			err = lastError(t, source)
		}
		if err == nil || !strings.Contains(err.Error(), path+":1: not UTF-8 text (byte 0xe9); save the file as UTF-8") {
			t.Errorf("%s in Latin-1: %v", format, err)
		}
		if _, err = rewrite("\xff\xfe" + string(text)); err == nil || !strings.Contains(err.Error(), "UTF-16 text") {
			t.Errorf("%s in UTF-16: %v", format, err)
		}
	}
	for _, name := range []string{"trex_lms_vocab/P19.jsonl", "pattern_data/graphs_json/P19.jsonl"} {
		content := map[string]string{
			"trex_lms_vocab/P19.jsonl":           `{"sub_label": "Mozart", "obj_label": "Salzburg"}`,
			"pattern_data/graphs_json/P19.jsonl": strings.Repeat(`{"pattern": "[X] is of [Y]."}`+"\n", 4),
		}
		content[name] += "\n\"caf\xe9\"\n"
		source, _, err := facts.Open(files(t, content))
		if err == nil {
			err = lastError(t, source)
		}
		if err == nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), "not UTF-8 text") {
			t.Errorf("Latin-1 in %s: %v", name, err)
		}
	}
	if _, _, err := facts.Open(filepath.Join(files(t, map[string]string{"test.jsonl": `{"masked_sentences": ["[MASK]"], "obj_label": "x"}`}), "test.jsonl")); err == nil || !strings.Contains(err.Error(), "masked sentences") {
		t.Errorf("LAMA's SQuAD: %v", err)
	}
}
