package kn

import (
	"errors"
	"fmt"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
)

// CompareOptions are the options of [CompareSets].
type CompareOptions struct {
	// Recipe finds the neurons, in both models.
	Recipe Recipe
	// AnswerB is the answer that B is asked about, where it is another than A's:
	// the new one, say, of a fact that B has updated. "" stands for A's.
	AnswerB string
	// Others are facts whose sets in B are the control: what the fact's set in A
	// shares with them is not the fact's. Each needs its prompts and its answer.
	// None: no such control.
	Others []facts.Bag
	// Names of the models, for titles and legends. "" stands for the model's label.
	NameA, NameB string
}

// SetComparison holds the knowledge neurons that one fact has in two models, A
// and B: what [CompareSets] computes.
type SetComparison struct {
	Prompts []string `json:"prompts"`
	A       SetOf    `json:"a"`
	B       SetOf    `json:"b"`
	// Neurons are those of either set, sorted.
	Neurons []ComparedNeuron `json:"neurons"`
	Layers  int              `json:"layers"` // of the models
	FFN     int              `json:"ffn"`

	Chance ChanceOverlap `json:"chance"`
	// Others says what the set of A shares with those that other facts have in B.
	Others []OtherSet `json:"others,omitempty"`
}

// SetOf is the set of one of the two models.
type SetOf struct {
	Name        string    `json:"name"` // for legends
	Answer      string    `json:"answer"`
	Neurons     int       `json:"neurons"`     // in the set
	Probability []float64 `json:"probability"` // of the answer, in each prompt
	// NotConverged lists the prompts, from 0, whose attribution did not reach
	// the adaptive rule's tolerance in every layer.
	NotConverged []int      `json:"not_converged,omitempty"`
	Provenance   Provenance `json:"provenance"`
}

// ComparedNeuron is a neuron of the set of A, of B, or of both.
type ComparedNeuron struct {
	Neuron Neuron `json:"neuron"`
	InA    bool   `json:"in_a"`
	InB    bool   `json:"in_b"`
	// ScoreA and ScoreB are the mean over prompts of the neuron's score in each
	// model as a share of the prompt's largest, whether it is in the set or not.
	// A prompt without a positive score counts as 0.
	ScoreA float64 `json:"score_a"`
	ScoreB float64 `json:"score_b"`
}

// ChanceOverlap says what two sets have in common by chance.
type ChanceOverlap struct {
	// Expected is the mean number of neurons that sets share which have as many
	// in each layer as A's and B's, drawn uniformly from the layer's.
	Expected float64 `json:"expected"`
	// AtLeast is the probability that such sets share as many as A and B do, or more.
	AtLeast float64 `json:"at_least"`
}

// OtherSet is the set of another fact in B.
type OtherSet struct {
	Fact    facts.Bag `json:"fact"`
	Neurons int       `json:"neurons"` // in its set
	Shared  int       `json:"shared"`  // of them in the fact's set in A
}

