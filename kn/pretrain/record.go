package pretrain

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

// Record is the training's provenance, written beside the model as
// [RecordFile] and printed in the model card.
type Record struct {
	Config     Config            `json:"config"`
	Backend    string            `json:"backend"`
	Facts      *facts.Statistics `json:"facts,omitempty"`
	Vocabulary int               `json:"vocabulary"`
	Parameters int               `json:"parameters"`
	Steps      int               `json:"steps"`
	Examples   int               `json:"examples"`
	Tokens     int               `json:"tokens"` // of those examples, padding not counted
	Seconds    float64           `json:"seconds"`
	FinalLoss  float64           `json:"final_loss"` // running mean at the end
	DataSHA256 string            `json:"data_sha256"`
}

// RecordFile is the name of the [Record] in the model's folder.
const RecordFile = "training.json"

// finish writes the model and removes the checkpoint.
func (s *session) finish() (*Record, error) {
	tensors, err := s.learner.Tensors()
	if err != nil {
		return nil, err
	}
	center(s.learner.Config, tensors)
	model := checkpoint.Checkpoint{Config: s.learner.Config, Tensors: tensors, Tokenizer: s.tok}
	if err := model.SaveWith(s.config.Out, checkpoint.SaveOptions{F16: s.config.Half}); err != nil {
		return nil, err
	}
	record := &Record{
		Config: s.config, Backend: backend.Name(), Vocabulary: s.tok.Size(), Parameters: parameters(tensors),
		Steps: s.state.Step, Examples: s.state.Step * s.config.Batch, Seconds: s.state.Seconds,
		FinalLoss: s.state.Loss, DataSHA256: s.data,
	}
	if s.corpus != nil {
		record.Facts = &s.corpus.stats
		taught, tokens := s.task.(*factsTask).shown(s.state.Step)
		record.Tokens = tokens
		if err := writeFacts(filepath.Join(s.config.Out, kn.FactsFile), taught); err != nil {
			return nil, err
		}
	}
	data, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("pretrain: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(s.config.Out, RecordFile), append(data, '\n'), 0o644); err != nil {
		return nil, fmt.Errorf("pretrain: %w", err)
	}
	if err := os.RemoveAll(s.config.statePath()); err != nil {
		return nil, fmt.Errorf("pretrain: %w", err)
	}
	return record, nil
}

func writeFacts(path string, taught []facts.Taught) error {
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return fmt.Errorf("pretrain: %w", err)
	}
	defer file.Cleanup()
	if err := facts.WriteTaught(file, taught); err != nil {
		return err
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return fmt.Errorf("pretrain: %w", err)
	}
	return nil
}
