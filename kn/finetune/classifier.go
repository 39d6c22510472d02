package finetune

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/gomlx/gomlx/core/graph"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
	"github.com/knowledge-neurons/gonb-kn/kn/transformer"
)

// Classifier is a BERT that classifies sentences or pairs of them.
type Classifier struct {
	Model     *transformer.Model // the weights on the backend, for graphs of one's own
	Tokenizer *tokenizer.Tokenizer
	digest    string
	source    string
	exec      *transformer.Exec
}

// Open reads a classifier: a folder with a BertForSequenceClassification in
// Hugging Face format, or a repository of the hub, as [kn.Load] takes them.
func Open(ctx context.Context, name string, options ...kn.Option) (*Classifier, error) {
	folder, err := kn.OpenCheckpoint(name, append(slices.Clone(options), kn.WithContext(ctx))...)
	if err != nil {
		return nil, err
	}
	if !folder.Config().Classifies() {
		return nil, fmt.Errorf("finetune: %s is no classifier but %q; fine-tune it first", name, folder.Config().Architectures)
	}
	config, _ := backend.Choose("", folder.Config().Parameters())
	b, err := backend.Open(config)
	if err != nil {
		return nil, err
	}
	m, err := transformer.Read(ctx, b, folder, nil)
	if err != nil {
		return nil, err
	}
	digest, err := folder.Digest()
	if err != nil {
		return nil, err
	}
	return newClassifier(m, folder.Tokenizer(), name, digest)
}

// MustOpen is [Open] for notebook cells: it panics instead of returning an error.
func MustOpen(ctx context.Context, name string, options ...kn.Option) *Classifier {
	return kn.Must(Open(ctx, name, options...))
}

func newClassifier(m *transformer.Model, tok *tokenizer.Tokenizer, source, digest string) (*Classifier, error) {
	exec, err := m.NewExec(NumInputs, func(w *transformer.Weights, in []*graph.Node) []*graph.Node {
		logits, losses := scoreGraph(w, in)
		return []*graph.Node{logits, losses}
	})
	if err != nil {
		return nil, err
	}
	return &Classifier{Model: m, Tokenizer: tok, source: source, digest: digest, exec: exec}, nil
}

// Name returns the name given to [Open].
func (c *Classifier) Name() string { return c.source }

// Digest returns the SHA-256 of weights, configuration and tokenizer.
func (c *Classifier) Digest() string { return c.digest }

// Labels are the classes in the order of the logits.
func (c *Classifier) Labels() []string { return c.Model.Config.LabelNames() }

// Prediction is what a classifier says of one example.
type Prediction struct {
	Label         string    `json:"label"`
	Probability   float64   `json:"probability"`   // of that label
	Probabilities []float64 `json:"probabilities"` // of all labels, in their order
}

// Predict classifies examples; their own labels do not matter. progress may be nil.
func (c *Classifier) Predict(ctx context.Context, examples []Example, progress kn.Progress) ([]Prediction, error) {
	unlabelled := slices.Clone(examples)
	for i := range unlabelled {
		unlabelled[i].Label = 0
	}
	scores, err := c.score(ctx, unlabelled, progress)
	if err != nil {
		return nil, err
	}
	labels := c.Labels()
	out := make([]Prediction, len(examples))
	for i, s := range scores {
		p := softmax(s.logits)
		best := s.best()
		out[i] = Prediction{labels[best], p[best], p}
	}
	return out, nil
}

// MustPredict is [Classifier.Predict] for notebook cells: it panics instead of returning an error.
func (c *Classifier) MustPredict(ctx context.Context, examples []Example) []Prediction {
	return kn.Must(c.Predict(ctx, examples, nil))
}

// Logits are the unnormalized log-probabilities of the labels: one row for
// each example.
func (c *Classifier) Logits(ctx context.Context, examples []Example, progress kn.Progress) ([][]float32, error) {
	scores, err := c.score(ctx, examples, progress)
	rows := make([][]float32, len(scores))
	for i, s := range scores {
		rows[i] = s.logits
	}
	return rows, err
}

// score runs the classifier on all examples.
func (c *Classifier) score(ctx context.Context, examples []Example, progress kn.Progress) ([]score, error) {
	k := len(c.Model.Config.Labels)
	for i, x := range examples {
		if x.Label < 0 || x.Label >= k {
			return nil, fmt.Errorf("finetune: example %d has label %d; %s has %d labels, numbered from 0", i, x.Label, c.source, k)
		}
	}
	encoded, _ := Encode(c.Tokenizer, examples, c.Model.Config.MaxPositions)
	return scoreAll(ctx, c.exec.Call, Batches(c.Tokenizer, encoded, scoreBatch), len(examples), progress)
}

func softmax(logits []float32) []float64 {
	p := make([]float64, len(logits))
	largest, sum := float64(slices.Max(logits)), 0.0
	for i, x := range logits {
		p[i] = math.Exp(float64(x) - largest)
		sum += p[i]
	}
	for i := range p {
		p[i] /= sum
	}
	return p
}