// CompareSets finds one fact's knowledge neurons in two models and says which
// they share and which only one of them has: a model before and after an edit
// or a training, or any two whose layers are as many and as wide.
//
// How many they share means little by itself. Chance is what sets of the same
// size in each layer share, a sum over layers of hypergeometric variables with
//
//	mean Σ over l of a_l·b_l/F
//
// where a_l and b_l are the sets' neurons in layer l, of F. Facts also share
// neurons that are no fact's own, which options.Others measures.
//
// The models may have edits, of weights or of activations. It fails when the
// models' layers differ in number or width, and where [Model.KnowledgeNeurons] does.
func CompareSets(a, b *Model, prompts []string, answer string, options ...CompareOptions) (*SetComparison, error) {
	o, err := optional(options)
	if err != nil {
		return nil, err
	}
	if a == nil || b == nil {
		return nil, errors.New("kn: one of the two models is nil; check the error that came with it")
	}
	if err := sameShape(a, b); err != nil {
		return nil, err
	}
	for _, f := range o.Others {
		if err := o.Recipe.check(f.Prompts, f.Answer); err != nil {
			return nil, fmt.Errorf("%w (the other fact %v)", err, f)
		}
	}
	answerB := answer
	if o.AnswerB != "" {
		answerB = o.AnswerB
	}
	nameA, nameB := namesOf(a, b, o)
	inA, attributedA, err := a.attributedNeurons(prompts, answer, o.Recipe)
	if err != nil {
		return nil, fmt.Errorf("%w (model A, %s)", err, nameA)
	}
	inB, attributedB, err := b.attributedNeurons(prompts, answerB, o.Recipe)
	if err != nil {
		return nil, fmt.Errorf("%w (model B, %s)", err, nameB)
	}
	c := &SetComparison{
		Prompts: prompts, Layers: inA.Layers, FFN: inA.FFN,
		A: setOf(nameA, inA, attributedA), B: setOf(nameB, inB, attributedB),
	}
	for _, n := range SortNeurons(append(slices.Clone(inA.Refined), inB.Refined...)) {
		c.Neurons = append(c.Neurons, ComparedNeuron{
			Neuron: n, InA: contains(inA.Refined, n), InB: contains(inB.Refined, n),
			ScoreA: relativeScore(attributedA, n), ScoreB: relativeScore(attributedB, n),
		})
	}
	c.Chance = chanceOverlap(inA.Refined, inB.Refined, c.Layers, c.FFN, c.Shared())
	c.Others, err = b.otherSets(o, inA.Refined)
	return c, err
}

// MustCompareSets is [CompareSets] for notebook cells: it panics instead of returning an error.
func MustCompareSets(a, b *Model, prompts []string, answer string, options ...CompareOptions) *SetComparison {
	return Must(CompareSets(a, b, prompts, answer, options...))
}

// sameShape says whether two models have the same neurons.
func sameShape(a, b *Model) error {
	x, y := a.Config(), b.Config()
	if x.Layers != y.Layers || x.IntermediateSize != y.IntermediateSize {
		return fmt.Errorf("kn: %s has %d layers of %d neurons, and %s %d of %d, so that none of one is one of the other; compare models of one shape",
			a.label, x.Layers, x.IntermediateSize, b.label, y.Layers, y.IntermediateSize)
	}
	return nil
}

// namesOf are names that tell the models apart.
func namesOf(a, b *Model, o CompareOptions) (nameA, nameB string) {
	named := func(m *Model) string {
		switch len(m.edits) {
		case 0:
			return m.label
		case 1:
			return m.label + ", edited"
		}
		return fmt.Sprintf("%s, with %d edits", m.label, len(m.edits))
	}
	nameA, nameB = named(a), named(b)
	if nameA == nameB {
		nameA, nameB = "A: "+nameA, "B: "+nameB
	}
	if o.NameA != "" {
		nameA = o.NameA
	}
	if o.NameB != "" {
		nameB = o.NameB
	}
	return nameA, nameB
}

func setOf(name string, found *KnowledgeNeurons, attributions []*Attribution) SetOf {
	s := SetOf{Name: name, Answer: found.Answer, Neurons: len(found.Refined), NotConverged: found.NotConverged, Provenance: found.Provenance}
	for _, a := range attributions {
		s.Probability = append(s.Probability, a.Probability)
	}
	return s
}

// contains says whether sorted neurons have one.
func contains(sorted []Neuron, n Neuron) bool {
	_, found := slices.BinarySearchFunc(sorted, n, Neuron.Compare)
	return found
}

// relativeScore is the mean over prompts of a neuron's score as a share of the
// prompt's largest.
func relativeScore(attributions []*Attribution, n Neuron) float64 {
	sum := 0.0
	for _, a := range attributions {
		if largest := a.largest(); largest > 0 {
			sum += a.Scores[n.Layer][n.Index] / largest
		}
	}
	return sum / float64(len(attributions))
}

