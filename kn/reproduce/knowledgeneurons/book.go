package knowledgeneurons

import (
	"embed"

	"github.com/knowledge-neurons/gonb-kn/kn/report"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// The text of each section is in a file beside the Go file of its name.
//
//go:embed *.tmpl
var files embed.FS

var texts = reproduce.Templates(files)

// setting is what the whole report is of.
type setting struct {
	model      string
	activation string // the model's activation function, such as "gelu"
	// taught says that this project pre-trained the model, whose objective
	// makes some claims true by construction.
	taught bool
}

// book is the report while it is written.
type book struct{ *reproduce.Book }

// openBook opens the report in dir, which has the results of the stages that are
// done. Without the data sets' sentences it is published.
func (e *experimenter) openBook(dir string, of setting, published bool) book {
	b := book{reproduce.OpenBook(dir, texts, append([]string{"paper", "facts", "sweep"}, e.done...)...)}
	b.Data["model"], b.Data["taught"] = of.model, of.taught
	b.Data["activation"], b.Data["rough"] = of.activation, !transformer.Smooth(of.activation)
	nothing := map[string]string{}
	for stage, why := range e.nothing {
		nothing[stage] = string(why)
	}
	b.Data["published"], b.Data["nothing"] = published, nothing
	return b
}

// result is a result file as templates have it.
func (b book) result(name string) report.Object { return b.Data[name].(report.Object) }
