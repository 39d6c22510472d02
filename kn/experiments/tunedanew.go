package experiments

import (
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/stats"
)

// tunedAnew are the neurons of a fact and what two facts share, with intervals
// for which p is tuned anew on the facts of each resample: p was chosen on the
// facts at hand, and other facts would have led to another one.
func tunedAnew(facts []Fact, s Selection, o stats.Options, sets func(Fact) ([]kn.Neuron, [][]kn.Neuron)) (perFact stats.Interval, shared SharedNeurons) {
	levels := shareLevels(s.Start)
	if s.Fixed {
		levels = levels[mostMoves : mostMoves+1]
	}
	// A fact is one holder at each level of p, and drawn at one of them.
	var kinds pairKinds
	size := make([][]float64, len(facts)) // [facts][levels]
	groups := map[string][]int{}
	for i, f := range facts {
		groups[f.Bag.Relation] = append(groups[f.Bag.Relation], i)
		_, coarse := sets(f)
		for _, p := range levels {
			refined := kn.RefineAtLeast(coarse, p, s.MinPrompts)
			size[i] = append(size[i], float64(len(refined)))
			kinds.add(holder{f.Bag.Relation, f.Bag.Answer, refined})
		}
	}
	relations := sortedRelations(groups)
	atLevel := make([]float64, len(facts)*len(levels))
	i := resampled(len(facts), o, func(drawn []float64) []float64 {
		clear(atLevel)
		total := 0.0
		for _, r := range relations {
			mean := func(level int) float64 {
				sum, n := 0.0, 0.0
				for _, i := range groups[r] {
					sum, n = sum+drawn[i]*size[i][level], n+drawn[i]
				}
				return sum / max(1, n)
			}
			level := 0
			if !s.Fixed {
				level = tunedLevel(mean)
			}
			for _, i := range groups[r] {
				atLevel[i*len(levels)+level] = drawn[i]
				total += drawn[i] * size[i][level]
			}
		}
		means := kinds.means(atLevel)
		return append(slices.Clone(means[:]), total/float64(len(facts)))
	})
	return i[4], SharedNeurons{i[0], i[1], i[2], i[3]}
}

// shareLevels are the shares p that tuning can lead to, in ascending order.
func shareLevels(start float64) []float64 {
	levels := make([]float64, 2*mostMoves+1)
	levels[mostMoves] = start
	for k := range mostMoves {
		levels[mostMoves+k+1] = levels[mostMoves+k] + shareStep
		levels[mostMoves-k-1] = levels[mostMoves-k] - shareStep
	}
	return levels
}

// tunedLevel is the level of [shareLevels] to which [tuneShare] leads, mean
// being the mean number of refined neurons at a level.
func tunedLevel(mean func(level int) float64) int {
	level := mostMoves
	for range mostMoves {
		switch m := mean(level); {
		case m > upAvg:
			level++
		case m < fewestAvg:
			level--
		default:
			return level
		}
	}
	return level
}
