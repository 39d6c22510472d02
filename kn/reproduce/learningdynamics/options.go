package learningdynamics

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

// Options of a reproduction. The zero value suits the embedded model.
type Options struct {
	// Tasks are built-in ones or others, as [reproduce.TaskOptions] takes them, at
	// least two. None: all that are built in.
	Tasks []string
	// Data is the folder of those that are not built in.
	Data string
	// Seeds is the number of trainings on each task, at least 2. 0: 3.
	Seeds int
	// LearningRate at its highest. 0: see [reproduce.LearningRate].
	LearningRate float64
	// Sizes of trainings and samples.
	Sizes Sizes
	// Jobs is the number of trainings side by side. 0: see [reproduce.Jobs].
	Jobs int
	// Command is what the report says it was made by.
	Command string
}

// Sizes of the trainings and of the samples. What is 0 is the default.
type Sizes struct {
	// Steps of each training; 0: 600. The embedded model learns “relation” in 100,
	// and of “true” and “paraphrase” nothing in as many: of held-out statements it
	// then judged 53 % and 50 % rightly, after 600 steps 64 to 68 % and 71 to 80 %.
	Steps   int `json:"steps"`
	Train   int `json:"train"`   // examples of each task to learn from; 0: one for each step's place, at most 8000
	Batch   int `json:"batch"`   // examples in a step; 0: 32
	Dev     int `json:"dev"`     // held-out examples of each task; 0: 300
	Facts   int `json:"facts"`   // followed, drawn as evenly from relations as they allow; 0: 41
	Prompts int `json:"prompts"` // of each of these facts; 0: 5
	// MaxLength is the most tokens of an example, of tasks that are not built in;
	// 0: 128. An error where all are built in.
	MaxLength int `json:"max_length"`
}

func (o Options) filled(taught bool, hidden int) (Options, error) {
	if len(o.Tasks) == 0 {
		o.Tasks = finetune.BuiltInTasks
	}
	if reproduce.NamesOfFacts(o.Tasks) && o.Sizes.MaxLength != 0 {
		return o, fmt.Errorf("learningdynamics: a length of at most %d tokens concerns tasks that are read from files, and %q are made of facts; leave it out, or name another task", o.Sizes.MaxLength, o.Tasks)
	}
	o.LearningRate = reproduce.LearningRate(o.LearningRate, taught, hidden)
	o.Seeds = cmp.Or(o.Seeds, 3)
	z := &o.Sizes
	z.Steps, z.Batch, z.Dev = cmp.Or(z.Steps, 600), cmp.Or(z.Batch, 32), cmp.Or(z.Dev, 300)
	z.Train = cmp.Or(z.Train, min(8000, z.Steps*z.Batch))
	z.Facts, z.Prompts, z.MaxLength = cmp.Or(z.Facts, 41), cmp.Or(z.Prompts, 5), cmp.Or(z.MaxLength, 128)
	distinct := slices.Compact(slices.Sorted(slices.Values(o.Tasks)))
	switch {
	case len(distinct) < 2 || len(distinct) < len(o.Tasks):
		return o, fmt.Errorf("learningdynamics: tasks %q; give two or more different ones, to compare data sets", o.Tasks)
	case o.Seeds < 2:
		return o, fmt.Errorf("learningdynamics: %d seeds; give two or more, to compare seeds", o.Seeds)
	case z.Steps < 2 || z.Batch < 1 || z.Train < 1 || z.Dev < 1 || z.Facts < 1 || z.Prompts < 1 || z.MaxLength < 1 || !(o.LearningRate > 0):
		return o, fmt.Errorf("learningdynamics: sizes must be positive, and steps 2 or more: %+v, learning rate %v", *z, o.LearningRate)
	}
	return o, nil
}

// checkpoints are the steps after which classifiers are kept: more of them
// early, when most changes.
func (z Sizes) checkpoints() []int {
	var steps []int
	for _, share := range []float64{0, 0.05, 0.1, 0.2, 0.4, 0.7, 1} {
		steps = append(steps, int(share*float64(z.Steps)+0.5))
	}
	return slices.Compact(steps)
}
