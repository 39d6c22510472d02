package electrasampling

import (
	"cmp"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/electra"
)

// Options of a reproduction. The zero value is small enough for two cores.
type Options struct {
	Seeds     int      // trainings of each variant; 0: 5
	Steps     int      // of pre-training; 0: 2000
	Relations []string // whose facts the models learn; nil: [Relations]
	Facts     int      // of these that are pre-trained on, and that the tasks are made of; 0: 120
	Batch     int      // windows in a step; 0: 16
	HeldOut   int      // windows that are measured on; 0: 64
	Gamma     float64  // of the focal loss; 0: 1
	Hidden    int      // of the discriminator; 0: 64
	Draws     int      // of a measurement's replacements; 0: 8
	Train     int      // examples to fine-tune on, and as many to test on; 0: 45
	Epochs    int      // of fine-tuning; 0: 60, since in 10 nothing is learned of the tasks
	// Jobs is the number of trainings side by side. 0: see [reproduce.Jobs].
	Jobs int
	// Command is what the report says it was made by.
	Command string
}

// Relations are learned from unless others are asked for: countries, their
// capitals and languages.
var Relations = []string{"P36", "P37", "P1376"}

func (o Options) filled() (Options, error) {
	o.Seeds, o.Steps, o.Facts = cmp.Or(o.Seeds, 5), cmp.Or(o.Steps, 2000), cmp.Or(o.Facts, 120)
	o.Batch, o.Gamma, o.Hidden = cmp.Or(o.Batch, 16), cmp.Or(o.Gamma, 1), cmp.Or(o.Hidden, 64)
	o.HeldOut = cmp.Or(o.HeldOut, 64)
	o.Train, o.Epochs = cmp.Or(o.Train, 45), cmp.Or(o.Epochs, 60)
	o.Draws = cmp.Or(o.Draws, 8)
	if len(o.Relations) == 0 {
		o.Relations = Relations
	}
	switch {
	case o.Seeds < 2:
		return o, fmt.Errorf("electrasampling: %d seeds say nothing of chance; give at least 2", o.Seeds)
	case o.Steps < parts || o.Facts < 1 || o.Train < 10 || o.Epochs < 1 || o.Hidden < 1:
		return o, fmt.Errorf("electrasampling: %d steps, %d facts, %d examples, %d epochs, %d wide; give at least %d steps and 10 examples", o.Steps, o.Facts, o.Train, o.Epochs, o.Hidden, parts)
	}
	return o, nil
}

// parts is the number of checkpoints and measurements of a training.
const parts = 20

// variant is one of the six.
type variant struct {
	sampler electra.Sampler
	focal   bool
}

var variants = []variant{
	{electra.Plain, false},
	{electra.Plain, true},
	{electra.HPLoss, false},
	{electra.HPLoss, true},
	{electra.HPDist, false},
	{electra.HPDist, true},
}

// name of files.
func (v variant) name() string {
	if v.focal {
		return string(v.sampler) + "-focal"
	}
	return string(v.sampler)
}

// config is a variant's training. All start from the same weights and see the
// same windows, masked alike, for one seed.
func (o Options) config(model string, v variant, seed int) electra.Config {
	c := electra.Config{
		Model: model, Relations: o.Relations, Facts: o.Facts, Trim: true, Sampler: v.sampler, Seed: uint64(seed),
		Layers: 1, Hidden: o.Hidden, Heads: 2, FFN: 2 * o.Hidden, GeneratorSize: 1, Deviation: 0.1, LearningRate: 0.002,
		Batch: o.Batch, Length: 16, HeldOut: o.HeldOut, Steps: o.Steps, MeasureEvery: o.Steps / parts, Resamples: o.Draws,
	}
	if v.focal {
		c.Gamma = o.Gamma
	}
	for step := c.MeasureEvery; step < o.Steps; step += c.MeasureEvery {
		c.Checkpoints = append(c.Checkpoints, step)
	}
	c.Checkpoints = append(c.Checkpoints, o.Steps)
	return c
}
