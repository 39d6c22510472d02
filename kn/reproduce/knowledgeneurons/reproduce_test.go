package knowledgeneurons_test

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/mini"
	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/report/reporttest"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce/knowledgeneurons"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

// quick is a reproduction of four facts each of three relations, in three
// prompts each, from the file.
func quick(file string) knowledgeneurons.Options {
	return knowledgeneurons.Options{
		Facts: file, Tolerance: 0.05, Command: "kn reproduce",
		Sizes: knowledgeneurons.Sizes{Resamples: 50, Draws: 1, Recipes: 1, Prompts: 1, Exactness: 2, Updates: 1, Curve: 1, Erased: 2, Others: 2},
	}
}

// factsFile writes what quick reads: facts that the embedded model was taught.
func factsFile(t *testing.T) string {
	t.Helper()
	taught, err := loadMini(t).Facts()
	if err != nil {
		t.Fatal(err)
	}
	left := map[string]int{"P19": 4, "P36": 4, "P106": 4}
	file, err := os.Create(filepath.Join(t.TempDir(), "facts.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	err = facts.WriteBags(file, func(yield func(facts.Bag, error) bool) {
		for b, err := range facts.Bags(taught) {
			if left[b.Relation] == 0 {
				continue
			}
			left[b.Relation]--
			b.Prompts = b.Prompts[:3]
			if !yield(b, err) {
				return
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return file.Name()
}

func loadMini(t *testing.T) *kn.Model {
	t.Helper()
	m, err := kn.Load(mini.Name, kn.WithCache("off"))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// reproduced runs a reproduction and returns the stages that were not computed again.
func reproduced(t *testing.T, dir string, o knowledgeneurons.Options) (outcome *reproduce.Outcome, kept map[string]bool) {
	t.Helper()
	kept = map[string]bool{}
	outcome, err := knowledgeneurons.Reproduce(t.Context(), loadMini(t), dir, o, reproduce.Watch{Stage: func(_, _ int, what string, again bool) { kept[what] = again }})
	if err != nil {
		t.Fatal(err)
	}
	return outcome, kept
}

var timeLine = regexp.MustCompile(`(?m)^.*in all[^(\n]* \(.*$`)

// written are the files of a reproduction by their paths: all but what it keeps
// for itself, and the reports without the line on time.
func written(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path == "sweep":
			return fs.SkipDir
		case entry.IsDir() || path == reproduce.LedgerFile || strings.HasPrefix(path, "."):
			return nil
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		if strings.HasPrefix(path, "report.") {
			if len(timeLine.FindAll(data, -1)) != 1 {
				t.Errorf("%s does not say in one line how long it took", path)
			}
			data = timeLine.ReplaceAll(data, nil)
		}
		files[path] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// hasNoSentences: what is published has the numbers, and their sources, and
// neither prompts nor texts.
func hasNoSentences(t *testing.T, published, dir string) {
	t.Helper()
	if n := reporttest.Traced(t, published); n < 300 {
		t.Errorf("of what is published only %d numbers are traced to result files", n)
	}
	var sentences []string
	source, _, err := facts.Open(filepath.Join(dir, knowledgeneurons.FactsFile))
	if err != nil {
		t.Fatal(err)
	}
	for b, err := range source {
		if err != nil {
			t.Fatal(err)
		}
		sentences = append(sentences, b.Prompts...)
	}
	data, err := os.ReadFile(filepath.Join(dir, report.ResultsDir, "express.json"))
	if err != nil {
		t.Fatal(err)
	}
	var expressed experiments.ActivationExpression
	if err := json.Unmarshal(data, &expressed); err != nil {
		t.Fatal(err)
	}
	for _, n := range expressed.Extremes {
		sentences = append(sentences, n.Most[0].Text, n.Least[0].Text)
	}
	if len(sentences) < 38 {
		t.Fatalf("only %d sentences", len(sentences))
	}
	for path, text := range written(t, published) {
		for _, s := range sentences {
			if strings.Contains(text, s) {
				t.Errorf("published %s has the sentence %q", path, s)
			}
		}
		if strings.HasSuffix(path, ".png") {
			t.Errorf("published %s", path)
		}
	}
}

// TestReproduce makes a whole report and traces its numbers; makes it
// elsewhere, killed twice on the way; and then another one of what is kept.
func TestReproduce(t *testing.T) {
	dir, o := t.TempDir(), quick(factsFile(t))
	o.Publish = filepath.Join(t.TempDir(), "published")
	var projected sweep.Projection
	o.Projected = func(p sweep.Projection) { projected = p }
	first, kept := reproduced(t, dir, o)
	if projected.Prompts != 36 || projected.PromptsPerSecond <= 0 {
		t.Errorf("projected %+v of 12 facts in 3 prompts each", projected)
	}
	for stage, again := range kept {
		if again {
			t.Errorf("stage %q was found in an empty folder", stage)
		}
	}
	if n := reporttest.Traced(t, dir); n < 300 {
		t.Errorf("only %d numbers are traced to result files", n)
	}
	hasNoSentences(t, o.Publish, dir)
	verdicts := map[string]report.Verdict{}
	for _, c := range first.Claims {
		verdicts[c.ID] = c.Verdict
	}
	// So few facts a relation are too few to tell of erasing.
	if len(verdicts) != 10 || verdicts["suppress"] != report.Holds || verdicts["erase"] != report.Unknown {
		t.Errorf("verdicts %v", verdicts)
	}
	want := written(t, dir)

	killed := t.TempDir()
	for _, stage := range []string{"attribute the answers to neurons", "update facts"} {
		killIn(t, killed, o.Facts, stage)
	}
	// What was measured by then stands in a report.
	early, err := os.ReadFile(filepath.Join(killed, "report.md"))
	if err != nil {
		t.Fatal(err)
	}
	if text := string(early); !strings.Contains(text, "Still to be measured: updating facts, erasing relations, the published codes, exactness.") ||
		!strings.Contains(text, "## Suppressing and amplifying") || strings.Contains(text, "## Updating facts") {
		t.Errorf("the report of what there is:\n%s", text)
	}
	_, kept = reproduced(t, killed, o)
	for stage, again := range kept {
		done := slices.Contains([]string{"attribute the answers to neurons", "which neurons, and where", "suppress and amplify", "activation and expression"}, stage)
		if again != done {
			t.Errorf("killed while facts were updated, and started again: stage %q kept: %v", stage, again)
		}
	}
	got := written(t, killed)
	for _, path := range slices.Sorted(maps.Keys(want)) {
		if got[path] != want[path] {
			t.Errorf("killed twice, %s has other bytes", path)
		}
	}
	if len(got) != len(want) {
		t.Errorf("killed twice, there are %d files, else %d", len(got), len(want))
	}
	// Each prompt stands once in what the sweep appended.
	shards, err := filepath.Glob(filepath.Join(killed, "sweep", "*", "shard-*.jsonl"))
	if err != nil || len(shards) != 1 {
		t.Fatalf("shards %v, %v", shards, err)
	}
	records, err := os.ReadFile(shards[0])
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(records), `"prompt":`); n != 12*3 {
		t.Errorf("%d prompts were attributed, want 36, each once", n)
	}

	// Another size of one experiment concerns that experiment alone.
	o.Sizes.Erased = 3
	_, kept = reproduced(t, dir, o)
	if kept["erase relations"] || !kept["update facts"] || !kept["attribute the answers to neurons"] {
		t.Errorf("kept: %v", kept)
	}
}

// TestOfWhatTheModelWasTaught: without a data set the facts are drawn evenly
// from what the model knows. It is called off when they are chosen.
func TestOfWhatTheModelWasTaught(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o := knowledgeneurons.Options{Limit: 6, Relations: []string{"P19", "P36", "P106"}}
	_, err := knowledgeneurons.Reproduce(ctx, loadMini(t), dir, o, reproduce.Watch{Stage: func(i, _ int, _ string, _ bool) {
		if i == 2 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("called off: %v", err)
	}
	source, _, err := facts.Open(filepath.Join(dir, knowledgeneurons.FactsFile))
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for b, err := range source {
		if err != nil {
			t.Fatal(err)
		}
		count[b.Relation]++
	}
	if !maps.Equal(count, map[string]int{"P19": 2, "P36": 2, "P106": 2}) {
		t.Errorf("facts drawn: %v", count)
	}
}
