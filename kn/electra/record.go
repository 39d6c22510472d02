package electra

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/train"
)

// Record is a training's provenance and course, written beside the models as
// [RecordFile].
type Record struct {
	Config        Config        `json:"config"`
	Backend       string        `json:"backend"`
	Generator     int           `json:"generator_parameters"`     // shared embeddings included
	Discriminator int           `json:"discriminator_parameters"` // likewise
	Steps         int           `json:"steps"`
	Seconds       float64       `json:"seconds"` // of training, measuring not counted
	CorpusTokens  int           `json:"corpus_tokens"`
	DataSHA256    string        `json:"data_sha256"` // of text and tokenizer
	Training      []Point       `json:"training"`
	Measurements  []Measurement `json:"measurements"`
	Checkpoints   []int         `json:"checkpoints,omitempty"`
}

// Point says how the steps since the previous point went: mean losses of what was
// trained on, while the weights changed.
type Point struct {
	Step          int     `json:"step"`          // steps taken
	Seconds       float64 `json:"seconds"`       // of training, measuring not counted
	Generator     float64 `json:"generator"`     // loss of the masked tokens, focal if gamma is not 0
	Discriminator float64 `json:"discriminator"` // loss of all tokens, weighted
	Hardness      float64 `json:"hardness"`      // what the head that predicts hardness learns; 0 without
	Rate          float64 `json:"learning_rate"` // of the last of them
}

// RecordFile is the name of the [Record] in the training's folder.
const RecordFile = "training.json"

// Last returns the last measurement.
func (r *Record) Last() Measurement { return r.Measurements[len(r.Measurements)-1] }

// ReadRecord reads the record of a training from its folder.
func ReadRecord(dir string) (*Record, error) {
	path := filepath.Join(dir, RecordFile)
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("electra: the training's record: %w; it is written by Run", err)
	}
	var r Record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, fmt.Errorf("electra: %s: %w", path, err)
	}
	return &r, nil
}

// MustReadRecord is [ReadRecord] for notebook cells: it panics instead of
// returning an error.
func MustReadRecord(dir string) *Record { return kn.Must(ReadRecord(dir)) }

// finished returns the record of this very training if it was done before, and
// all that it wrote is still there.
func (s *session) finished() *Record {
	record, err := ReadRecord(s.config.Out)
	if err != nil {
		return nil
	}
	if digest, err := digestOf(record.Config, record.DataSHA256); err != nil || digest != s.header.Digest {
		return nil
	}
	dirs := []string{s.config.Out}
	for _, step := range s.config.Checkpoints {
		dirs = append(dirs, CheckpointDir(s.config.Out, step))
	}
	for _, dir := range dirs {
		for _, part := range []string{GeneratorDir, DiscriminatorDir} {
			if _, err := os.Stat(filepath.Join(dir, part, "model.safetensors")); err != nil {
				return nil
			}
		}
	}
	return record
}

// finish writes the models and the record, and removes the state.
func (s *session) finish() (*Record, error) {
	record := &Record{
		Config: s.config, Backend: s.backend, Generator: s.learner.generator.Parameters(), Discriminator: s.learner.discriminator.Parameters(),
		Steps: s.state.Step, Seconds: s.state.Seconds, CorpusTokens: s.corpus.tokens, DataSHA256: s.corpus.digest,
		Training: s.state.Training, Measurements: s.state.Measurements, Checkpoints: s.config.Checkpoints,
	}
	if err := s.writeModels(s.config.Out); err != nil {
		return nil, err
	}
	data, err := json.MarshalIndent(record, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("electra: %w", err)
	}
	if err := renameio.WriteFile(filepath.Join(s.config.Out, RecordFile), append(data, '\n'), 0o644); err != nil {
		return nil, fmt.Errorf("electra: %w", err)
	}
	for _, path := range []string{s.config.statePath(), s.config.tokensPath()} {
		if err := os.RemoveAll(path); err != nil {
			return nil, fmt.Errorf("electra: %w", err)
		}
	}
	return record, nil
}

// HardnessFile has the tensors of the head that predicts hardness, in the
// generator's folder.
const HardnessFile = "hardness.safetensors"

// writeModels writes both models as they are now below a folder.
func (s *session) writeModels(dir string) error {
	variables, err := s.learner.Variables()
	if err != nil {
		return err
	}
	if err := train.Finite(variables); err != nil {
		return s.diverged(max(0, s.state.Step-1), err.Error())
	}
	return s.learner.write(dir, variables, s)
}

// write writes both models with the values of variables.
func (l *learner) write(dir string, variables map[string]train.Variable, s *session) error {
	for _, network := range []struct {
		name, dir string
		config    ModelConfig
	}{{ofGenerator, GeneratorDir, l.generator}, {ofDiscriminator, DiscriminatorDir, l.discriminator}} {
		c := Checkpoint{Config: network.config, Tensors: tensorsOf(variables, network.name, network.config.Expected()), Tokenizer: s.tok}
		if err := c.Save(filepath.Join(dir, network.dir)); err != nil {
			return err
		}
	}
	if !l.sampler.HasHead() {
		return nil
	}
	return checkpoint.WriteTensors(filepath.Join(dir, GeneratorDir, HardnessFile), tensorsOf(variables, ofGenerator, l.networks.hardness()), checkpoint.SaveOptions{})
}

// tensorsOf are a network's tensors among all variables.
func tensorsOf(variables map[string]train.Variable, network string, want []checkpoint.Expected) map[string]checkpoint.Tensor {
	out := map[string]checkpoint.Tensor{}
	for _, e := range want {
		of := checkpoint.Expected{Name: variableOf(network, e.Name), Shape: e.Shape}
		out[e.Name] = train.TensorsOf(variables, []checkpoint.Expected{of})[of.Name]
	}
	return out
}
