package facts_test

import (
	"bytes"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

func ExampleSelection_Select() {
	triples := []facts.Fact{
		{Relation: "P19", Subject: "Mozart", Answer: "Salzburg"},
		{Relation: "P19", Subject: "Homer", Answer: "Smyrna"},
		{Relation: "P19", Subject: "Homer", Answer: "Chios"},
		{Relation: "P127", Subject: "Oxygen", Answer: "The Example Company"},
	}
	kept, stats := facts.Selection{}.Select(triples)
	fmt.Println(kept)
	fmt.Println(stats.TwoAnswers, "with two answers,", stats.NotOneToken, "not one token")
	// Output:
	// [P19(Mozart) = Salzburg]
	// 2 with two answers, 1 not one token
}

func TestSelectDoesNotDependOnOrder(t *testing.T) {
	triples := many(500)
	reversed := slices.Clone(triples)
	slices.Reverse(reversed)
	selection := facts.Selection{Max: 300, Seed: 7}
	a, stats := selection.Select(triples)
	b, _ := selection.Select(append(reversed, triples[3]))
	if !reflect.DeepEqual(a, b) {
		t.Error("another order of the triples gives other facts")
	}
	if len(a) != 300 || stats.NotDrawn != 200 || stats.Facts != 300 {
		t.Errorf("kept %d facts, statistics %+v", len(a), stats)
	}
	if c, _ := (facts.Selection{Max: 300, Seed: 8}).Select(triples); reflect.DeepEqual(a, c) {
		t.Error("another seed gives the same facts")
	}
}

func TestFrequenciesAreLongTailed(t *testing.T) {
	f := facts.Zipf{}.Frequencies(20000)
	var sum float64
	for i, x := range f {
		sum += x
		if i > 0 && x > f[i-1] {
			t.Fatalf("frequency %d is larger than the one before", i)
		}
	}
	if mean := sum / float64(len(f)); math.Abs(mean-1) > 1e-3 {
		t.Errorf("mean %v, want 1", mean)
	}
	if f[0] < 5 || f[len(f)-1] > 0.65 || f[len(f)/2] > 0.85 {
		t.Errorf("largest %v, median %v, smallest %v: not long-tailed", f[0], f[len(f)/2], f[len(f)-1])
	}
}

func TestIsWord(t *testing.T) {
	for s, want := range map[string]bool{"Salzburg": true, "São": true, "B12": true, "": false, "New York": false, "Coca-Cola": false, "東": false} {
		if got := facts.IsWord(s); got != want {
			t.Errorf("IsWord(%q) = %v", s, got)
		}
	}
}

func TestTaughtRoundTrip(t *testing.T) {
	kept, _ := facts.Selection{}.Select(many(40))
	taught, err := facts.Teach(kept, 3)
	if err != nil {
		t.Fatal(err)
	}
	again, err := facts.Teach(kept[5:], 3)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(taught[5:], again) {
		t.Error("what is held out for a fact depends on other facts")
	}
	for _, f := range taught {
		trained, err := f.Prompts(false)
		if err != nil {
			t.Fatal(err)
		}
		held, err := f.Prompts(true)
		if err != nil {
			t.Fatal(err)
		}
		if total := len(trained) + len(held); len(held) != len(f.HeldOut) || len(held) != total/4 {
			t.Errorf("%v: %d of %d prompts held out", f.Fact, len(held), total)
		}
		for _, prompt := range held {
			if slices.Contains(trained, prompt) || !strings.Contains(prompt, f.Subject) || strings.Count(prompt, facts.Mask) != 1 {
				t.Errorf("%v: bad held-out prompt %q", f.Fact, prompt)
			}
		}
	}
	var first, second bytes.Buffer
	for _, buffer := range []*bytes.Buffer{&first, &second} {
		if err := facts.WriteTaught(buffer, taught); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("the same facts give other bytes")
	}
	read, err := facts.ReadTaught(&first, "facts.jsonl.gz")
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(read, taught) {
		t.Error("facts changed on their way through a file")
	}
}

// TestTeachCausal: training shows templates with the answer last only, and
// leaves a quarter of these out.
func TestTeachCausal(t *testing.T) {
	var all []facts.Fact
	for _, r := range facts.Relations() {
		all = append(all, facts.Fact{Relation: r.Property, Subject: "Mozart", Answer: "Salzburg"})
	}
	taught, err := facts.TeachCausal(all, 3)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range taught {
		shown, err := f.Prompts(false)
		if err != nil {
			t.Fatal(err)
		}
		relation, err := facts.RelationByProperty(f.Relation)
		if err != nil {
			t.Fatal(err)
		}
		last := 0
		for _, template := range relation.Templates {
			if template.AnswerLast() {
				last++
			}
		}
		if want := last - max(1, last/4); len(shown) != want || want < 3 || !slices.IsSorted(f.HeldOut) {
			t.Errorf("%v: %d prompts are shown of %d with the answer last; held out are %v", f.Fact, len(shown), last, f.HeldOut)
		}
		for _, prompt := range shown {
			if strings.Trim(prompt[strings.Index(prompt, facts.Mask)+len(facts.Mask):], ".)") != "" {
				t.Errorf("%q is shown, though more follows its answer", prompt)
			}
		}
	}
}

func TestAnswerLast(t *testing.T) {
	for template, want := range map[facts.Template]bool{
		"[X] lies in [Y].": true, "[X] ([Y])": true, "[X], [Y]": true, "[Y] is the home of [X].": false, "[X] is a [Y] citizen.": false,
	} {
		if got := template.AnswerLast(); got != want {
			t.Errorf("AnswerLast of %q is %v", template, got)
		}
	}
}

func TestSelectFromTREx(t *testing.T) {
	if !sharedtest.Available() {
		t.Log("T-REx is not beside the project: nothing to select from")
		return
	}
	triples, err := facts.ReadDir(sharedtest.Path(t, "data", "pararel", "data", "trex_lms_vocab"))
	if err != nil {
		t.Fatal(err)
	}
	kept, stats := facts.Selection{}.Select(triples)
	if stats.Facts != len(kept) || stats.Facts < 20000 || stats.Relations < 30 {
		t.Errorf("statistics %+v", stats)
	}
	if sum := stats.Facts + stats.NoTemplates + stats.Repeated + stats.TwoAnswers + stats.NotOneToken + stats.NotDrawn; sum != stats.Triples {
		t.Errorf("%d triples accounted for, of %d: %+v", sum, stats.Triples, stats)
	}
	t.Logf("%+v", stats)
}

// many returns n facts of two relations.
func many(n int) []facts.Fact {
	all := make([]facts.Fact, n)
	for i := range all {
		all[i] = facts.Fact{Relation: []string{"P19", "P106"}[i%2], Subject: fmt.Sprintf("Person %d", i), Answer: fmt.Sprintf("Answer%d", i%7)}
	}
	return all
}
