package experiments

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

func TestMaskAnswer(t *testing.T) {
	for _, test := range []struct{ text, subject, answer, want string }{
		{"Mozart was born in Salzburg.", "Mozart", "Salzburg", "Mozart was born in [MASK]."},
		{"Salzburg! Salzburg, said Mozart.", "Mozart", "Salzburg", "[MASK]! Salzburg, said Mozart."},
		{"The Salzburger Mozart, of Salzburg", "Mozart", "Salzburg", "The Salzburger Mozart, of [MASK]"}, // a word of its own
		{"The Paris Opera is in Paris", "Paris Opera", "Paris", "The Paris Opera is in [MASK]"},          // not the subject
		{"Wien (Österreich)", "Wien", "Österreich", "Wien ([MASK])"},
		{"naïveté", "", "na", ""}, // ends before a letter that is not ASCII
		{"The Paris Opera", "Paris Opera", "Paris", ""},
		{"nothing", "Mozart", "Salzburg", ""},
		{"nothing", "Mozart", "", ""},
	} {
		if got, ok := maskAnswer(test.text, test.subject, test.answer); ok != (test.want != "") || ok && got != test.want {
			t.Errorf("%q: %q, %v; want %q", test.text, got, ok, test.want)
		}
	}
}

// TestMaskWord: every word but the subject's is masked at some time, with its
// punctuation, and none beyond the fiftieth.
func TestMaskWord(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	text := "Once – Johann Mozart (a boy),  wrote" + strings.Repeat(" x", 60)
	seen := map[string]int{}
	for range 3000 {
		got, ok := maskWord(text, "Johann Mozart", rng)
		if !ok {
			t.Fatal("found no word")
		}
		before, after, _ := strings.Cut(got, facts.Mask)
		if !strings.HasPrefix(text, before) || !strings.HasSuffix(text, after) {
			t.Fatalf("%q is not %q with a word masked", got, text)
		}
		seen[text[len(before):len(text)-len(after)]]++
		if len(before) > strings.Index(text, " x")+2*(firstWords-8) {
			t.Fatalf("masks beyond the first %d words: %q", firstWords, got)
		}
	}
	for _, word := range []string{"Once", "–", "(a", "boy),", "wrote", "x"} {
		if seen[word] == 0 {
			t.Errorf("never masked %q", word)
		}
	}
	if len(seen) != 6 {
		t.Errorf("masked %v", seen)
	}
	for _, none := range []string{"", "  ", "Johann Mozart", "(Johann Mozart),"} {
		if got, ok := maskWord(none, "Johann Mozart", rng); ok {
			t.Errorf("masked %q in %q", got, none)
		}
	}
}

// TestMatchTexts: texts go to their facts by what the source says, or by what
// is in them.
func TestMatchTexts(t *testing.T) {
	fact := func(relation, subject, answer string) Fact {
		return Fact{Bag: facts.Bag{Relation: relation, Subject: subject, Answer: answer}}
	}
	all := []Fact{
		fact("P19", "Bach", "Eisenach"), fact("P19", "Bach the younger", "Leipzig"), fact("P20", "Bach", "Leipzig"), fact("P19", "", "Bonn"),
	}
	texts := []facts.OpenText{
		{Relation: "P19", Subject: "Bach", Answer: "Weimar", T1: []string{"wrong answer"}},
		{Relation: "P20", T1: []string{"Bach died in Leipzig"}},
		{Relation: "P19", T1: []string{"Bach the younger, Leipzig"}, T2: []string{"Bach the younger here"}},
		{Relation: "P19", Subject: "Bach", T1: []string{"first"}},
		{Relation: "P19", Subject: "Bach", T1: []string{"second"}},
		{Relation: "P19", T1: []string{"somebody in Bonn"}},
		{Relation: "P36", Subject: "Bach", T1: []string{"another relation"}},
	}
	want := []string{"first", "Bach the younger, Leipzig", "Bach died in Leipzig", ""}
	for i, got := range matchTexts(all, texts) {
		switch {
		case got == nil && want[i] != "":
			t.Errorf("%v has no texts, want %q", all[i].Bag, want[i])
		case got != nil && got.T1[0] != want[i]:
			t.Errorf("%v has %q, want %q", all[i].Bag, got.T1, want[i])
		}
	}
}
