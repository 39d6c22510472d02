package checkpoint

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// The classes of BERT in transformers whose checkpoints are read and written,
// as Config.Architectures names them.
const (
	MaskedLM               = "BertForMaskedLM"
	SequenceClassification = "BertForSequenceClassification"
)

// ClassifierConfig is what config.json says of a classifier only.
type ClassifierConfig struct {
	// Labels are the names of the classes by number. NumLabels stands for
	// them in files without names.
	Labels            map[int]string `json:"id2label,omitempty"`
	LabelIDs          map[string]int `json:"label2id,omitempty"`
	NumLabels         int            `json:"num_labels,omitempty"`
	ProblemType       string         `json:"problem_type,omitempty"`       // "" or "single_label_classification"
	ClassifierDropout *float64       `json:"classifier_dropout,omitempty"` // nil: HiddenDropout; used in training only
}

// Classifies says whether the configuration is a classifier's,
// BertForSequenceClassification; any other is a masked language model's.
func (c Config) Classifies() bool { return slices.Contains(c.Architectures, SequenceClassification) }

// class is the class of transformers that the configuration is taken for.
func (c Config) class() string {
	if c.Classifies() {
		return SequenceClassification
	}
	return c.family().lm
}

// LabelNames are a classifier's labels in the order of its logits.
func (c Config) LabelNames() []string {
	names := make([]string, len(c.Labels))
	for i := range names {
		names[i] = c.Labels[i]
	}
	return names
}

// ForClassification is the configuration of a classifier with the given
// labels on top of the same encoder.
func (c Config) ForClassification(labels []string) Config {
	c.Architectures = []string{SequenceClassification}
	c.ClassifierConfig = ClassifierConfig{Labels: map[int]string{}, LabelIDs: map[string]int{}, ClassifierDropout: c.ClassifierDropout}
	for i, label := range labels {
		c.Labels[i], c.LabelIDs[label] = label, i
	}
	return c
}

// ForMaskedLM is the configuration of a masked language model with the same encoder.
func (c Config) ForMaskedLM() Config {
	c.Architectures, c.ClassifierConfig = []string{c.family().lm}, ClassifierConfig{}
	return c
}

// defaultLabels names the labels of a file that only counts them; a file that
// says nothing has two, as in transformers.
func (c *ClassifierConfig) defaultLabels() {
	if len(c.Labels) == 0 {
		if c.NumLabels == 0 {
			c.NumLabels = 2
		}
		c.Labels = map[int]string{}
		for i := range min(max(c.NumLabels, 0), mostLabels+1) {
			c.Labels[i] = fmt.Sprintf("LABEL_%d", i)
		}
	}
	c.NumLabels = 0
	c.LabelIDs = make(map[string]int, len(c.Labels))
	for i, label := range c.Labels {
		c.LabelIDs[label] = i
	}
}

// mostLabels bounds the classifier that a hostile configuration asks for.
const mostLabels = 1 << 16

func (c ClassifierConfig) validate() error {
	switch n := len(c.Labels); {
	case c.ProblemType != "" && c.ProblemType != "single_label_classification":
		return fmt.Errorf("problem_type is %q; only single_label_classification is supported", c.ProblemType)
	case n < 2 || n > mostLabels:
		return fmt.Errorf("the classifier has %d labels; it must have between 2 and %d (a single one is a regression, which is not supported)", n, mostLabels)
	case len(c.LabelIDs) != n:
		return fmt.Errorf("id2label gives one name to several of its %d labels; name them differently", n)
	}
	for i := range len(c.Labels) {
		if _, ok := c.Labels[i]; !ok {
			return fmt.Errorf("id2label has %d labels but lacks number %d; number them from 0", len(c.Labels), i)
		}
	}
	if d := c.ClassifierDropout; d != nil && !(*d >= 0 && *d < 1) {
		return fmt.Errorf("classifier_dropout is %v; it must be at least 0 and below 1", *d)
	}
	return nil
}

const (
	pooler     = "bert.pooler.dense"
	classifier = "classifier"
)

func (c Config) expectedPooler() []Expected {
	return appendDense(nil, pooler, c.HiddenSize, c.HiddenSize)
}

func (c Config) expectedClassifier() []Expected {
	return appendDense(nil, classifier, len(c.Labels), c.HiddenSize)
}

// LoadForClassification reads a model's encoder as that of a classifier with
// the given labels. The pooler is kept where one is stored; what is not stored
// is drawn as [NewClassifier] draws it, and so is the classifier in any case.
// A head for masked language modelling is left behind.
func (f *Folder) LoadForClassification(ctx context.Context, labels []string, seed uint64, progress Progress) (*Checkpoint, error) {
	config := f.config.ForClassification(labels)
	if err := config.Validate(); err != nil {
		return nil, f.errorf("%w", err)
	}
	stored, closeAll, err := f.openWeights()
	defer closeAll()
	if err != nil {
		return nil, err
	}
	want := config.expectedEncoder()
	for _, s := range stored {
		if strings.HasPrefix(config.family().today(s.name), pooler) {
			want = append(want, config.expectedPooler()...)
			break
		}
	}
	a, err := accountFor(f.config, want, append(slices.Clone(Extras), head+"*", classifier+".*"), stored)
	if err != nil {
		return nil, f.errorf("%s: %w", filesOf(stored), err)
	}
	data, err := readAll(ctx, a.stored, nil, "reading weights", progress)
	if err != nil {
		return nil, f.errorf("%w", err)
	}
	c := &Checkpoint{Config: config, Tensors: make(map[string]Tensor, len(data)), Tokenizer: f.tok, Source: f.source}
	for i, name := range a.names {
		c.Tensors[name] = data[i]
	}
	c.draw(seed)
	return c, nil
}

// NewClassifier draws a classifier with random weights, as transformers does:
// matrices normal with deviation c.InitializerRange, LayerNorms the identity,
// biases and the embedding of padding 0. Equal arguments give equal weights.
func NewClassifier(c Config, labels []string, tok *tokenizer.Tokenizer, seed uint64) (*Checkpoint, error) {
	config := c.ForClassification(labels)
	if err := config.Validate(); err != nil {
		return nil, fmt.Errorf("checkpoint: %w", err)
	}
	out := &Checkpoint{Config: config, Tensors: map[string]Tensor{}, Tokenizer: tok, Source: "random weights"}
	out.draw(seed)
	return out, nil
}

// draw fills in the tensors that are missing. Each has random numbers of its
// own, so that a classifier is the same whatever lies below it.
func (c *Checkpoint) draw(seed uint64) {
	expected := c.Config.Expected()
	for i, e := range expected {
		if _, ok := c.Tensors[e.Name]; ok {
			continue
		}
		t := Tensor{e.Shape, make([]float32, elements(e.Shape))}
		switch {
		case strings.HasSuffix(e.Name, "LayerNorm.weight"):
			for j := range t.Data {
				t.Data[j] = 1
			}
		case len(e.Shape) > 1:
			rng := rand.New(rand.NewPCG(seed, 0xc1a5<<32|uint64(len(expected)-i)))
			for j := range t.Data {
				t.Data[j] = float32(rng.NormFloat64() * c.Config.InitializerRange)
			}
		}
		if pad := c.Config.PadTokenID; e.Name == WordEmbeddings && pad >= 0 && pad < e.Shape[0] {
			clear(t.Data[pad*e.Shape[1] : (pad+1)*e.Shape[1]])
		}
		c.Tensors[e.Name] = t
	}
}
