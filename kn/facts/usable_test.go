package facts_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// source is bags from memory.
func source(bags ...facts.Bag) facts.Source {
	return func(yield func(facts.Bag, error) bool) {
		for _, b := range bags {
			if !yield(b, nil) {
				return
			}
		}
	}
}

// vocabulary is the tokenizer of the project's small reference model.
func vocabulary(t testing.TB) *tokenizer.Tokenizer {
	t.Helper()
	v, err := tokenizer.Open(os.DirFS(filepath.Join(sharedtest.Goldens(t)[0], "model")))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestUsable(t *testing.T) {
	bag := func(answer string, prompts ...string) facts.Bag {
		return facts.Bag{Relation: "P36", Subject: "France", Answer: answer, Prompts: prompts}
	}
	good := bag("Paris", "The capital of France is [MASK].")
	partly := bag("Rome", "The capital [MASK].", "no mask", "The capital of France is [MASK].")
	kept := bag("Rome", "The capital [MASK].", "The capital of France is [MASK].")
	var left []facts.LeftOut
	bags := []facts.Bag{
		good,
		bag("Paris and Rome", "The capital of France is [MASK]."),
		bag("Paris", "The capital of France is [MASK].", "The capital of France.", "[MASK] is [MASK].", "The capital of [MASK] is \u4e16.",
			"The capital of France is [MASK].", "the the the the the the the the the the the the the the the [MASK]"),
		bag("Paris", "no mask"),
		partly,
		bag("Paris"),
	}
	given := source(bags...)
	usable := facts.Usable(func(yield func(facts.Bag, error) bool) { given(yield) }, reader(vocabulary(t), 16), func(l facts.LeftOut) { left = append(left, l) })
	for run := range 2 { // what was found out in the first is known in the second
		if got := all(t, usable); !reflect.DeepEqual(got, []facts.Bag{good, kept}) {
			t.Errorf("run %d: usable are %+v", run, got)
		}
	}
	var reasons []facts.Reason
	for _, l := range left {
		reasons = append(reasons, l.Reason)
	}
	want := []facts.Reason{
		facts.NotOneToken,
		facts.NoMask, facts.ManyMasks, facts.UnknownWord, facts.Repeated, facts.TooLong, facts.Repeated,
		facts.NoMask, facts.NoPromptLeft,
		facts.NoMask,
		facts.FewPatterns,
	}
	if !reflect.DeepEqual(reasons, want) {
		t.Errorf("left out %+v", left)
	}
	if left[1].Prompt != "The capital of France." || left[6].Prompt != "" || left[0].Detail == "" {
		t.Errorf("left out %+v", left)
	}
	for change, of := range map[string][]facts.Bag{"grew": append(slices.Clone(bags), good), "shrank": bags[:4], "has other prompts": append(slices.Clone(bags[:4]), good)} {
		given = source(of...)
		if err := lastError(t, usable); err == nil || !strings.Contains(err.Error(), "has changed") {
			t.Errorf("a data set that %s after the first run: error %v", change, err)
		}
	}
}

func TestDraw(t *testing.T) {
	var bags []facts.Bag
	for _, f := range many(500) {
		bags = append(bags, facts.Bag{Relation: f.Relation, Subject: f.Subject, Answer: f.Answer, Prompts: []string{"[MASK]"}})
	}
	reversed := slices.Clone(bags)
	slices.Reverse(reversed)
	ten := all(t, facts.Draw(source(bags...), 10, 1))
	backwards := all(t, facts.Draw(source(reversed...), 10, 1))
	slices.Reverse(backwards)
	if len(ten) != 20 || !reflect.DeepEqual(ten, backwards) {
		t.Errorf("%d facts are drawn of two relations, or others from another order", len(ten))
	}
	if other := all(t, facts.Draw(source(bags...), 10, 2)); reflect.DeepEqual(ten, other) {
		t.Error("another seed draws the same facts")
	}
	twenty := all(t, facts.Draw(source(bags...), 20, 1))
	for _, b := range ten {
		if !slices.ContainsFunc(twenty, func(c facts.Bag) bool { return c.Key() == b.Key() }) {
			t.Errorf("%v is among 10, not among 20", b)
		}
	}
	if whole := all(t, facts.Draw(source(bags...), 0, 1)); len(whole) != 500 {
		t.Errorf("0 draws %d facts", len(whole))
	}
	only := all(t, facts.OfRelations(source(bags...), "P106"))
	if len(only) != 250 || only[0].Relation != "P106" {
		t.Errorf("%d facts of P106", len(only))
	}
	if err := lastError(t, facts.OfRelations(source(bags...), "P106", "P1")); err == nil || !strings.Contains(err.Error(), `"P1"; it has those of P19 and P106`) {
		t.Errorf("of a relation that is not there: %v", err)
	}
	var many []facts.Bag
	for i := range 41 {
		many = append(many, facts.Bag{Relation: fmt.Sprintf("P%d", 41-i), Answer: "Rome"})
	}
	if err := lastError(t, facts.OfRelations(source(many...), "P0")); err == nil || !strings.HasSuffix(err.Error(), "it has those of P1, P2, P3, P4, P5, P6, P7, P8, P9, P10, P11, P12 and 29 more") {
		t.Errorf("of a relation among many that is not there: %v", err)
	}
}

// reader reads with a vocabulary, at most so many tokens.
func reader(t *tokenizer.Tokenizer, most int) facts.Reader {
	return facts.Reader{Tokenizer: t, AskOptions: tokenizer.AskOptions{MaxLength: most}}
}
