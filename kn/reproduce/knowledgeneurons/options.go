package knowledgeneurons

import (
	"cmp"
	"fmt"
	"math"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

// Options of a reproduction. The zero value is the embedded model's.
type Options struct {
	// Facts is the path of a data set, see [facts.Open]. Empty: what the model
	// was taught, which models of this project's pre-training say.
	Facts string
	// Texts is the path of open texts about the facts, see
	// [facts.ReadOpenText]. Empty: those that [facts.HeldOutText] makes of what
	// the model was taught; where it does not say, the experiment is left out.
	Texts string
	// Relations are those to look at, such as P19. Empty: all.
	Relations []string
	// Limit of the facts, drawn as evenly from all relations as they allow.
	// 0: all of a data set, and 492 of what a model was taught.
	Limit int
	// AnswerTokens is the largest number of tokens of an answer, see
	// [facts.Reader]. 0: 1, and any number in a causal model.
	AnswerTokens int
	// Seed of all that is drawn. 0: 1.
	Seed uint64
	// Tolerance of the attributions' estimated error, as a share of the
	// largest score. 0: 0.01.
	Tolerance float64
	// Sizes of the experiments' samples.
	Sizes Sizes
	// Projected, if not nil, is told the rate of attributing and how long the
	// facts will take at it, once it has been measured.
	Projected func(sweep.Projection)
	// Publish, if not empty, is a folder for a copy of the report that has none
	// of the sentences of the data sets, which are not for everybody to pass
	// on: neither prompts nor open texts. It has no PNGs either.
	Publish string
	// Command is what the report says it was made by.
	Command string
}

// Sizes of the experiments' samples. What is 0 is the experiment's default. Of
// models of 20 million parameters or more, which take seconds a prompt, the
// last three experiments have fewer: they take an hour together on BERT-base.
type Sizes struct {
	Resamples int `json:"resamples"` // of each bootstrap
	Draws     int `json:"draws"`     // of random control sets a fact
	Recipes   int `json:"recipes"`   // facts by each recipe; 0: 40, and 10 of large models
	Prompts   int `json:"prompts"`   // by each rule of integration; 0: 30, and 6 of large models
	Exactness int `json:"exactness"` // prompts on which the adaptive rule's tolerance is tested; 0: 300, and 100 of large models
	Updates   int `json:"updates"`   // facts of each relation that are updated
	Curve     int `json:"curve"`     // of these, facts updated along the curves
	Erased    int `json:"erased"`    // facts measured of each relation that is erased
	Others    int `json:"others"`    // and of all other relations
}

// defaultLimit is twelve facts of each of the embedded model's relations.
const defaultLimit = 12 * 41

// filled sets defaults. parameters are the model's.
func (o Options) filled(parameters int) (Options, error) {
	if o.Facts == "" {
		o.Limit = cmp.Or(o.Limit, defaultLimit)
	}
	usual := Sizes{Recipes: 40, Prompts: 30, Exactness: 300}
	if backend.Large(parameters) {
		usual = Sizes{Recipes: 10, Prompts: 6, Exactness: 100}
	}
	z := &o.Sizes
	z.Recipes, z.Prompts, z.Exactness = cmp.Or(z.Recipes, usual.Recipes), cmp.Or(z.Prompts, usual.Prompts), cmp.Or(z.Exactness, usual.Exactness)
	o.Seed, o.Tolerance = cmp.Or(o.Seed, 1), cmp.Or(o.Tolerance, 0.01)
	switch {
	case o.Limit < 0:
		return o, fmt.Errorf("knowledgeneurons: a limit of %d facts; 0 stands for all", o.Limit)
	case !(o.Tolerance > 0) || math.IsInf(o.Tolerance, 0):
		return o, fmt.Errorf("knowledgeneurons: a tolerance of %v; give a positive number such as 0.01", o.Tolerance)
	}
	return o, nil
}
