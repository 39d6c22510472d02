package finetune

import (
	"context"
	"fmt"
	"math"
	"os"
	"slices"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/checkpoint"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/notebook"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/train"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// Run fine-tunes a model as c says and writes the classifier to c.Out in
// Hugging Face format, with a [Record]. The training's state is kept in the
// same folder meanwhile: when ctx is cancelled Run saves it and returns ctx's
// error, and the next Run with the same configuration goes on from there (or,
// after a crash, from the last saving), to the same classifier as if it had
// not been interrupted. A finished training of the same configuration, model and
// data is found again: delete the folder to train anew. A loss that is no number
// ends the training with a [*DivergedError]. progress may be nil: a notebook's
// cell then shows a bar.
func Run(ctx context.Context, c Config, progress func(Progress)) (*Record, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if progress == nil {
		progress = inCell()
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return nil, fmt.Errorf("finetune: %w", err)
	}
	s, folder, err := newSession(ctx, c.WithDefaults(), progress)
	if err != nil {
		return nil, err
	}
	if record := s.finished(); record != nil {
		s.state.Step, s.state.Seconds, s.state.History, s.resumed = record.Steps, record.Seconds, record.History, true
		s.tell(float64(record.Steps) / record.Seconds)
		return record, nil
	}
	defer func() { s.learner.free() }()
	if err := s.prepare(ctx, folder); err != nil {
		return nil, err
	}
	if err := s.train(ctx); err != nil {
		return nil, err
	}
	return s.finish(ctx)
}

// MustRun is [Run] for notebook cells: it panics instead of returning an error.
func MustRun(ctx context.Context, c Config, progress func(Progress)) *Record {
	return kn.Must(Run(ctx, c, progress))
}

// inCell shows a training's progress in a notebook's cell.
func inCell() func(Progress) {
	step := notebook.Step()
	if step == nil {
		return func(Progress) {}
	}
	return func(p Progress) { step(p.Step, p.Steps, "training steps") }
}

// session is one training from its data to the classifier's folder.
type session struct {
	config   Config
	progress func(Progress)
	tok      *tokenizer.Tokenizer
	backend  string
	learner  *learner
	examples []Encoded // of the training part
	epoch    int       // whose batches are in order; -1 at first
	order    [][]int
	parts    []evaluated
	unknown  []string
	header   train.Header
	model    string // digest of the model that is started from
	data     string // digest of the data
	state    state
	resumed  bool
}

// evaluated is a part to evaluate on.
type evaluated struct {
	name     string
	examples []Example
	batches  []Batch
}

// state is all that a training needs to go on as if it had not stopped. The
// examples' order and the random numbers follow from the seed and the step.
type state struct {
	Step    int // steps taken
	Seconds float64
	Window  window
	History History
}

// stateFormat is changed when the meaning of a state does.
const stateFormat = 2

// newSession finds out which training this is. [session.prepare] makes it ready.
func newSession(ctx context.Context, c Config, progress func(Progress)) (*session, *checkpoint.Folder, error) {
	folder, err := kn.OpenCheckpoint(c.Model, kn.WithContext(ctx))
	if err != nil {
		return nil, nil, err
	}
	config := folder.Config().ForClassification(c.Data.Labels)
	if c.LearningRate == 0 {
		c.LearningRate = DefaultRate(config.HiddenSize, c.FromScratch)
	}
	c.MaxLength = min(c.MaxLength, config.MaxPositions)
	s := &session{config: c, progress: progress, tok: folder.Tokenizer(), epoch: -1}
	s.backend, _ = backend.Choose("", config.Parameters())
	return s, folder, s.identify(folder)
}

// prepare makes the learner, as it was when the training stopped.
func (s *session) prepare(ctx context.Context, folder *checkpoint.Folder) error {
	s.encode()
	start, err := s.start(ctx, folder)
	if err != nil {
		return err
	}
	if s.learner, err = newLearner(s.config, start, s.backend); err != nil {
		return err
	}
	variables, err := train.ReadState(s.config.statePath(), s.header, &s.state)
	if err != nil {
		return err
	}
	s.resumed = variables != nil
	return s.learner.Restore(variables)
}

// identify tells this training from others.
func (s *session) identify(folder *checkpoint.Folder) (err error) {
	if s.model, err = folder.Digest(); err != nil {
		return err
	}
	if s.data, err = digestOf(s.config.Data); err != nil {
		return err
	}
	s.header.Format, s.header.Backend = stateFormat, s.backend
	s.header.Digest, err = digestOf(s.config, s.model, s.data)
	return err
}

// start is the classifier that nothing has been learned by yet.
func (s *session) start(ctx context.Context, folder *checkpoint.Folder) (*checkpoint.Checkpoint, error) {
	if s.config.FromScratch {
		return checkpoint.NewClassifier(folder.Config(), s.config.Data.Labels, s.tok, s.config.Seed)
	}
	return folder.LoadForClassification(ctx, s.config.Data.Labels, s.config.Seed, nil)
}

// encode spells all examples.
func (s *session) encode() {
	for _, p := range s.config.Data.Parts {
		encoded, unknown := Encode(s.tok, p.Examples, s.config.MaxLength)
		s.unknown = append(s.unknown, unknown...)
		if p.Name == "train" {
			s.examples = encoded
			continue
		}
		s.parts = append(s.parts, evaluated{p.Name, p.Examples, Batches(s.tok, encoded, scoreBatch)})
	}
	slices.Sort(s.unknown)
	s.unknown = slices.Compact(s.unknown)
}

// train takes the steps that are left.
func (s *session) train(ctx context.Context) error {
	if !s.resumed {
		if err := s.evaluate(ctx); err != nil {
			return err
		}
	}
	return train.Loop{
		Steps: s.config.Steps, SaveEvery: s.config.SaveEvery, Taken: &s.state.Step, Seconds: &s.state.Seconds,
		Take: s.step, Tell: s.tell, Save: s.save,
	}.Run(ctx)
}

// step takes a step of the optimizer and looks at where it led.
func (s *session) step(ctx context.Context) error {
	step := s.state.Step
	b := newBatch(s.tok, s.examples, s.batch(step))
	loss, wrong, err := s.learner.take(step, b)
	if err != nil {
		return err
	}
	if math.IsNaN(loss) || math.IsInf(loss, 0) {
		return s.diverged(fmt.Sprintf("the loss is %v", loss))
	}
	s.state.Window.add(len(b.Indices), wrong, loss)
	s.state.Step++
	if s.state.Step%max(1, s.config.Steps/points) == 0 || s.state.Step == s.config.Steps {
		s.state.History.Training = append(s.state.History.Training, s.state.Window.point(s.state.Step, s.config.rate(step)))
	}
	return s.evaluate(ctx)
}

// batch returns the examples of a step.
func (s *session) batch(step int) []int {
	steps := stepsOf(len(s.examples), s.config.Batch)
	if n := step / steps; n != s.epoch {
		s.epoch, s.order = n, epoch(s.examples, s.config.Seed, n, s.config.Batch)
	}
	return s.order[step%steps]
}

// evaluate measures all parts and writes a checkpoint if it is time to.
func (s *session) evaluate(ctx context.Context) error {
	step, every := s.state.Step, s.config.EvaluateEvery
	if every > 0 && step%every == 0 || step == s.config.Steps {
		for _, p := range s.parts {
			if !slices.Contains(s.config.Evaluate, p.name) {
				continue
			}
			e, err := s.evaluatePart(ctx, p)
			if err != nil {
				return err
			}
			s.state.History.Evaluations = append(s.state.History.Evaluations, EvaluationPoint{step, p.name, e.Loss, e.Accuracy})
		}
	}
	if slices.Contains(s.config.Checkpoints, step) {
		return s.writeClassifier(CheckpointDir(s.config.Out, step))
	}
	return nil
}

func (s *session) evaluatePart(ctx context.Context, p evaluated) (*Evaluation, error) {
	scores, err := scoreAll(ctx, s.learner.call, p.batches, len(p.examples), nil)
	if err != nil {
		return nil, err
	}
	return evaluation(p.examples, scores, len(s.config.Data.Labels)), nil
}

// tell reports where the training stands, at a rate in steps a second.
func (s *session) tell(rate float64) {
	p := Progress{Step: s.state.Step, Steps: s.config.Steps, History: &s.state.History, Rate: rate, Resumed: s.resumed}
	if n := len(s.state.History.Training); n > 0 {
		p.Loss = s.state.History.Training[n-1].Loss
	}
	p.Elapsed = time.Duration(s.state.Seconds * float64(time.Second))
	p.Left = train.Left(p.Step, p.Steps, rate)
	s.progress(p)
}

// save writes the state, which must be sound.
func (s *session) save() error {
	variables, err := s.learner.Variables()
	if err != nil {
		return err
	}
	if err := train.Finite(variables); err != nil {
		return s.diverged(err.Error())
	}
	return train.WriteState(s.config.statePath(), s.header, s.state, variables)
}
