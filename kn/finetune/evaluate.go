package finetune

import (
	"context"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// Evaluation is how well a classifier does on labelled examples.
type Evaluation struct {
	Examples int     `json:"examples"`
	Loss     float64 `json:"loss"`     // mean cross-entropy, natural logarithm
	Accuracy float64 `json:"accuracy"` // share of examples whose label has the largest logit
	// Majority is the share of the commonest label: the accuracy of always
	// saying the same.
	Majority float64 `json:"majority"`
	// Confusion counts examples by their label (row) and by the label that
	// they were given (column).
	Confusion [][]int `json:"confusion"`
}

// Evaluate measures loss and accuracy on labelled examples. progress may be nil.
func (c *Classifier) Evaluate(ctx context.Context, examples []Example, progress kn.Progress) (*Evaluation, error) {
	if len(examples) == 0 {
		return nil, fmt.Errorf("finetune: there is no example to evaluate on")
	}
	scores, err := c.score(ctx, examples, progress)
	if err != nil {
		return nil, err
	}
	return evaluation(examples, scores, len(c.Model.Config.Labels)), nil
}

// MustEvaluate is [Classifier.Evaluate] for notebook cells: it panics instead of returning an error.
func (c *Classifier) MustEvaluate(ctx context.Context, examples []Example) *Evaluation {
	return kn.Must(c.Evaluate(ctx, examples, nil))
}

// evaluation counts what was scored.
func evaluation(examples []Example, scores []score, labels int) *Evaluation {
	e := &Evaluation{Examples: len(examples), Confusion: make([][]int, labels)}
	for i := range e.Confusion {
		e.Confusion[i] = make([]int, labels)
	}
	for i, s := range scores {
		e.Loss += float64(s.loss)
		e.Confusion[examples[i].Label][s.best()]++
	}
	n, most := float64(len(examples)), 0
	for label, row := range e.Confusion {
		count := 0
		for _, c := range row {
			count += c
		}
		most = max(most, count)
		e.Accuracy += float64(row[label]) / n
	}
	e.Loss /= n
	e.Majority = float64(most) / n
	return e
}
