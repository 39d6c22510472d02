package sweep

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// DefaultTolerance is the adaptive rule's tolerance in a sweep, as a share of a
// prompt's largest score. A neuron whose score is that near to a threshold may
// come out on either side of it.
const DefaultTolerance = 0.01

// DefaultKeep is the share of a prompt's largest score below which scores are not
// stored. It is the authors' choice.
const DefaultKeep = 0.1

// Options of a sweep. The zero value attributes every fact in one shard.
type Options struct {
	// Attribute says how; the adaptive rule's tolerance is [DefaultTolerance]
	// here unless told otherwise.
	Attribute kn.AttributeOptions `json:"attribute"`
	// Keep is the share of a prompt's largest score below which scores are
	// not stored. 0: [DefaultKeep].
	Keep float64 `json:"keep"`

	// Relations are those to attribute; none: all.
	Relations []string `json:"relations,omitempty"`
	// Limit is the number of facts of each relation, drawn with Seed (0: 1);
	// 0: all. A folder can be swept again with a larger limit: what is there
	// counts.
	Limit int    `json:"limit,omitempty"`
	Seed  uint64 `json:"seed"`
	// AnswerTokens is the largest number of tokens of an answer, see
	// [facts.Reader]. 0: 1, and any number in a causal model.
	AnswerTokens int `json:"answer_tokens,omitempty"`

	// Shard, from 1, of Shards that together are the sweep. 0: all of it.
	// Facts are dealt by their content.
	Shard  int `json:"shard"`
	Shards int `json:"shards"`

	// Projected, if not nil, is called once, when the rate has been measured on the
	// first prompts.
	Projected func(Projection) `json:"-"`
}

func (o Options) filled() (Options, error) {
	o.Attribute.Rule = cmp.Or(o.Attribute.Rule, kn.Adaptive)
	if o.Attribute.Rule == kn.Adaptive {
		o.Attribute.Tolerance = cmp.Or(o.Attribute.Tolerance, DefaultTolerance)
	}
	o.Keep, o.Seed = cmp.Or(o.Keep, DefaultKeep), cmp.Or(o.Seed, 1)
	o.Shard, o.Shards = cmp.Or(o.Shard, 1), cmp.Or(o.Shards, 1)
	switch {
	case o.Keep < 0 || o.Keep > 1:
		return o, fmt.Errorf("sweep: the share of scores to keep is %v, not between 0 and 1", o.Keep)
	case o.AnswerTokens < 0:
		return o, fmt.Errorf("sweep: answers of %d tokens; give a number from 1, or 0 for the default", o.AnswerTokens)
	case o.Limit < 0:
		return o, fmt.Errorf("sweep: %d facts of a relation; give 0 for all", o.Limit)
	case o.Shards < 1 || o.Shard < 1 || o.Shard > o.Shards:
		return o, fmt.Errorf("sweep: there is no shard %d of %d; shards are numbered from 1", o.Shard, o.Shards)
	case o.Attribute.Rule == kn.ActivationBaseline:
		return o, fmt.Errorf("sweep: the activation baseline comes with every rule; choose a rule of integration")
	}
	return o, nil
}

// shardOf deals a fact to a shard, from 1, by its content.
func shardOf(fact string, shards int) int {
	number, err := strconv.ParseUint(fact[:16], 16, 64)
	if err != nil {
		panic(err) // facts.Bag.Key is hexadecimal
	}
	return 1 + int(number%uint64(shards))
}
