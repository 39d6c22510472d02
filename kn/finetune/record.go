package finetune

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/train"
)

// Record is a training's provenance and course, written beside the classifier
// as [RecordFile].
type Record struct {
	Config      Config                `json:"config"`
	Task        string                `json:"task"`
	Labels      []string              `json:"labels"`
	Backend     string                `json:"backend"`
	Parameters  int                   `json:"parameters"`
	Steps       int                   `json:"steps"`
	Seconds     float64               `json:"seconds"`
	ModelSHA256 string                `json:"model_sha256"` // of the model that was started from
	DataSHA256  string                `json:"data_sha256"`
	Unknown     []string              `json:"unknown,omitempty"` // words that the vocabulary cannot spell
	History     History               `json:"history"`
	Evaluations map[string]Evaluation `json:"evaluations"` // of the classifier, on every part but "train"
	Checkpoints []int                 `json:"checkpoints,omitempty"`
}

// RecordFile is the name of the [Record] in the classifier's folder.
const RecordFile = "training.json"

// ReadRecord reads the record of the training that wrote a classifier's folder.
func ReadRecord(dir string) (*Record, error) {
	path := filepath.Join(dir, RecordFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("finetune: the training's record: %w; it is written by Run", err)
	}
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("finetune: %s: %w", path, err)
	}
	return &r, nil
}

// MustReadRecord is [ReadRecord] for notebook cells: it panics instead of returning an error.
func MustReadRecord(dir string) *Record { return kn.Must(ReadRecord(dir)) }

// finished returns the record of this very training if it was done before, and
// all that it wrote is still there.
func (s *session) finished() *Record {
	record, err := ReadRecord(s.config.Out)
	if err != nil {
		return nil
	}
	if digest, err := digestOf(record.Config, record.ModelSHA256, record.DataSHA256); err != nil || digest != s.header.Digest {
		return nil
	}
	dirs := []string{s.config.Out}
	for _, step := range s.config.Checkpoints {
		dirs = append(dirs, CheckpointDir(s.config.Out, step))
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "model.safetensors")); err != nil {
			return nil
		}
	}
	return record
}

// finish writes the classifier and its record, and removes the state.
func (s *session) finish(ctx context.Context) (*Record, error) {
	record := &Record{
		Config: s.config, Task: s.config.Data.Name, Labels: s.config.Data.Labels, Backend: s.backend,
		Parameters: s.learner.Config.Parameters(), Steps: s.state.Step, Seconds: s.state.Seconds,
		ModelSHA256: s.model, DataSHA256: s.data, Unknown: s.unknown, History: s.state.History,
		Evaluations: map[string]Evaluation{}, Checkpoints: s.config.Checkpoints,
	}
	for _, p := range s.parts {
		e, err := s.evaluatePart(ctx, p)
		if err != nil {
			return nil, err
		}
		record.Evaluations[p.name] = *e
	}
	if err := s.writeClassifier(s.config.Out); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("finetune: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(s.config.Out, RecordFile), append(data, '\n'), 0o644); err != nil {
		return nil, fmt.Errorf("finetune: %w", err)
	}
	if err := os.RemoveAll(s.config.statePath()); err != nil {
		return nil, fmt.Errorf("finetune: %w", err)
	}
	return record, nil
}

// writeClassifier writes the classifier as it is now to a folder.
func (s *session) writeClassifier(dir string) error {
	variables, err := s.learner.Of(s.learner.Config.Expected())
	if err != nil {
		return err
	}
	if err := train.Finite(variables); err != nil {
		return s.diverged(err.Error())
	}
	c := checkpoint.Checkpoint{Config: s.learner.Config, Tensors: train.TensorsOf(variables, s.learner.Config.Expected()), Tokenizer: s.tok}
	return c.Save(dir)
}
