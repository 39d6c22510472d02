package pretrain

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/experiments"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

// NeuronStatistics says what knowledge neurons do in a model: the experiments
// of Dai et al. (2022), as package experiments has them and as reports on other
// models print them, in few numbers. Intervals are over facts.
type NeuronStatistics struct {
	Facts     int `json:"facts"`
	Prompts   int `json:"prompts"`
	Relations int `json:"relations"`

	PerFact    stats.Interval `json:"per_fact"`    // refined neurons
	PerPrompt  stats.Interval `json:"per_prompt"`  // coarse neurons
	WithoutAny int            `json:"without_any"` // facts with no refined neuron
	PerLayer   []float64      `json:"per_layer"`   // share of the refined neurons in each layer
	Top        stats.Interval `json:"top"`         // share in the topmost third of the layers, rounded up
	// Shared is the number of neurons that two facts have in common.
	Shared experiments.SharedNeurons `json:"shared"`

	// Changes of the answer's probability, for each set of neurons.
	Changes []experiments.InterventionSet `json:"changes"`
	// Updates are nil when no fact can be updated, and Erased is empty when
	// there is one relation only.
	Updates *Updates `json:"updates,omitempty"`
	Erased  []Erased `json:"erased"`
}

// Updates says how often an updated fact's prompts give another answer, and
// the new one. Shares are of prompts that the model answered rightly.
type Updates struct {
	Facts   int            `json:"facts"`
	Prompts int            `json:"prompts"`
	Changed stats.Interval `json:"changed"`
	Success stats.Interval `json:"success"`
	// As many random neurons of the same layers.
	RandomChanged stats.Interval `json:"random_changed"`
	RandomSuccess stats.Interval `json:"random_success"`
}

// Erased says what erasing a relation's commonest neurons does to perplexity:
// 0.1 stands for +10 %.
type Erased struct {
	Relation string         `json:"relation"`
	Name     string         `json:"name"`
	Facts    int            `json:"facts"`
	Neurons  int            `json:"neurons"`
	Own      stats.Interval `json:"own"`    // of the relation's facts
	Others   stats.Interval `json:"others"` // of others'
}

// neuronStatistics draws facts of each relation, attributes them in all
// templates of their relations, and runs the experiments.
func neuronStatistics(ctx context.Context, m *kn.Model, taught []facts.Taught, o EvaluateOptions, progress kn.Progress) (n NeuronStatistics, err error) {
	found, err := attributed(ctx, m, taught, o, progress)
	if err != nil {
		return n, err
	}
	table, err := experiments.Neurons(m, found, o.bootstrap())
	if err != nil {
		return n, err
	}
	changes, err := experiments.Intervene(ctx, m, found.Facts, experiments.InterveneOptions{Seed: o.Seed, Resamples: o.Resamples}, progress)
	if err != nil {
		return n, err
	}
	var nothing experiments.NothingLeft
	updated, err := experiments.Update(ctx, m, found.Facts, experiments.UpdateOptions{CurveFacts: -1, Seed: o.Seed, Resamples: o.Resamples}, progress)
	if err != nil && !errors.As(err, &nothing) {
		return n, err
	}
	erased, err := experiments.Erase(ctx, m, found.Facts, experiments.EraseOptions{Counts: []int{1}, Seed: o.Seed, Resamples: o.Resamples}, progress)
	if err != nil && !errors.As(err, &nothing) {
		return n, err
	}
	return statisticsOf(table, changes, updated, erased), nil
}

