package dynamics

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/sharedtest"
)

// TestJobsOfTwo: large models are compared two at a time, with the same
// numbers, and what the start is by itself is found out once.
func TestJobsOfTwo(t *testing.T) {
	ctx := t.Context()
	var names []string
	for _, name := range []string{"classifier_0", "classifier_1", "classifier_2"} {
		names = append(names, filepath.Join(sharedtest.Goldens(t)[0], name))
	}
	models, err := openAll(ctx, names)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := encodeFor(models, Sentences([]string{"Mary was born in London", "Paris is the capital of France .", "John speaks German"}))
	if err != nil {
		t.Fatal(err)
	}
	want, err := runAll(ctx, []job{{models, [][2]int{{0, 1}, {0, 2}}}}, texts, nil)
	if err != nil {
		t.Fatal(err)
	}
	jobs := []job{{[]source{models[0], models[1]}, [][2]int{{0, 1}}}, {[]source{models[0], models[2]}, [][2]int{{0, 1}}}}
	got, err := runAll(ctx, jobs, texts, nil)
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("two at a time: %v, want %v (%v)", got, want, err)
	}
	r, err := newRunner(models[0].folder.Config())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := r.run(ctx, jobs[0], texts, func() {}); err != nil {
		t.Fatal(err)
	}
	if s := r.newSums(jobs[1]); s.own[0] != nil || s.own[1] == nil {
		t.Error("the start's own sums are gathered twice, or the other's never")
	}
	if r.forget(jobs[1:]); len(r.sides) != 1 {
		t.Errorf("%d sides are kept for one model that comes again", len(r.sides))
	}
}