// otherSets finds the neurons of other facts, all of their prompts in one batch.
func (m *Model) otherSets(o CompareOptions, own []Neuron) ([]OtherSet, error) {
	var queries []Query
	for _, f := range o.Others {
		for _, p := range f.Prompts {
			queries = append(queries, Query{p, f.Answer})
		}
	}
	if len(queries) == 0 {
		return nil, nil
	}
	attributions, err := m.AttributeAll(queries, o.Recipe.Attribute)
	if err != nil {
		return nil, fmt.Errorf("%w (other facts)", err)
	}
	var sets []OtherSet
	for _, f := range o.Others {
		_, refined := o.Recipe.Choose(attributions[:len(f.Prompts)])
		attributions = attributions[len(f.Prompts):]
		set := OtherSet{Fact: f, Neurons: len(refined)}
		for _, n := range refined {
			if contains(own, n) {
				set.Shared++
			}
		}
		sets = append(sets, set)
	}
	return sets, nil
}

// LayerOverlap counts the neurons of one layer.
type LayerOverlap struct {
	Shared, OnlyA, OnlyB int
}

// ByLayer counts the neurons of each layer, [Layers].
func (c SetComparison) ByLayer() []LayerOverlap {
	layers := make([]LayerOverlap, c.Layers)
	for _, n := range c.Neurons {
		l := &layers[n.Neuron.Layer]
		switch {
		case n.InA && n.InB:
			l.Shared++
		case n.InA:
			l.OnlyA++
		default:
			l.OnlyB++
		}
	}
	return layers
}

// Shared is the number of neurons in both sets.
func (c SetComparison) Shared() int {
	shared := 0
	for _, n := range c.Neurons {
		if n.InA && n.InB {
			shared++
		}
	}
	return shared
}

// Jaccard is the number of neurons in both sets over that in either; 0 where
// there are none.
func (c SetComparison) Jaccard() float64 {
	return float64(c.Shared()) / float64(max(1, len(c.Neurons)))
}

// Table lists the neurons from the topmost layer down, with their scores in
// both models, and below them what chance gives.
func (c SetComparison) Table() Table {
	t := Table{
		Title: fmt.Sprintf("Neurons of %s in %s (%d) and in %s (%d): %d shared, Jaccard index %.2f",
			c.answers(), c.A.Name, c.A.Neurons, c.B.Name, c.B.Neurons, c.Shared(), c.Jaccard()),
		Columns: []string{"neuron", "in", "score in A", "score in B"},
	}
	for _, n := range slices.Backward(c.Neurons) {
		in := "both"
		if !n.InA {
			in = "B only"
		} else if !n.InB {
			in = "A only"
		}
		t.Rows = append(t.Rows, []string{n.Neuron.String(), in, share(n.ScoreA), share(n.ScoreB)})
	}
	for l, count := range slices.Backward(c.ByLayer()) {
		if count != (LayerOverlap{}) {
			t.Notes = append(t.Notes, fmt.Sprintf("layer %d: %d shared, %d in A only, %d in B only", l, count.Shared, count.OnlyA, count.OnlyB))
		}
	}
	t.Notes = append(t.Notes, "scores: mean over prompts, in % of the prompt's largest",
		fmt.Sprintf("by chance: %s shared, %d or more with probability %s (random neurons of the same layers)", significant(c.Chance.Expected), c.Shared(), significant(c.Chance.AtLeast)))
	if len(c.Others) > 0 {
		shared, neurons := 0, 0
		for _, o := range c.Others {
			shared, neurons = shared+o.Shared, neurons+o.Neurons
		}
		n := float64(len(c.Others))
		t.Notes = append(t.Notes, fmt.Sprintf("with the sets of %s in B: %s shared of %s on average", counted(len(c.Others), "other fact"), significant(float64(shared)/n), significant(float64(neurons)/n)))
	}
	for _, s := range []SetOf{c.A, c.B} {
		if len(s.NotConverged) > 0 {
			t.Notes = append(t.Notes, fmt.Sprintf("not converged in %s: prompts %v, counted from 0", s.Name, s.NotConverged))
		}
	}
	return t
}

// answers names the answer, or both where they differ.
func (c SetComparison) answers() string {
	if c.A.Answer == c.B.Answer {
		return c.A.Answer
	}
	return c.A.Answer + " and " + c.B.Answer
}

// String returns [SetComparison.Table] as text.
func (c SetComparison) String() string { return c.Table().String() }