// statisticsOf takes the few numbers from the experiments' results. updated and
// erased are nil when there was nothing to update or to erase.
func statisticsOf(table *experiments.NeuronTable, changes *experiments.Intervention, updated *experiments.UpdateTable, erased *experiments.EraseTable) NeuronStatistics {
	g := table.Gradients
	n := NeuronStatistics{
		Facts: table.Facts, Prompts: table.Prompts, Relations: table.Relations,
		PerFact: g.PerFact, PerPrompt: g.PerPrompt, WithoutAny: g.WithoutAny, PerLayer: g.PerLayer, Top: g.Top, Shared: g.Shared,
		Changes: changes.Sets, Erased: []Erased{},
	}
	if updated != nil {
		own, random := updated.Sets[0], updated.Sets[1]
		n.Updates = &Updates{
			Facts: updated.Facts, Prompts: updated.Prompts, Changed: own.Changed, Success: own.Success,
			RandomChanged: random.Changed, RandomSuccess: random.Success,
		}
	}
	if erased != nil {
		for _, r := range erased.Relations {
			own := r.Sets[0]
			n.Erased = append(n.Erased, Erased{
				Relation: r.Relation, Name: r.Name, Facts: r.Facts, Neurons: own.Neurons,
				Own: own.Erased.Perplexity.Change, Others: own.Others.Perplexity.Change,
			})
		}
	}
	return n
}

// Reported is another model's statistics, as its report has them.
type Reported struct {
	Model   string           `json:"model"`
	Neurons NeuronStatistics `json:"neurons"`
}

// columns are this model's numbers under its name, and those that stand beside
// them.
func (e *Evaluation) columns(name string) []Reported {
	c := []Reported{{name, e.Neurons}}
	if e.Beside != nil {
		c = append(c, *e.Beside)
	}
	return c
}

// Change returns the changes by one kind of neurons, such as "own"; nil if it
// was not measured.
func (n NeuronStatistics) Change(set string) *experiments.InterventionSet {
	for i := range n.Changes {
		if n.Changes[i].Set == set {
			return &n.Changes[i]
		}
	}
	return nil
}

// Erasing returns what erasing a relation did; nil if it was not erased.
func (n NeuronStatistics) Erasing(relation string) *Erased {
	for i := range n.Erased {
		if n.Erased[i].Relation == relation {
			return &n.Erased[i]
		}
	}
	return nil
}

// readReported reads them from a folder that "kn reproduce knowledge-neurons" wrote.
func readReported(dir string) (*Reported, error) {
	var (
		table   experiments.NeuronTable
		changes experiments.Intervention
		updated experiments.UpdateTable
		erased  experiments.EraseTable
	)
	for name, v := range map[string]any{"neurons": &table, "intervene": &changes, "update": &updated, "erase": &erased} {
		path := filepath.Join(dir, "results", name+".json")
		data, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(data, v)
		}
		if err != nil {
			return nil, fmt.Errorf("pretrain: %s: %w; a report of kn reproduce knowledge-neurons, once finished, has that file", path, err)
		}
	}
	if len(updated.Sets) < 2 || slices.ContainsFunc(erased.Relations, func(r experiments.ErasedRelation) bool { return len(r.Sets) == 0 }) {
		return nil, fmt.Errorf("pretrain: %s: its results of updating or erasing have no controls; let kn reproduce knowledge-neurons finish", dir)
	}
	return &Reported{table.Provenance.Model, statisticsOf(&table, &changes, &updated, &erased)}, nil
}

// attributed sweeps the facts that are drawn, in a folder that is gone again.
func attributed(ctx context.Context, m *kn.Model, taught []facts.Taught, o EvaluateOptions, progress kn.Progress) (g *experiments.Gathered, err error) {
	dir, err := os.MkdirTemp("", "kn-evaluate-")
	if err != nil {
		return nil, fmt.Errorf("pretrain: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	options := sweep.Options{Attribute: kn.AttributeOptions{Tolerance: o.Tolerance}, Limit: o.PerRelation, Seed: o.Seed}
	if _, err := sweep.Run(ctx, m, facts.Bags(taught), dir, options, progress); err != nil {
		return nil, err
	}
	return experiments.Gather(sweep.Read(dir), experiments.GatherOptions{Error: o.Tolerance})
}

// sortedRelations are a map's keys in order of the relations' numbers.
func sortedRelations[V any](m map[string]V) []string {
	return slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	})
}
