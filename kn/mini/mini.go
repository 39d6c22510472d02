// Package mini is kn-mini, a small BERT that knows real facts, as files in
// Hugging Face format that are part of the program. Importing it makes the
// model known to kn:
//
//	import (
//		"github.com/knowledge-neurons/gonb-kn/kn"
//		_ "github.com/knowledge-neurons/gonb-kn/kn/mini"
//	)
//
//	model := kn.MustLoad("mini")
//
// Nothing is read before the model is used. The model card, model/README.md,
// tells what it knows, what its knowledge neurons do, and how it was made;
// package pretrain made it and can make it again.
package mini

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// Name is the model's name for [kn.Load].
const Name = "mini"

//go:embed model
var embedded embed.FS

func init() { kn.RegisterEmbedded(Name, Files()) }

// Files is the model's folder.
func Files() fs.FS {
	files, err := fs.Sub(embedded, "model")
	if err != nil {
		panic(err) // the folder's name is a constant
	}
	return files
}

// Facts returns the facts that the model was taught, in the order of their
// relations and subjects, each with how often it was shown and the templates
// that it was never shown in.
func Facts() ([]facts.Taught, error) {
	data, err := fs.ReadFile(Files(), kn.FactsFile)
	if err != nil {
		return nil, fmt.Errorf("mini: %w", err)
	}
	return facts.ReadTaught(bytes.NewReader(data), Name+"/"+kn.FactsFile)
}

// MustFacts is [Facts] for notebook cells: it panics instead of returning an
// error.
func MustFacts() []facts.Taught {
	all, err := Facts()
	if err != nil {
		panic(err)
	}
	return all
}

// Card returns the model card, in Markdown.
func Card() string {
	data, err := fs.ReadFile(Files(), kn.CardFile)
	if err != nil {
		panic(err) // the embedded files are covered by this package's tests
	}
	return string(data)
}
