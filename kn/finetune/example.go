package finetune

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// Example is a text to classify: one sentence, or a pair of them.
type Example struct {
	Sentence1 string `json:"sentence1"`
	Sentence2 string `json:"sentence2,omitempty"` // "" when there is one sentence only
	Label     int    `json:"label"`               // index into the labels of its [Data]
}

// Data are labelled examples of one task.
type Data struct {
	Name   string
	Labels []string // the classes; a classifier's logits have their order
	Parts  []Part   // the training part, "train", first if there is one
	// Unread are the columns of the files that were not read: "train.tsv: id".
	Unread []string
}

// Part is a part of a task's examples, such as "train" or "dev".
type Part struct {
	Name     string
	Examples []Example
}

// Part returns the examples of a part.
func (d *Data) Part(name string) ([]Example, error) {
	var names []string
	for _, p := range d.Parts {
		if p.Name == name {
			return p.Examples, nil
		}
		names = append(names, p.Name)
	}
	return nil, fmt.Errorf("finetune: %s has no part %q; it has %q", d.Name, name, names)
}

// MustPart is [Data.Part] for notebook cells: it panics instead of returning an error.
func (d *Data) MustPart(name string) []Example {
	return kn.Must(d.Part(name))
}

// labelIndex finds a label by its name or, where the labels are words, by its
// number from 0. Where a label is a number, another number is a mistake.
func labelIndex(labels []string, label string) (int, error) {
	if i := slices.Index(labels, label); i >= 0 {
		return i, nil
	}
	isNumber := func(s string) bool {
		_, err := strconv.ParseFloat(s, 64)
		return err == nil
	}
	if i, err := strconv.Atoi(label); err == nil && i >= 0 && i < len(labels) && !slices.ContainsFunc(labels, isNumber) {
		return i, nil
	}
	return 0, fmt.Errorf("label %q is none of %q; mend it or give the right model", label, labels)
}
