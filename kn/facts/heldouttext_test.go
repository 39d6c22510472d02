package facts_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// lives are facts of two relations that share a person, and one of a third.
func lives(t testing.TB) []facts.Taught {
	t.Helper()
	all := []facts.Fact{
		{Relation: "P19", Subject: "Mozart", Answer: "Salzburg"},
		{Relation: "P19", Subject: "Bach", Answer: "Eisenach"},
		{Relation: "P19", Subject: "Haydn", Answer: "Rohrau"},
		{Relation: "P20", Subject: "Bach", Answer: "Leipzig"},
		{Relation: "P20", Subject: "Haydn", Answer: "Salzburg"},
		{Relation: "P36", Subject: "France", Answer: "Paris"},
	}
	taught, err := facts.Teach(all, 1)
	if err != nil {
		t.Fatal(err)
	}
	return taught
}

func ExampleHeldOutText() {
	taught, err := facts.Teach([]facts.Fact{
		{Relation: "P19", Subject: "Mozart", Answer: "Salzburg"}, {Relation: "P20", Subject: "Bach", Answer: "Leipzig"},
	}, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	texts, err := facts.HeldOutText(taught, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(texts[0].T1[0])
	fmt.Println(texts[0].T2[0])
	// Output:
	// Mozart was born and raised in Salzburg.
	// In an accident Mozart lost their life in Leipzig.
}

func TestHeldOutText(t *testing.T) {
	taught := lives(t)
	texts, err := facts.HeldOutText(taught, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, x := range texts {
		f := taught[i]
		if x.Relation != f.Relation || x.Subject != f.Subject || x.Answer != f.Answer || len(x.T1) != len(f.HeldOut) || len(x.T2) != len(x.T1) {
			t.Fatalf("%v: %+v", f.Fact, x)
		}
		held, err := f.Prompts(true)
		if err != nil {
			t.Fatal(err)
		}
		for k, text := range x.T1 {
			if strings.Replace(text, f.Answer, facts.Mask, 1) != held[k] {
				t.Errorf("%v: T1 is %q, the prompt held out %q", f.Fact, text, held[k])
			}
		}
		for _, text := range x.T2 {
			if !strings.Contains(text, f.Subject) || strings.Contains(text, f.Answer) {
				t.Errorf("%v: T2 is %q", f.Fact, text)
			}
			if slices.ContainsFunc(taught, func(o facts.Taught) bool { return o.Subject == f.Subject && strings.Contains(text, o.Answer) }) {
				t.Errorf("%v: %q says a fact that was taught", f.Fact, text)
			}
		}
	}
	// Mozart shares a relation with those who died somewhere, and nobody with France.
	died, err := facts.RelationByProperty("P20")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range texts[0].T2 {
		if !slices.ContainsFunc(died.Templates, func(p facts.Template) bool { return text == p.Fill("Mozart", "Leipzig") }) {
			t.Errorf("T2 of Mozart's birth is %q, want a sentence on a death in Leipzig", text)
		}
	}
}

func TestHeldOutTextDoesNotDependOnOrder(t *testing.T) {
	taught := lives(t)
	texts, err := facts.HeldOutText(taught, 2)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(taught)
	again, err := facts.HeldOutText(taught, 2)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(again)
	if !reflect.DeepEqual(texts, again) {
		t.Error("another order of the facts gives other texts")
	}
	slices.Reverse(taught)
	other, err := facts.HeldOutText(taught, 3)
	if err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(texts, other) {
		t.Error("another seed gives the same texts")
	}
}

func TestHeldOutTextErrors(t *testing.T) {
	for want, f := range map[string]facts.Taught{
		`"P0"`:        {Fact: facts.Fact{Relation: "P0", Subject: "A", Answer: "B"}},
		"template 99": {Fact: facts.Fact{Relation: "P19", Subject: "A", Answer: "B"}, HeldOut: []int{99}},
	} {
		if _, err := facts.HeldOutText([]facts.Taught{f}, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
	}
}
