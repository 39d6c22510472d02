package facts_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// A data set is streamed: its size does not matter.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "facts")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "merged.json")
	const bags = `[[["The capital of France is [MASK].", "Paris", "P36(capital)"], ["France is governed from [MASK].", "Paris", "P36(capital)"]]]`
	if err := os.WriteFile(path, []byte(bags), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	source, format, err := facts.Open(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(format)
	for bag, err := range source {
		fmt.Println(bag.Relation, bag.RelationName, bag.Answer, len(bag.Prompts), err)
	}
	// Output:
	// merged
	// P36 capital Paris 2 <nil>
}

func ExampleWriteBags() {
	source := facts.Bags([]facts.Taught{{Fact: facts.Fact{Relation: "P36", Subject: "France", Answer: "Paris"}}})
	var file bytes.Buffer
	if err := facts.WriteBags(&file, source); err != nil {
		fmt.Println(err)
		return
	}
	for bag, err := range facts.ReadBags(&file, "facts.jsonl") {
		fmt.Println(bag.Relation, bag.Subject, bag.Answer, err)
	}
	// Output:
	// P36 France Paris <nil>
}

func ExampleKnown() {
	taught := []facts.Taught{
		{Fact: facts.Fact{Relation: "P36", Subject: "France", Answer: "Paris"}},
		{Fact: facts.Fact{Relation: "P19", Subject: "Mozart", Answer: "Salzburg"}},
	}
	fmt.Println(facts.Known(taught, "P19"), len(facts.Known(taught)))
	// Output: [P19(Mozart) = Salzburg] 2
}
