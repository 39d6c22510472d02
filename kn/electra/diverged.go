package electra

import (
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn/internal/train"
)

// DivergedError says that a training went astray: a loss or a weight is no longer
// a number.
type DivergedError struct {
	Step         int
	What         string
	LearningRate float64
	// Batch is the path of a file with the windows of the step and what was
	// masked in them.
	Batch string
	// Good is the folder with the last models that were sound, after GoodStep
	// steps; "" if none were saved.
	Good     string
	GoodStep int
}

// Error says what to do.
func (e *DivergedError) Error() string {
	text := fmt.Sprintf("electra: %s at step %d; lower the learning rate, which is %g, or clip gradients more; the batch is in %s", e.What, e.Step, e.LearningRate, e.Batch)
	if e.Good != "" {
		text += fmt.Sprintf("; the last good models, after %d steps, are in %s", e.GoodStep, e.Good)
	}
	return text
}

// BatchFile holds the batch at which a training diverged.
const BatchFile = "diverged.json"

// DivergedBatch is what [BatchFile] has of a batch.
type DivergedBatch struct {
	Step    int      `json:"step"`
	Windows []int    `json:"windows"` // by number in the corpus
	Texts   []string `json:"texts"`   // their tokens, with [MASK]
}

// diverged keeps the batch of a step, and the models of the last state that was
// saved.
func (s *session) diverged(step int, what string) error {
	failure := &DivergedError{Step: step, What: what, LearningRate: s.config.LearningRate}
	var err error
	if failure.Batch, err = s.keepBatch(step); err != nil {
		return errors.Join(failure, err)
	}
	var last state
	variables, err := train.ReadState(s.config.statePath(), s.header, &last)
	if err != nil || variables == nil {
		return errors.Join(failure, err)
	}
	dir := CheckpointDir(s.config.Out, last.Step)
	if err := s.learner.write(dir, variables, s); err != nil {
		return errors.Join(failure, err)
	}
	failure.Good, failure.GoodStep = dir, last.Step
	return failure
}

func (s *session) keepBatch(step int) (path string, err error) {
	b, _, err := s.feeder.step(step)
	if err != nil {
		return "", err
	}
	kept := DivergedBatch{Step: step, Windows: b.windows}
	rows := len(b.windows)
	n, k := len(b.ids)/rows, len(b.positions)/rows
	for i := range rows {
		tokens := make([]string, n)
		for j := range tokens {
			tokens[j] = s.tok.Token(int(b.ids[i*n+j]))
		}
		for _, p := range b.positions[i*k : (i+1)*k] {
			tokens[p] = s.tok.Token(s.tok.MaskID())
		}
		kept.Texts = append(kept.Texts, strings.Join(tokens, " "))
	}
	data, err := json.MarshalIndent(kept, "", "  ")
	if err != nil {
		return "", fmt.Errorf("electra: %w", err)
	}
	path = filepath.Join(s.config.Out, BatchFile)
	if err := renameio.WriteFile(path, append(data, '\n'), 0o644); err != nil {
		return "", fmt.Errorf("electra: %w", err)
	}
	return path, nil
}
