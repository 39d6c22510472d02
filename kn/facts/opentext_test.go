package facts_test

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

func TestReadOpenText(t *testing.T) {
	dir := files(t, map[string]string{
		"texts_P106_new.json": `[{"th_bags": ["Mozart, composer"], "h_bags": ["Mozart"]}, {"th_bags": [], "h_bags": ["Bach"]}]`,
		"texts_P19_new.json":  "[\n{\"h_bags\": [\"Mozart\"]}]",
		"own.jsonl":           `{"relation": "P36", "subject": "France", "answer": "Paris", "t1": ["a"], "t2": ["b"], "t3": ["c"]}`,
	})
	want := []facts.OpenText{
		{Relation: "P36", Subject: "France", Answer: "Paris", T1: []string{"a"}, T2: []string{"b"}, T3: []string{"c"}},
		{Relation: "P19", T2: []string{"Mozart"}},
		{Relation: "P106", T1: []string{"Mozart, composer"}, T2: []string{"Mozart"}},
		{Relation: "P106", T1: []string{}, T2: []string{"Bach"}},
	}
	var got []facts.OpenText
	for text, err := range facts.ReadOpenText(dir) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, text)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v", got)
	}
}

// TestReadOpenTextNamesFacts: in the authors' repository a file beside the texts,
// or above their folder, says what each entry is about.
func TestReadOpenTextNamesFacts(t *testing.T) {
	content := map[string]string{
		"final/texts_P19_new.json": `[{"th_bags": ["Mozart, Salzburg"], "h_bags": ["Mozart"]}, {"th_bags": [], "h_bags": ["Bach"]}]`,
		"query_pairs.json":         `{"P19": [["Mozart", "Salzburg"], ["Bach", "Eisenach"]]}`,
	}
	for _, path := range []string{"final", "final/texts_P19_new.json"} {
		var named []string
		for text, err := range facts.ReadOpenText(filepath.Join(files(t, content), path)) {
			if err != nil {
				t.Fatal(err)
			}
			named = append(named, text.Subject, text.Answer)
		}
		if want := []string{"Mozart", "Salzburg", "Bach", "Eisenach"}; !reflect.DeepEqual(named, want) {
			t.Errorf("%s: the texts are about %v", path, named)
		}
	}
	for pairs, want := range map[string]string{
		`{"P19": [["Mozart", "Salzburg"]]}`:                       "bag 2: query_pairs.json has no pair",
		`{"P19": [["Mozart"], ["Bach", "Eisenach"]]}`:             "bag 1: query_pairs.json has no pair",
		`{"P19": [["A", "B"], ["Bach", "Eisenach"], ["C", "D"]]}`: "it has 2 bags, where query_pairs.json has 3 pairs",
		`[]`: "not a JSON object of relations",
	} {
		content["query_pairs.json"] = pairs
		var last error
		for _, err := range facts.ReadOpenText(filepath.Join(files(t, content), "final")) {
			last = err
		}
		if last == nil || !strings.Contains(last.Error(), want) {
			t.Errorf("%s: error %v, want one with %q", pairs, last, want)
		}
	}
}

func TestReadOpenTextErrors(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"P19.json", "[{\"th_bags\": []},\n{}]", "P19.json:2: bag 2: neither th_bags nor h_bags"},
		{"P19.json", "[{\"th_bags\": []},\n{", "P19.json:2: bag 2: unexpected EOF"},
		{"texts.json", "[]", "the file's name says no relation"},
		{"own.jsonl", "\n{}", "own.jsonl:2: relation or texts are missing"},
		{"own.jsonl", "x", "own.jsonl:1: not a JSON object"},
	} {
		var last error
		for _, err := range facts.ReadOpenText(filepath.Join(files(t, map[string]string{c.name: c.text}), c.name)) {
			last = err
		}
		if last == nil || !strings.Contains(last.Error(), c.want) {
			t.Errorf("%q: error %v, want one with %q", c.text, last, c.want)
		}
	}
	for _, err := range facts.ReadOpenText(t.TempDir()) {
		if err == nil || !strings.Contains(err.Error(), "no file of open texts") {
			t.Errorf("an empty folder gives %v", err)
		}
	}
}

func TestPublishedOpenTexts(t *testing.T) {
	if !sharedtest.Available() {
		t.Log("the authors' open texts are not beside the project: nothing to count")
		return
	}
	count := map[string]int{}
	for text, err := range facts.ReadOpenText(sharedtest.Path(t, "data", "distant-sample")) {
		if err != nil {
			t.Fatal(err)
		}
		count[text.Relation]++
		count["T1"] += len(text.T1)
		count["T2"] += len(text.T2)
	}
	if want := map[string]int{"P19": 30, "P101": 30, "T1": count["T1"], "T2": count["T2"]}; !reflect.DeepEqual(count, want) || count["T1"] < 300 || count["T2"] < 500 {
		t.Errorf("counted %v", count)
	}
}
