package experiments

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/utf8text"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// PublishedSet is a fact's refined neurons as somebody published them. The
// fact is named by the UUID of its T-REx triple, or by relation, subject and
// answer.
type PublishedSet struct {
	UUID     string      `json:"uuid,omitempty"`
	Relation string      `json:"relation,omitempty"`
	Subject  string      `json:"subject,omitempty"`
	Answer   string      `json:"answer,omitempty"`
	Neurons  []kn.Neuron `json:"neurons"`
	// Strength and Undecided are a [Fact]'s, where they are known.
	Strength  []float64   `json:"strength,omitempty"`
	Undecided []kn.Neuron `json:"undecided,omitempty"`
}

// WritePublishedSets writes the neurons of facts as [ReadPublishedSets] reads
// them, below a line that says where they come from.
func WritePublishedSets(w io.Writer, g *Gathered, p kn.Provenance) error {
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(struct {
		Provenance kn.Provenance `json:"provenance"`
		Selection  Selection     `json:"selection"`
	}{p, g.Gradients})
	for _, f := range g.Facts {
		s := PublishedSet{Relation: f.Bag.Relation, Subject: f.Bag.Subject, Answer: f.Bag.Answer, Neurons: append([]kn.Neuron{}, f.Neurons...), Undecided: f.Undecided}
		for _, x := range f.Strength {
			s.Strength = append(s.Strength, math.Round(1e4*x)/1e4)
		}
		err = errors.Join(err, encoder.Encode(s))
	}
	return err
}

