package facts_test

import (
	"bytes"
	"encoding/json"
	"path/filepath"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// BenchmarkRead reads a small data set in each format.
func BenchmarkRead(b *testing.B) {
	taught := make([]facts.Taught, 2000)
	for i, f := range many(len(taught)) {
		taught[i] = facts.Taught{Fact: f}
	}
	bags := facts.Bags(taught)
	var lines, merged bytes.Buffer
	if err := facts.WriteBags(&lines, bags); err != nil {
		b.Fatal(err)
	}
	var list [][][3]string
	for _, bag := range all(b, bags) {
		var prompts [][3]string
		for _, p := range bag.Prompts {
			prompts = append(prompts, [3]string{p, bag.Answer, bag.Relation + "(" + bag.RelationName + ")"})
		}
		list = append(list, prompts)
	}
	if err := json.NewEncoder(&merged).Encode(list); err != nil {
		b.Fatal(err)
	}
	dir := files(b, map[string]string{"bags.jsonl": lines.String(), "merged.json": merged.String()})
	for _, name := range []string{"bags.jsonl", "merged.json"} {
		b.Run(name, func(b *testing.B) {
			source, _, err := facts.Open(filepath.Join(dir, name))
			if err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				all(b, source)
			}
			b.ReportMetric(float64(len(taught)*b.N)/b.Elapsed().Seconds(), "facts/s")
		})
	}
	b.Run("usable", func(b *testing.B) {
		source := facts.Usable(bags, reader(vocabulary(b), 128), nil)
		for b.Loop() {
			all(b, source)
		}
		b.ReportMetric(float64(len(taught)*b.N)/b.Elapsed().Seconds(), "facts/s")
	})
}
