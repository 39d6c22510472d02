package kn

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// The files that a model of this project's pre-training has beside the
// weights, which [Model.Save] takes along.
const (
	FactsFile = "facts.jsonl.gz"  // what it was taught, see [facts.ReadTaught]
	CardFile  = "README.md"       // its model card
	trainFile = "training.json"   // how it was trained
	testFile  = "evaluation.json" // and what it measures
)

// ErrNoFacts says that a model does not tell what it was taught.
var ErrNoFacts = errors.New("the model lists no facts that it was taught; only models that this project pre-trained do, such as mini")

// Facts returns the facts that the model was taught, which are stored with
// models of this project's pre-training. Others give [ErrNoFacts].
func (m *Model) Facts() ([]facts.Taught, error) {
	data, err := m.shared.folder.ReadFile(FactsFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("kn: %s: %w", m.name, ErrNoFacts)
	}
	if err != nil {
		return nil, fmt.Errorf("kn: %w", err)
	}
	return facts.ReadTaught(bytes.NewReader(data), m.name+"/"+FactsFile)
}

// MustFacts is [Model.Facts] for notebook cells: it panics instead of returning an error.
func (m *Model) MustFacts() []facts.Taught { return Must(m.Facts()) }

// EditsFile says which edits are in the weights of a model that [Model.Save]
// wrote, and of which model; [LoadEdits] reads it.
const EditsFile = "edits.json"

// Save writes the model into a folder in Hugging Face format, which [Load]
// opens and transformers' AutoTokenizer and the class that the model was read
// as, BertForMaskedLM say, load. The folder
// is made if need be, and each file appears when it is complete.
//
// The handle's edits go into the weights: those of weights as they are, those of
// activations at all positions into the layer's output matrix and bias. Edits at
// [MASK] alone are an error. Of an edited model the card and what was measured
// are left out, since they are the original's, and [EditsFile] says what was done.
func (m *Model) Save(dir string, options ...checkpoint.SaveOptions) error {
	o, err := optional(options)
	if err != nil {
		return err
	}
	edits, err := m.composed()
	if err != nil {
		return err
	}
	c, err := m.shared.folder.Load(m.ctx, m.downloadProgress())
	if err != nil {
		return err
	}
	if err := foldEdits(c, edits); err != nil {
		return err
	}
	if err := c.SaveWith(dir, o); err != nil {
		return err
	}
	beside := []string{FactsFile, CardFile, trainFile, testFile}
	if len(m.edits) > 0 {
		beside = []string{FactsFile, trainFile}
		if err := m.SaveEdits(filepath.Join(dir, EditsFile)); err != nil {
			return err
		}
	}
	for _, name := range beside {
		data, err := m.shared.folder.ReadFile(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err == nil {
			err = renameio.WriteFile(filepath.Join(dir, name), data, 0o644)
		}
		if err != nil {
			return fmt.Errorf("kn: saving %s: %w", filepath.Join(dir, name), err)
		}
	}
	return nil
}
