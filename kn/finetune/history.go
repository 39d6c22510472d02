package finetune

import (
	"time"
)

// History is the course of a training: what a loss chart shows.
type History struct {
	Training    []TrainingPoint   `json:"training"`
	Evaluations []EvaluationPoint `json:"evaluations"`
}

// TrainingPoint says how the steps since the previous point went, under dropout
// and while the weights changed.
type TrainingPoint struct {
	Step     int     `json:"step"` // steps taken
	Loss     float64 `json:"loss"` // mean over their examples
	Accuracy float64 `json:"accuracy"`
	Rate     float64 `json:"learning_rate"` // of the last of them
}

// EvaluationPoint is how the classifier did on a part after a step.
type EvaluationPoint struct {
	Step     int     `json:"step"`
	Part     string  `json:"part"`
	Loss     float64 `json:"loss"`
	Accuracy float64 `json:"accuracy"`
}

// Last returns the last evaluation on a part.
func (h *History) Last(part string) (EvaluationPoint, bool) {
	for i := len(h.Evaluations) - 1; i >= 0; i-- {
		if h.Evaluations[i].Part == part {
			return h.Evaluations[i], true
		}
	}
	return EvaluationPoint{}, false
}

// points is the number of training points that a history has about.
const points = 200

// Progress is where a training stands.
type Progress struct {
	Step, Steps int
	Loss        float64       // of the last step
	History     *History      // so far; it is not to be changed, nor kept after the callback returns
	Rate        float64       // steps a second since the start or the resumption
	Elapsed     time.Duration // of training in all, interruptions not counted
	Left        time.Duration // estimated
	Resumed     bool
}

// window sums up the steps since the last training point.
type window struct {
	Examples, Wrong int
	Loss            float64 // sum over the examples
}

func (w *window) add(examples, wrong int, loss float64) {
	w.Examples, w.Wrong, w.Loss = w.Examples+examples, w.Wrong+wrong, w.Loss+loss*float64(examples)
}

func (w *window) point(step int, rate float64) TrainingPoint {
	n := float64(w.Examples)
	p := TrainingPoint{Step: step, Loss: w.Loss / n, Accuracy: 1 - float64(w.Wrong)/n, Rate: rate}
	*w = window{}
	return p
}
