package berteffectiveness

import (
	"github.com/knowledge-neurons/gonb-kn/kn/finetune"
	"github.com/knowledge-neurons/gonb-kn/kn/reproduce"
)

// Margin is the error that long training may add before it counts as overfitting:
// two points of a hundred.
const Margin = 0.02

// Trainings is results/trainings.json: how the trainings ended. Errors and losses
// are on the part test, except TrainLoss.
type Trainings struct {
	Runs []reproduce.Training `json:"runs"`
	ByStart[End]
	Long End `json:"long"`
	// Guessing is the error of always giving the commonest label.
	Guessing reproduce.Spread `json:"guessing"`
	// Easier is the training loss from scratch less that from the pre-trained
	// weights after as many steps, Later the same at the end of both, Better that of
	// test errors.
	// OnTheWay is the mean of the training losses up to there, less the same.
	Easier   reproduce.Spread `json:"easier"`
	OnTheWay reproduce.Spread `json:"on_the_way"`
	Later    reproduce.Spread `json:"later"`
	Better   reproduce.Spread `json:"better"`
	// Rise is the test error after the long training less that after the
	// ordinary one, LossRise the same of test losses, Spared [Margin] less Rise.
	Rise     reproduce.Spread `json:"rise"`
	LossRise reproduce.Spread `json:"loss_rise"`
	Spared   reproduce.Spread `json:"spared"`
}

// End is how trainings of a kind ended.
type End struct {
	TrainLoss reproduce.Spread `json:"train_loss"` // see [lossAt], nats
	Loss      reproduce.Spread `json:"loss"`
	Error     reproduce.Spread `json:"error"`
}

// lossAt is the mean training loss over the last tenth of the steps up to one.
func lossAt(r *finetune.Record, step int) float64 {
	sum, n := 0.0, 0
	for _, p := range r.History.Training {
		if p.Step <= step && 10*p.Step > 9*step {
			sum, n = sum+p.Loss, n+1
		}
	}
	return sum / float64(n)
}

// meanLoss is the mean training loss over the steps up to one.
func meanLoss(r *finetune.Record, step int) float64 {
	sum, n := 0.0, 0
	for _, p := range r.History.Training {
		if p.Step <= step {
			sum, n = sum+p.Loss, n+1
		}
	}
	return sum / float64(n)
}

func lastLoss(r *finetune.Record) float64 { return lossAt(r, r.Steps) }

func (t *Trainings) summarize(tuned map[string][]reproduce.Tuned) {
	over := func(kind string, of func(*finetune.Record) float64) reproduce.Spread {
		return reproduce.SpreadOver(len(t.Runs), func(i int) float64 { return of(tuned[kind][i].Record) })
	}
	end := func(kind string) End {
		return End{
			over(kind, lastLoss),
			over(kind, func(r *finetune.Record) float64 { return r.Evaluations["test"].Loss }),
			over(kind, func(r *finetune.Record) float64 { return 1 - r.Evaluations["test"].Accuracy }),
		}
	}
	t.Pretrained, t.Scratch, t.Long = end(pretrained), end(scratch), end(long)
	t.Guessing = over(pretrained, func(r *finetune.Record) float64 { return 1 - r.Evaluations["test"].Majority })
	t.Easier = reproduce.SpreadOver(len(t.Runs), func(i int) float64 {
		return lossAt(tuned[scratch][i].Record, tuned[pretrained][i].Record.Steps) - t.Pretrained.TrainLoss.Values[i]
	})
	t.OnTheWay = reproduce.SpreadOver(len(t.Runs), func(i int) float64 {
		steps := tuned[pretrained][i].Record.Steps
		return meanLoss(tuned[scratch][i].Record, steps) - meanLoss(tuned[pretrained][i].Record, steps)
	})
	t.Later = less(t.Scratch.TrainLoss, t.Pretrained.TrainLoss)
	t.Better = less(t.Scratch.Error, t.Pretrained.Error)
	t.Rise = less(t.Long.Error, t.Pretrained.Error)
	t.LossRise = less(t.Long.Loss, t.Pretrained.Loss)
	t.Spared = reproduce.SpreadOver(len(t.Runs), func(i int) float64 { return Margin - t.Rise.Values[i] })
}