// ReadPublishedSets reads a file, gzipped or not, of one set a line, as JSON. A
// first line without neurons may say where they come from, and is passed over.
// Errors name the file and the line.
func ReadPublishedSets(path string) ([]PublishedSet, error) {
	file, err := facts.OpenUnzipped(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readPublishedSets(file, path)
}

func readPublishedSets(r io.Reader, name string) ([]PublishedSet, error) {
	var sets []PublishedSet
	lines := utf8text.NewScanner(r, name, 1<<20)
	for lines.Scan() {
		if len(lines.Bytes()) == 0 {
			continue
		}
		n := lines.Line()
		var s PublishedSet
		switch err := json.Unmarshal(lines.Bytes(), &s); {
		case err != nil:
			return nil, fmt.Errorf("experiments: %s:%d: not a set of neurons: %w", name, n, err)
		case s.Neurons == nil && n == 1:
			continue
		case s.Neurons == nil:
			return nil, fmt.Errorf("experiments: %s:%d: neurons are missing; each line is a set such as {\"uuid\": ..., \"neurons\": [[9, 2141]]}", name, n)
		case s.UUID == "" && (s.Relation == "" || s.Subject == "" || s.Answer == ""):
			return nil, fmt.Errorf("experiments: %s:%d: the fact is not named; give its uuid, or relation, subject and answer", name, n)
		}
		s.Neurons = kn.SortNeurons(s.Neurons)
		sets = append(sets, s)
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("experiments: %w", err)
	}
	if len(sets) == 0 {
		return nil, fmt.Errorf("experiments: %s has no set of neurons", name)
	}
	return sets, nil
}

// Published are facts with the neurons that somebody published for them.
type Published struct {
	Facts []facts.Bag
	Sets  [][]kn.Neuron // of each fact
}

// MatchPublished finds the facts of published sets in a data set: at most limit
// of each relation (0: all), drawn with a seed. It is an error if there are none.
func MatchPublished(source facts.Source, sets []PublishedSet, limit int, seed uint64) (*Published, error) {
	type triple struct{ relation, subject, answer string }
	byUUID, byTriple := map[string][]kn.Neuron{}, map[triple][]kn.Neuron{}
	for _, s := range sets {
		if s.UUID != "" {
			byUUID[s.UUID] = s.Neurons
		} else {
			byTriple[triple{s.Relation, s.Subject, s.Answer}] = s.Neurons
		}
	}
	published := func(b facts.Bag) ([]kn.Neuron, bool) {
		if s, ok := byUUID[b.UUID]; ok && b.UUID != "" {
			return s, true
		}
		s, ok := byTriple[triple{b.Relation, b.Subject, b.Answer}]
		return s, ok
	}
	known := func(yield func(facts.Bag, error) bool) {
		for b, err := range source {
			if err == nil {
				if _, ok := published(b); !ok {
					continue
				}
			}
			if !yield(b, err) || err != nil {
				return
			}
		}
	}
	p := &Published{}
	for b, err := range facts.Draw(known, limit, seed) {
		if err != nil {
			return nil, err
		}
		s, _ := published(b)
		p.Facts, p.Sets = append(p.Facts, b), append(p.Sets, s)
	}
	if len(p.Facts) == 0 {
		return nil, fmt.Errorf("experiments: none of the %d published sets is of a fact of the data set; are they of the same triples?", len(sets))
	}
	return p, nil
}

// NarrowMargin is so small a margin that the same recipe, computed by other code
// in float32, may well cross it.
const NarrowMargin = 1e-3

// ComparePublished chooses the facts' neurons by a recipe and compares them
// with those that were published.
//
// A neuron that one of the two has and the other lacks is judged by its margin:
// by what share all of its scores would have to change for the recipe to choose
// otherwise. Let k be the least number of prompts that suffices, and r_k the
// neuron's k-th highest score, in units of t times its prompt's largest. A recipe
// keeps the neuron if r_k is above 1; so the margin is |r_k - 1|. Where all
// margins are below [NarrowMargin], rounding may have decided; otherwise
// something did that the recipe does not say.
func ComparePublished(ctx context.Context, m *kn.Model, p *Published, recipe kn.Recipe, o stats.Options, progress kn.Progress) (*PublishedComparison, error) {
	c, _, err := comparePublished(ctx, m, p, recipe, o, progress)
	return c, err
}

// comparePublished also says of which facts the sets are the same.
func comparePublished(ctx context.Context, m *kn.Model, p *Published, recipe kn.Recipe, o stats.Options, progress kn.Progress) (*PublishedComparison, []bool, error) {
	c, same := &PublishedComparison{Recipe: recipe, Facts: len(p.Facts)}, make([]bool, len(p.Facts))
	overlap, relations := map[int][]float64{}, map[string]bool{}
	differences := make([]*PublishedDifference, len(p.Facts))
	err := sideBySide(ctx, len(p.Facts), "facts compared with the published neurons", progress, func(ctx context.Context, i int) (err error) {
		differences[i], err = compareSet(silent(ctx, m), p.Facts[i], p.Sets[i], recipe)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	for i, d := range differences {
		b := p.Facts[i]
		relations[b.Relation] = true
		c.Prompts += len(b.Prompts)
		overlap[i] = []float64{jaccard(d.Here, d.Published)}
		switch {
		case len(d.Neurons) == 0:
			c.Identical++
			same[i] = true
			continue
		case d.Margin < NarrowMargin:
			c.Narrow++
		}
		c.Differences = append(c.Differences, *d)
	}
	slices.SortStableFunc(c.Differences, func(a, b PublishedDifference) int { return cmp.Compare(b.Margin, a.Margin) })
	c.Relations = len(relations)
	c.Share, c.Overlap = proportion(c.Identical, c.Facts), stats.Bootstrap(overlap, o)
	c.Provenance, err = m.Provenance(recipe, o.Seed)
	return c, same, err
}

// compareSet compares one fact's sets.
func compareSet(m *kn.Model, b facts.Bag, published []kn.Neuron, recipe kn.Recipe) (*PublishedDifference, error) {
	attributions, err := m.AttributeAll(Fact{Bag: b}.queries(), recipe.Attribute)
	if err != nil {
		return nil, fmt.Errorf("experiments: %v: %w", b, err)
	}
	_, refined := recipe.Choose(attributions)
	d := &PublishedDifference{UUID: b.UUID, Relation: b.Relation, Subject: b.Subject, Answer: b.Answer, Prompts: len(b.Prompts), Published: published, Here: refined}
	both := map[kn.Neuron]int{}
	for _, n := range slices.Concat(published, refined) {
		both[n]++
	}
	for _, n := range slices.SortedFunc(maps.Keys(both), kn.Neuron.Compare) {
		if both[n] == 1 {
			margin := recipe.Margin(attributions, n)
			d.Neurons = append(d.Neurons, MarginNeuron{n, slices.Contains(refined, n), margin})
			d.Margin = max(d.Margin, math.Abs(margin))
		}
	}
	return d, nil
}

// PublishedComparison is the result of [ComparePublished].
type PublishedComparison struct {
	Recipe    kn.Recipe `json:"recipe"`
	Facts     int       `json:"facts"`
	Relations int       `json:"relations"`
	Prompts   int       `json:"prompts"`
	Identical int       `json:"identical"` // facts whose sets are the same
	Narrow    int       `json:"narrow"`    // of the other facts, those whose margins are all below [NarrowMargin]
	// Share is Identical of Facts, with the 95 % interval of Clopper and Pearson,
	// which has a width even where all sets are the same.
	Share   stats.Interval `json:"share"`
	Overlap stats.Interval `json:"overlap"` // Jaccard index of the two sets, mean over facts
	// Differences are the facts whose sets are not the same, the largest margin first.
	Differences []PublishedDifference `json:"differences"`
	Provenance  kn.Provenance         `json:"provenance"`
}

// PublishedDifference is a fact whose sets differ.
type PublishedDifference struct {
	UUID      string         `json:"uuid,omitempty"`
	Relation  string         `json:"relation"`
	Subject   string         `json:"subject"`
	Answer    string         `json:"answer"`
	Prompts   int            `json:"prompts"`
	Published []kn.Neuron    `json:"published"`
	Here      []kn.Neuron    `json:"here"`
	Neurons   []MarginNeuron `json:"neurons"` // that are in one of the two only
	Margin    float64        `json:"margin"`  // the largest of theirs
}

// MarginNeuron is a neuron with its margin, see [kn.Recipe.Margin].
type MarginNeuron struct {
	Neuron kn.Neuron `json:"neuron"`
	Here   bool      `json:"here"` // chosen here, and not published
	Margin float64   `json:"margin"`
}
