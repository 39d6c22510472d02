package finetune

import (
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// TestOpenData: a name stands for a built-in task, a folder of GLUE or of
// one's own, or a file.
func TestOpenData(t *testing.T) {
	dir := write(t, map[string]string{
		"RTE/train.tsv": "index\tsentence1\tsentence2\tlabel\n0\ta b\tc d\tnot_entailment\n",
		"RTE/dev.tsv":   "index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n",
		"own/train.tsv": "label\tsentence\nyes\ta\nno\tb\n",
		"own/dev.tsv":   "label\tsentence\nno\tc\n",
		"all.tsv":       "label\tsentence\n" + strings.Repeat("yes\ta\nno\tb\n", 10),
		"one.tsv":       "label\tsentence\nyes\ta\n",
	})
	known := taught()
	for name, want := range map[string]struct {
		labels []string
		sizes  []int
	}{
		TrueTask:                  {[]string{"false", "true"}, []int{20, 10, 10}},
		filepath.Join(dir, "RTE"): {[]string{"entailment", "not_entailment"}, []int{1, 1}},
		filepath.Join(dir, "own"): {[]string{"no", "yes"}, []int{2, 1}},
		dir + "/all.tsv":          {[]string{"no", "yes"}, []int{18, 2}},
	} {
		data, err := OpenData(name, known, Sizes{Train: 20, Dev: 10, Test: 10})
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var sizes []int
		for _, p := range data.Parts {
			sizes = append(sizes, len(p.Examples))
		}
		if !reflect.DeepEqual(data.Labels, want.labels) || !reflect.DeepEqual(sizes, want.sizes) {
			t.Errorf("%s: labels %q, sizes %v", name, data.Labels, sizes)
		}
	}
	for name, want := range map[string]string{"truth": "paraphrase", dir + "/one.tsv": "one example", dir: "train.tsv"} {
		if _, err := OpenData(name, known, Sizes{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
