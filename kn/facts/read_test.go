package facts_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

func TestReadNamesFileAndLine(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"torn line", `{"sub_label": "A", "obj_label": "B"}` + "\n" + `{"sub_label": "A"`, "p.jsonl:2: not a JSON object"},
		{"no answer", "\n\n" + `{"sub_label": "A"}`, "p.jsonl:3: sub_label or obj_label is missing"},
		{"not an object", `[1]`, "p.jsonl:1: not a JSON object"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var last error
			for _, err := range facts.Read(strings.NewReader(test.text), "p.jsonl", "P19") {
				last = err
			}
			if last == nil || !strings.Contains(last.Error(), test.want) {
				t.Errorf("error is %v, want one with %q", last, test.want)
			}
		})
	}
}

func TestReadDir(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := facts.ReadDir(dir); err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("an empty folder gives %v, want an error that names it", err)
	}
	write("P106.jsonl", `{"sub_label": "Mozart", "obj_label": "composer"}`+"\n")
	write("P19.jsonl", `{"sub_label": "Mozart", "obj_label": "Salzburg"}`+"\n\n"+`{"sub_label": "Bach", "obj_label": "Eisenach", "predicate_id": "P20"}`+"\n")
	got, err := facts.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := []facts.Fact{
		{Relation: "P19", Subject: "Mozart", Answer: "Salzburg"},
		{Relation: "P20", Subject: "Bach", Answer: "Eisenach"},
		{Relation: "P106", Subject: "Mozart", Answer: "composer"},
	}
	if len(got) != len(want) {
		t.Fatalf("got %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("fact %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"sub_label": "A", "obj_label": "B"}`))
	f.Add([]byte("{}\n\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		failed := false
		for fact, err := range facts.Read(bytes.NewReader(data), "fuzz", "P1") {
			if failed {
				t.Fatal("Read went on after an error")
			}
			failed = err != nil
			if !failed && (fact.Subject == "" || fact.Answer == "") {
				t.Fatalf("Read gave %v without an error", fact)
			}
		}
	})
}

func FuzzParseRelations(f *testing.F) {
	f.Add([]byte("P19 place of birth\n[X] is from [Y].\n# remark\n"))
	f.Add([]byte("[X] [Y]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		relations, err := facts.ParseRelations(bytes.NewReader(data), "fuzz")
		if err != nil {
			return
		}
		for _, r := range relations {
			for _, template := range r.Templates {
				if n := strings.Count(template.Prompt(""), facts.Mask); n < 1 {
					t.Fatalf("prompt of %q has no mask", template)
				}
			}
		}
	})
}

func FuzzReadTaught(f *testing.F) {
	var zipped bytes.Buffer
	if err := facts.WriteTaught(&zipped, []facts.Taught{{Fact: facts.Fact{Relation: "P19", Subject: "A", Answer: "B"}}}); err != nil {
		f.Fatal(err)
	}
	f.Add(zipped.Bytes())
	f.Add([]byte("\x1f\x8b"))
	f.Fuzz(func(t *testing.T, data []byte) {
		read, err := facts.ReadTaught(bytes.NewReader(data), "fuzz")
		if err == nil {
			for _, fact := range read {
				if fact.Subject == "" {
					t.Fatalf("ReadTaught gave %v without an error", fact)
				}
			}
		}
	})
}

func FuzzReadMerged(f *testing.F) {
	f.Add([]byte(`[[["[MASK] is a city.", "Paris", "P36(capital)"]]]`))
	f.Add([]byte("[[],\n[[]]]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkBags(t, facts.Source(facts.ReadMerged(bytes.NewReader(data), "fuzz")))
	})
}

func FuzzReadBags(f *testing.F) {
	f.Add([]byte(`{"relation":"P19","answer":"Salzburg","prompts":["[MASK]"]}`))
	f.Add([]byte("{}\n\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		checkBags(t, facts.Source(facts.ReadBags(bytes.NewReader(data), "fuzz")))
	})
}

// checkBags runs a source through, which must end at its first error.
func checkBags(t *testing.T, source facts.Source) {
	t.Helper()
	failed := false
	for b, err := range source {
		if failed {
			t.Fatal("the source goes on after an error")
		}
		failed = err != nil
		if !failed && (b.Relation == "" || b.Answer == "" || len(b.Prompts) == 0) {
			t.Fatalf("%+v comes without an error", b)
		}
	}
}

// FuzzOpen: whatever a file holds, it opens or there is an error.
func FuzzOpen(f *testing.F) {
	f.Add([]byte(`[[["[MASK]", "Paris", "P36(capital)"]]]`))
	f.Add([]byte(`{"relation":"P19","answer":"Salzburg","prompts":["[MASK]"]}`))
	f.Add([]byte("\x1f\x8b"))
	path := filepath.Join(f.TempDir(), "facts")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if source, _, err := facts.Open(path); err == nil {
			checkBags(t, source)
		}
		for range facts.ReadOpenText(path) {
		}
	})
}
