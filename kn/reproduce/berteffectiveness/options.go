package berteffectiveness

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

// Options of a reproduction. The zero value suits the embedded model.
type Options struct {
	// Tasks are built-in ones or others, as [reproduce.TaskOptions] takes them.
	// None: [DefaultTasks].
	Tasks []string
	// Data is the folder of those that are not built in.
	Data string
	// Seeds is the number of trainings of each kind on each task. 0: 6, the
	// fewest of one task that give verdicts.
	Seeds int
	// LearningRate at its highest, from the pre-trained weights. 0: see
	// [reproduce.LearningRate]. From scratch it is [ScratchRate] times as high.
	LearningRate float64
	// Sizes of trainings, samples and grids.
	Sizes Sizes
	// Jobs is the number of trainings side by side. 0: see [reproduce.Jobs].
	Jobs int
	// Command is what the report says it was made by.
	Command string
}

// DefaultTasks are those that the embedded model learns from a few hundred
// examples. Of the others it learns the training part by heart, and is near chance
// on others: on 200 held-out examples of "true" it was right on 56 %, and of
// "paraphrase" on 54 %, after learning from 480.
var DefaultTasks = []string{finetune.RelationTask}

// ScratchRate is how much higher the learning rate is from scratch: as in
// [finetune.DefaultRate].
const ScratchRate = 3

// Sizes of trainings, samples and grids. What is 0 is the default.
type Sizes struct {
	Train   int `json:"train"`    // examples to learn from; 0: 480
	Batch   int `json:"batch"`    // examples in a step; 0: 32
	Steps   int `json:"steps"`    // from the pre-trained weights; 0: 100, near seven rounds through the examples
	Scratch int `json:"scratch"`  // times as many steps from scratch, at most 20; 0: 3
	Long    int `json:"long"`     // times as many steps long past convergence; 0: 4
	HeldOut int `json:"held_out"` // examples of each of the parts dev and test; 0: 200
	Sample  int `json:"sample"`   // examples of train, and of dev, that landscapes are measured on; 0: 100
	Grid    int `json:"grid"`     // points of a landscape from start to end; 0: 3
	// MaxLength is the most tokens of an example, of tasks that are not built in;
	// 0: 128. An error where all are built in.
	MaxLength int `json:"max_length"`
}

func (o Options) filled(own bool, hidden int) (Options, error) {
	if len(o.Tasks) == 0 {
		o.Tasks = DefaultTasks
	}
	if reproduce.NamesOfFacts(o.Tasks) && o.Sizes.MaxLength != 0 {
		return o, fmt.Errorf("berteffectiveness: a length of at most %d tokens concerns tasks that are read from files, and %q are made of facts; leave it out, or name another task", o.Sizes.MaxLength, o.Tasks)
	}
	o.Seeds = cmp.Or(o.Seeds, reproduce.Fewest)
	o.LearningRate = reproduce.LearningRate(o.LearningRate, own, hidden)
	z := &o.Sizes
	z.Train, z.Batch, z.Steps = cmp.Or(z.Train, 480), cmp.Or(z.Batch, 32), cmp.Or(z.Steps, 100)
	z.Scratch, z.Long = cmp.Or(z.Scratch, 3), cmp.Or(z.Long, 4)
	z.HeldOut, z.Sample, z.Grid = cmp.Or(z.HeldOut, 200), cmp.Or(z.Sample, 100), cmp.Or(z.Grid, 3)
	z.MaxLength = cmp.Or(z.MaxLength, 128)
	z.Sample = min(z.Sample, z.Train, z.HeldOut)
	distinct := slices.Compact(slices.Sorted(slices.Values(o.Tasks)))
	switch {
	case len(distinct) < len(o.Tasks):
		return o, fmt.Errorf("berteffectiveness: tasks %q; name each once", o.Tasks)
	case min(o.Seeds, z.Train, z.Batch, z.Steps, z.Scratch, z.HeldOut, z.Sample, z.Grid, z.MaxLength) < 1 || z.Long < 2 || !(o.LearningRate > 0):
		return o, fmt.Errorf("berteffectiveness: seeds, sizes and the learning rate must be positive, and long 2 or more: %d seeds, %+v, learning rate %v", o.Seeds, *z, o.LearningRate)
	case z.Scratch > 20: // histories have some 200 points; one of them must lie in a tenth of the steps
		return o, fmt.Errorf("berteffectiveness: %d times as many steps from scratch; give at most 20", z.Scratch)
	}
	return o, nil
}

// checkpoints are the steps of a training after which classifiers are kept.
func checkpoints(steps int) []int {
	var at []int
	for _, share := range []float64{0, 0.1, 0.25, 0.5} {
		at = append(at, int(share*float64(steps)+0.5))
	}
	return slices.Compact(at)
}

// The stretch of lines on which points are finer: minima lie there, and those
// of fine-tuned models are narrow.
const (
	fineLow, fineHigh = 0.5, 2
	fineSteps         = 10 // from start to end
)

// line are the points of a curve: the grid's, and finer ones near the minima.
func (z Sizes) line() []float64 {
	points := z.axis(curveLow, curveHigh)
	for k := fineLow * fineSteps; k <= fineHigh*fineSteps; k++ {
		points = append(points, k/fineSteps)
	}
	slices.Sort(points)
	return slices.CompactFunc(points, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 })
}

// between is the number of a curve's points between start and end.
func (z Sizes) between() int {
	n := 0
	for _, alpha := range z.line() {
		if alpha > 0 && alpha < 1 {
			n++
		}
	}
	return n
}

// axis are the grid's points from low to high; 0 and 1 are among them.
func (z Sizes) axis(low, high int) []float64 {
	var out []float64
	for k := low * z.Grid; k <= high*z.Grid; k++ {
		out = append(out, float64(k)/float64(z.Grid))
	}
	return out
}
