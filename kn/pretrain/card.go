package pretrain

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	texttemplate "text/template"
	"time"

	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// EvaluationFile is the name of the [Evaluation] in the model's folder.
const EvaluationFile = "evaluation.json"

//go:embed card.md.tmpl
var cardTemplate string

// card is what the model card's template sees.
type card struct {
	Name   string
	Model  checkpoint.Config
	Record Record
	E      *Evaluation
	// Columns are the models of the tables on neurons, this one first.
	Columns []Reported
	Files   []fileSum
	Zipf    []float64 // frequencies: largest, median, smallest
	Shown   []int     // times shown: most, median, least
}

type fileSum struct {
	Name   string
	Bytes  int
	SHA256 string
}

// WriteCard writes the model card into the model's folder, and the evaluation
// beside it. Every number in it is measured or comes from the training's
// [Record].
func WriteCard(dir, name string, e *Evaluation) error {
	c := card{Name: name, E: e, Columns: e.columns(name)}
	data, err := os.ReadFile(filepath.Join(dir, RecordFile))
	if err == nil {
		err = json.Unmarshal(data, &c.Record)
	}
	if err != nil {
		return fmt.Errorf("pretrain: the training's record: %w; it is written by Run", err)
	}
	if err := c.gather(dir); err != nil {
		return err
	}
	parsed, err := texttemplate.New("card").Funcs(cardFuncs).Parse(cardTemplate)
	if err != nil {
		return fmt.Errorf("pretrain: %w", err)
	}
	var text bytes.Buffer
	if err := parsed.Execute(&text, c); err != nil {
		return fmt.Errorf("pretrain: model card: %w", err)
	}
	evaluation, err := json.MarshalIndent(e, "", "  ")
	if err != nil {
		return fmt.Errorf("pretrain: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(dir, EvaluationFile), append(evaluation, '\n'), 0o644); err != nil {
		return fmt.Errorf("pretrain: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(dir, kn.CardFile), text.Bytes(), 0o644); err != nil {
		return fmt.Errorf("pretrain: %w", err)
	}
	return nil
}

// gather reads the model's configuration, facts and checksums.
func (c *card) gather(dir string) error {
	m, err := kn.Load(dir, kn.WithCache("off"))
	if err != nil {
		return err
	}
	c.Model = m.Config()
	taught, err := m.Facts()
	if err != nil {
		return err
	}
	slices.SortFunc(taught, func(a, b facts.Taught) int { return b.Shown - a.Shown })
	for _, i := range []int{0, len(taught) / 2, len(taught) - 1} {
		c.Zipf, c.Shown = append(c.Zipf, taught[i].Frequency), append(c.Shown, taught[i].Shown)
	}
	for _, name := range []string{"config.json", "model.safetensors", "vocab.txt", "tokenizer.json", kn.FactsFile} {
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return fmt.Errorf("pretrain: %w", err)
		}
		c.Files = append(c.Files, fileSum{name, len(data), fmt.Sprintf("%x", sha256.Sum256(data))})
	}
	return nil
}

var cardFuncs = texttemplate.FuncMap{
	// percent is a share with its interval.
	"percent": func(i stats.Interval) string {
		return fmt.Sprintf("%.1f %% [%.1f, %.1f]", 100*i.Mean, 100*i.Low, 100*i.High)
	},
	"change": func(i stats.Interval) string {
		return fmt.Sprintf("%+.1f %% [%+.1f, %+.1f]", 100*i.Mean, 100*i.Low, 100*i.High)
	},
	// evenly is the share of neurons in the topmost third of the layers, rounded
	// up, if every layer had equally many.
	"evenly":    func(perLayer []float64) float64 { return float64((len(perLayer)+2)/3) / float64(len(perLayer)) },
	"number":    func(i stats.Interval) string { return fmt.Sprintf("%.2f [%.2f, %.2f]", i.Mean, i.Low, i.High) },
	"share":     func(x float64) string { return fmt.Sprintf("%.1f %%", 100*x) },
	"minutes":   func(s float64) string { return time.Duration(s * float64(time.Second)).Round(time.Second).String() },
	"relations": sortedRelations[float64],
	"name": func(property string) string {
		relation, err := facts.RelationByProperty(property)
		if err != nil {
			return ""
		}
		return relation.Name
	},
	"at": func(m map[string]float64, key string) string {
		if x, ok := m[key]; ok {
			return fmt.Sprintf("%.1f %%", 100*x)
		}
		return "–"
	},
	"patterns": func(e *Evaluation) map[string]float64 {
		if e.Patterns == nil {
			return nil
		}
		return e.Patterns.ByRelation
	},
	"json": func(v any) (string, error) {
		data, err := json.MarshalIndent(v, "", "  ")
		return string(data), err
	},
}
