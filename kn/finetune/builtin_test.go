package finetune

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
)

// taught are the facts of the embedded model.
var taught = sync.OnceValue(func() []facts.Fact {
	var known []facts.Fact
	for _, f := range mini.MustFacts() {
		known = append(known, facts.Fact{Relation: f.Relation, Subject: f.Subject, Answer: f.Answer})
	}
	return known
})

// statements maps every sentence that can be made of them to what it states.
var statements = sync.OnceValue(func() map[string][]facts.Fact {
	said := map[string][]facts.Fact{}
	for _, f := range taught() {
		relation, err := facts.RelationByProperty(f.Relation)
		if err != nil {
			panic(err)
		}
		for _, template := range relation.Templates {
			s := template.Fill(f.Subject, f.Answer)
			said[s] = append(said[s], f)
		}
	}
	return said
})

// TestPartsShareNoFact looks for the facts behind every true sentence.
func TestPartsShareNoFact(t *testing.T) {
	known := taught()
	said := statements()
	for _, task := range BuiltInTasks {
		data, err := BuiltIn(task, known, Sizes{})
		if err != nil {
			t.Fatal(err)
		}
		where, shared := map[facts.Fact]string{}, 0
		for _, p := range data.Parts {
			for _, x := range p.Examples {
				for _, f := range said[x.Sentence1] {
					if before, ok := where[f]; ok && before != p.Name {
						shared++
					}
					where[f] = p.Name
				}
			}
		}
		// A sentence such as "x (y)" may state two facts, one of them of another part.
		if len(where) < 2000 || shared > len(where)/500 {
			t.Errorf("%s: %d of %d facts are in two parts", task, shared, len(where))
		}
	}
}

// TestBuiltInIsFixedByItsSeed makes each task twice, and with another seed.
func TestBuiltInIsFixedByItsSeed(t *testing.T) {
	known := taught()
	turned := slices.Clone(known)
	slices.Reverse(turned)
	small := Sizes{Train: 200, Dev: 20, Test: 20}
	for _, task := range BuiltInTasks {
		first := MustBuiltIn(task, known, small)
		if !reflect.DeepEqual(first, MustBuiltIn(task, turned, small)) {
			t.Errorf("%s depends on the order of the facts", task)
		}
		other := small
		other.Seed = 2
		if reflect.DeepEqual(first, MustBuiltIn(task, known, other)) {
			t.Errorf("%s does not depend on the seed", task)
		}
		for i, n := range []int{200, 20, 20} {
			if len(first.Parts[i].Examples) != n {
				t.Errorf("%s: part %d has %d examples", task, i, len(first.Parts[i].Examples))
			}
		}
	}
}

// TestTruth checks that what is called true was taught and what is called
// false was not, that both are as common, and that the answer tells nothing.
func TestTruth(t *testing.T) {
	known := taught()
	said := statements()
	data := MustBuiltIn(TrueTask, known, Sizes{})
	train, _ := data.Part("train")
	count := [2]int{}
	for _, x := range train {
		count[x.Label]++
		if stated := len(said[x.Sentence1]) > 0; stated != (data.Labels[x.Label] == "true") {
			t.Fatalf("%q is called %s", x.Sentence1, data.Labels[x.Label])
		}
	}
	if count[0] != count[1] {
		t.Errorf("%d statements are false, %d true", count[0], count[1])
	}
}

// TestRelations checks the labels, and that no sentence form of the training
// part is used in another part.
func TestRelations(t *testing.T) {
	known := taught()
	data := MustBuiltIn(RelationTask, known, Sizes{})
	forms := map[string]map[string]bool{"train": {}, "dev": {}, "test": {}}
	said := statements()
	for _, p := range data.Parts {
		for _, x := range p.Examples {
			names := map[string]bool{}
			for _, f := range said[x.Sentence1] {
				relation, _ := facts.RelationByProperty(f.Relation)
				names[relation.Name] = true
				form := strings.Replace(strings.Replace(x.Sentence1, f.Subject, "X", 1), f.Answer, "Y", 1)
				forms[p.Name][fmt.Sprint(f.Relation, form)] = true
			}
			if !names[data.Labels[x.Label]] {
				t.Fatalf("%q is said to state %q", x.Sentence1, data.Labels[x.Label])
			}
		}
	}
	both := 0
	for form := range forms["test"] {
		if forms["train"][form] {
			both++
		}
	}
	if both > len(forms["test"])/100 {
		t.Errorf("%d of %d sentence forms of the test part are in the training part", both, len(forms["test"]))
	}
}

// TestParaphrases checks that pairs called the same state one fact in two
// sentences, and that others do not.
func TestParaphrases(t *testing.T) {
	known := taught()
	said := statements()
	data := MustBuiltIn(ParaphraseTask, known, Sizes{})
	for _, p := range data.Parts {
		same := 0
		for _, x := range p.Examples {
			common := slices.ContainsFunc(said[x.Sentence1], func(f facts.Fact) bool { return slices.Contains(said[x.Sentence2], f) })
			if common != (data.Labels[x.Label] == "same") || x.Sentence1 == x.Sentence2 {
				t.Fatalf("%q and %q are called %s", x.Sentence1, x.Sentence2, data.Labels[x.Label])
			}
			same += x.Label
		}
		if same != len(p.Examples)/2 {
			t.Errorf("%d of %d pairs of %s say the same", same, len(p.Examples), p.Name)
		}
	}
}

// TestBadBuiltIn checks the errors.
func TestBadBuiltIn(t *testing.T) {
	known := taught()
	for want, make := range map[string]func() (*Data, error){
		`no built-in task "truth"`:    func() (*Data, error) { return BuiltIn("truth", known, Sizes{}) },
		"make only":                   func() (*Data, error) { return BuiltIn(TrueTask, known[:100], Sizes{}) },
		"relations have no sentences": func() (*Data, error) { return BuiltIn(TrueTask, []facts.Fact{{Relation: "P1"}}, Sizes{}) },
	} {
		if _, err := make(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
