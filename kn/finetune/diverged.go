package finetune

import (
	"errors"
	"fmt"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/train"
)

// DivergedError says that a training went astray: its loss or its weights are no
// longer numbers.
type DivergedError struct {
	Step         int
	What         string
	LearningRate float64
	// Good is the folder with the last classifier that was sound, after
	// GoodStep steps; "" if none was saved.
	Good     string
	GoodStep int
}

// Error says what to do.
func (e *DivergedError) Error() string {
	text := fmt.Sprintf("finetune: %s at step %d; lower the learning rate, which is %g, or clip gradients more", e.What, e.Step, e.LearningRate)
	if e.Good != "" {
		text += fmt.Sprintf("; the last good classifier, after %d steps, is %s", e.GoodStep, e.Good)
	}
	return text
}

// diverged makes a classifier of the last state that was saved.
func (s *session) diverged(what string) error {
	failure := &DivergedError{Step: s.state.Step, What: what, LearningRate: s.config.LearningRate}
	var last state
	variables, err := train.ReadState(s.config.statePath(), s.header, &last)
	if err != nil || variables == nil {
		return errors.Join(failure, err)
	}
	if err := s.learner.Restore(variables); err != nil {
		return errors.Join(failure, err)
	}
	dir := CheckpointDir(s.config.Out, last.Step)
	if err := s.writeClassifier(dir); err != nil {
		return errors.Join(failure, err)
	}
	failure.Good, failure.GoodStep = dir, last.Step
	return failure
}
