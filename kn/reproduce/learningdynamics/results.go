package learningdynamics

import (
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/dynamics"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// Setting is results/setting.json: what was done on what.
type Setting struct {
	Citation string `json:"citation"`
	URL      string `json:"url"`

	Model        string               `json:"model"`
	Layers       int                  `json:"layers"`
	Tasks        []string             `json:"tasks"`
	Data         []reproduce.TaskData `json:"data"`
	Seeds        int                  `json:"seeds"` // from 1
	Trainings    int                  `json:"trainings"`
	LearningRate float64              `json:"learning_rate"`
	Sizes
}

// spreads spreads what each training has of each of n things.
func spreads(trainings, n int, of func(training, k int) float64) []reproduce.Spread {
	out := make([]reproduce.Spread, n)
	for k := range out {
		out[k] = reproduce.SpreadOver(trainings, func(i int) float64 { return of(i, k) })
	}
	return out
}

// Movement is results/layers.json: how far each layer moves from the start. What
// is of one training is in a file of its own.
type Movement struct {
	Runs []RunMovement `json:"-"`
	// Mean over the trainings.
	Mean *dynamics.LayersBySteps `json:"mean"`
	// At the end of the trainings, by layer.
	AttentionJSD  []reproduce.Spread `json:"attention_jsd"`  // [L]
	SVCCADistance []reproduce.Spread `json:"svcca_distance"` // [L+1]
	CKADistance   []reproduce.Spread `json:"cka_distance"`   // [L+1]
	// AttentionTop is the divergence of attention in the topmost third of the
	// layers less that in the others.
	AttentionTop reproduce.Spread `json:"attention_top"`
	// FeaturesAbove is the SVCCA distance in the middle or the topmost third of
	// the hidden states, whichever is less, less that in the lowest third.
	FeaturesAbove reproduce.Spread `json:"features_above"`
	// FeaturesAboveCKA is the same by CKA.
	FeaturesAboveCKA reproduce.Spread `json:"features_above_cka"`
}

// RunMovement is results/layers-TASK-SEED.json: one training's.
type RunMovement struct {
	reproduce.Training
	Layers *dynamics.LayersBySteps `json:"layers"`
}

// third is the mean of the lowest, middle or topmost third of some values, at
// least one of them. k is 0, 1 or 2.
func third(values []float64, k int) float64 {
	n := len(values)
	from, to := (k*n+1)/3, ((k+1)*n+1)/3
	to = max(to, from+1)
	return mean(values[min(from, n-1):min(to, n)])
}

func mean(values []float64) float64 {
	sum := 0.0
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

// summarize adds to the trainings what they have in common.
func (m *Movement) summarize() {
	n := len(m.Runs)
	first := m.Runs[0].Layers
	last := len(first.Steps) - 1
	end := func(measure dynamics.Measure) []reproduce.Spread {
		return spreads(n, len(first.Of(measure)[last]), func(i, l int) float64 { return m.Runs[i].Layers.Of(measure)[last][l] })
	}
	m.AttentionJSD, m.SVCCADistance, m.CKADistance = end(dynamics.JSD), end(dynamics.SVCCA), end(dynamics.CKA)
	of := func(value func(r *dynamics.LayersBySteps) float64) reproduce.Spread {
		return reproduce.SpreadOver(n, func(i int) float64 { return value(m.Runs[i].Layers) })
	}
	m.AttentionTop = of(func(r *dynamics.LayersBySteps) float64 {
		jsd := r.AttentionJSD[last]
		top := len(jsd) - max(1, len(jsd)/3)
		return mean(jsd[top:]) - mean(jsd[:max(1, top)])
	})
	above := func(values []float64) float64 { return min(third(values, 1), third(values, 2)) - third(values, 0) }
	m.FeaturesAbove = of(func(r *dynamics.LayersBySteps) float64 { return above(r.SVCCADistance[last]) })
	m.FeaturesAboveCKA = of(func(r *dynamics.LayersBySteps) float64 { return above(r.CKADistance[last]) })

	average := *first
	average.Texts, average.Tokens = 0, 0
	over := func(measure dynamics.Measure) [][]float64 {
		out := make([][]float64, len(first.Steps))
		for s := range out {
			for _, x := range spreads(n, len(first.Of(measure)[s]), func(i, l int) float64 { return m.Runs[i].Layers.Of(measure)[s][l] }) {
				out[s] = append(out[s], x.Mean)
			}
		}
		return out
	}
	average.AttentionJSD, average.SVCCADistance, average.CKADistance = over(dynamics.JSD), over(dynamics.SVCCA), over(dynamics.CKA)
	for _, r := range m.Runs {
		average.Texts, average.Tokens = average.Texts+r.Layers.Texts, average.Tokens+r.Layers.Tokens
	}
	m.Mean = &average
}

// Distances is results/pairs.json: how far the fine-tuned models are from each other.
type Distances struct {
	Runs     []reproduce.Training   `json:"runs"`
	Matrices *dynamics.PairMatrices `json:"matrices"`
	Measures []PairDistances        `json:"measures"`
}

// PairDistances compares seeds with data sets by one measure. Each model's
// values are its mean distances from the models of its own task and from
// those of others.
type PairDistances struct {
	Measure dynamics.Measure   `json:"measure"`
	Seeds   []reproduce.Spread `json:"seeds"`   // [layers] same task, other seed
	Tasks   []reproduce.Spread `json:"tasks"`   // [layers] other task
	Further reproduce.Spread   `json:"further"` // tasks less seeds, mean over layers
}

func (d *Distances) summarize() {
	n := len(d.Runs)
	for _, m := range dynamics.AllMeasures {
		matrices := d.Matrices.Of(m)
		to := func(i, l int, own bool) float64 {
			var values []float64
			for j, other := range d.Runs {
				if j != i && (other.Task == d.Runs[i].Task) == own {
					values = append(values, matrices[l][i][j])
				}
			}
			return mean(values)
		}
		p := PairDistances{Measure: m}
		p.Seeds = spreads(n, len(matrices), func(i, l int) float64 { return to(i, l, true) })
		p.Tasks = spreads(n, len(matrices), func(i, l int) float64 { return to(i, l, false) })
		p.Further = reproduce.SpreadOver(n, func(i int) float64 {
			var differences []float64
			for l := range matrices {
				differences = append(differences, p.Tasks[l].Values[i]-p.Seeds[l].Values[i])
			}
			return mean(differences)
		})
		d.Measures = append(d.Measures, p)
	}
}

// Frozen is results/frozen.json: how well trainings do in which a half of the
// model keeps its values. Accuracies are on the held-out part.
type Frozen struct {
	Runs     []reproduce.Training `json:"runs"`
	Majority reproduce.Spread     `json:"majority"` // share of the commonest label
	All      reproduce.Spread     `json:"all"`      // nothing frozen
	Lower    reproduce.Spread     `json:"lower"`    // embeddings and the lower half of the layers frozen
	Upper    reproduce.Spread     `json:"upper"`    // the upper half of the layers frozen
	// UpperCosts is the accuracy with the lower half frozen less that with the
	// upper one.
	UpperCosts reproduce.Spread `json:"upper_costs"`
}

// Knowledge is results/knowledge.json: what becomes of facts. What is of one
// training is in a file of its own.
type Knowledge struct {
	Runs  []RunKnowledge `json:"-"`
	Steps []int          `json:"steps"`
	// Means over facts, by step.
	Probability []reproduce.Spread `json:"probability"` // of the answer
	First       []reproduce.Spread `json:"first"`       // answer ranked first
	Overlap     []reproduce.Spread `json:"overlap"`     // of a fact's neurons with those of the start
	// Control is the probability of words that are no fact's answer, Left and
	// ControlLeft what is left at the end of that of answers and of these words:
	// the quotients of the means at the end and at the start. FactsLose is
	// ControlLeft less Left: above 0 where facts lose more.
	Control     []reproduce.Spread `json:"control"`
	Left        reproduce.Spread   `json:"left"`
	ControlLeft reproduce.Spread   `json:"control_left"`
	FactsLose   reproduce.Spread   `json:"facts_lose"`
	// Kept is the share of the start's neurons that still are their facts' at
	// the end, of the layers that had any.
	Kept       []LayerKept     `json:"kept"`
	ByRelation []RelationsLoss `json:"by_relation"` // most lost first
}

// RunKnowledge is results/knowledge-TASK-SEED.json: one training's.
type RunKnowledge struct {
	reproduce.Training
	Knowledge *dynamics.KnowledgeBySteps `json:"knowledge"`
}

// LayerKept is a layer's share of neurons that are kept.
type LayerKept struct {
	Layer   int              `json:"layer"`
	Neurons int              `json:"neurons"` // of the start, all facts
	Kept    reproduce.Spread `json:"kept"`
}

// RelationsLoss is what a relation's facts lose.
type RelationsLoss struct {
	Relation string           `json:"relation"`
	Name     string           `json:"name"`
	Facts    int              `json:"facts"`
	Start    float64          `json:"start"` // probability of the answer
	End      reproduce.Spread `json:"end"`
}

func (k *Knowledge) summarize() {
	n, first := len(k.Runs), k.Runs[0].Knowledge
	k.Steps = first.Steps
	over := func(values func(r *dynamics.KnowledgeBySteps) []stats.Interval) []reproduce.Spread {
		return spreads(n, len(k.Steps), func(i, s int) float64 { return values(k.Runs[i].Knowledge)[s].Mean })
	}
	k.Probability = over(func(r *dynamics.KnowledgeBySteps) []stats.Interval { return r.Probability })
	k.First = over(func(r *dynamics.KnowledgeBySteps) []stats.Interval { return r.First })
	k.Overlap = over(func(r *dynamics.KnowledgeBySteps) []stats.Interval { return r.Overlap })
	last := len(k.Steps) - 1
	k.Control = over(func(r *dynamics.KnowledgeBySteps) []stats.Interval { return r.Control })
	left := func(s []reproduce.Spread) reproduce.Spread {
		return reproduce.SpreadOver(n, func(i int) float64 { return s[last].Values[i] / s[0].Values[i] })
	}
	k.Left, k.ControlLeft = left(k.Probability), left(k.Control)
	k.FactsLose = reproduce.SpreadOver(n, func(i int) float64 { return k.ControlLeft.Values[i] - k.Left.Values[i] })
	for l, neurons := range first.Neurons {
		if neurons > 0 {
			kept := reproduce.SpreadOver(n, func(i int) float64 { return *k.Runs[i].Knowledge.Kept[last][l] })
			k.Kept = append(k.Kept, LayerKept{l, neurons, kept})
		}
	}
	for j, r := range first.ByRelation {
		end := reproduce.SpreadOver(n, func(i int) float64 { return k.Runs[i].Knowledge.ByRelation[j].Probability[last] })
		k.ByRelation = append(k.ByRelation, RelationsLoss{r.Relation, r.Name, r.Facts, r.Probability[0], end})
	}
	slices.SortStableFunc(k.ByRelation, func(a, b RelationsLoss) int {
		switch x, y := a.End.Mean-a.Start, b.End.Mean-b.Start; {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return 0
	})
}
