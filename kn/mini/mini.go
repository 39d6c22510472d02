// Package mini is kn-mini, a small BERT that knows real facts, and kn-mini-gpt,
// a smaller causal model that was taught some of the same, as files in Hugging
// Face format that are part of the program. Importing it makes them known to kn:
//
//	import (
//		"github.com/knowledge-neurons/gonb-kn/kn"
//		_ "github.com/knowledge-neurons/gonb-kn/kn/mini"
//	)
//
//	model := kn.MustLoad("mini")        // masked: [mini.Name]
//	causal := kn.MustLoad("mini-gpt")   // causal: [mini.GPTName]
//
// Nothing is read before a model is used. The model cards, model/README.md and
// gpt/README.md, tell what they know, what their knowledge neurons do, and how
// they were made; package pretrain made them and can make them again.
package mini

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// The models' names for [kn.Load].
const (
	Name    = "mini"     // kn-mini, a BERT
	GPTName = "mini-gpt" // kn-mini-gpt, a GPT-2
)

//go:embed model gpt
var embedded embed.FS

func init() {
	kn.RegisterEmbedded(Name, Files())
	kn.RegisterEmbedded(GPTName, GPTFiles())
}

// Files is kn-mini's folder.
func Files() fs.FS { return folder("model") }

// GPTFiles is kn-mini-gpt's folder.
func GPTFiles() fs.FS { return folder("gpt") }

func folder(name string) fs.FS {
	files, err := fs.Sub(embedded, name)
	if err != nil {
		panic(err) // the folders' names are constants
	}
	return files
}

// Facts returns the facts that kn-mini was taught, in the order of their
// relations and subjects, each with how often it was shown and the templates
// that it was never shown in.
func Facts() ([]facts.Taught, error) { return taught(Files(), Name) }

// GPTFacts returns the facts that kn-mini-gpt was taught, all of which kn-mini
// was taught too.
func GPTFacts() ([]facts.Taught, error) { return taught(GPTFiles(), GPTName) }

func taught(files fs.FS, name string) ([]facts.Taught, error) {
	data, err := fs.ReadFile(files, kn.FactsFile)
	if err != nil {
		return nil, fmt.Errorf("mini: %w", err)
	}
	return facts.ReadTaught(bytes.NewReader(data), name+"/"+kn.FactsFile)
}

// MustFacts is [Facts] for notebook cells: it panics instead of returning an
// error.
func MustFacts() []facts.Taught { return kn.Must(Facts()) }

// MustGPTFacts is [GPTFacts] for notebook cells.
func MustGPTFacts() []facts.Taught { return kn.Must(GPTFacts()) }

// Card returns kn-mini's model card, in Markdown.
func Card() string { return card(Files()) }

// GPTCard returns kn-mini-gpt's.
func GPTCard() string { return card(GPTFiles()) }

func card(files fs.FS) string {
	data, err := fs.ReadFile(files, kn.CardFile)
	if err != nil {
		panic(err) // the embedded files are covered by this package's tests
	}
	return string(data)
}
