package electra

import (
	"context"
	"errors"
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

// Progress is where a training stands.
type Progress struct {
	Step, Steps   int
	Tokenized     int     // tokens of the text so far, before the first step; 0 once it trains
	Generator     float64 // losses of the steps since the last point, see [Point]
	Discriminator float64
	Hardness      float64
	Measured      *Measurement  // the last; nil: none yet
	Rate          float64       // steps a second since the start or the resumption
	Elapsed       time.Duration // of training in all, interruptions not counted
	Left          time.Duration // estimated
	Resumed       bool
}

// Run pre-trains a generator and a discriminator as c says and writes them to
// c.Out in Hugging Face format, in [GeneratorDir] and [DiscriminatorDir], with
// a [Record]. The training's state is kept in the same folder meanwhile: when
// ctx is cancelled Run saves it and returns ctx's error, and the next Run with
// the same configuration goes on from there (or, after a crash, from the last
// saving), to the same models as if it had not been interrupted. A finished
// training of the same configuration and text is found again: delete the folder
// to train anew. A loss that is no number ends the training with a
// [*DivergedError]. progress may be nil: a notebook's cell then shows a bar.
func Run(ctx context.Context, c Config, progress func(Progress)) (record *Record, err error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	if progress == nil {
		progress = inCell()
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return nil, fmt.Errorf("electra: %w", err)
	}
	s, model, err := newSession(ctx, c.WithDefaults(), progress)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.corpus.close()) }()
	if record := s.finished(); record != nil {
		progress(Progress{Step: record.Steps, Steps: record.Steps, Resumed: true, Elapsed: time.Duration(record.Seconds * float64(time.Second))})
		return record, nil
	}
	defer func() { s.learner.free() }()
	if err := s.prepare(model); err != nil {
		return nil, err
	}
	if err := s.train(ctx); err != nil {
		return nil, err
	}
	return s.finish()
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

// session is one training from its text to the models' folder.
type session struct {
	config   Config
	progress func(Progress)
	tok      *tokenizer.Tokenizer
	corpus   *corpus
	feeder   *feeder
	backend  string
	learner  *learner
	header   train.Header
	state    state
	resumed  bool
}

// state is all that a training needs to go on as if it had not stopped. The
// windows' order and the random numbers follow from the seed and the step.
type state struct {
	Step         int     // steps taken
	Seconds      float64 // that they took
	Window       window
	Training     []Point
	Measurements []Measurement
}

// stateFormat is changed when the meaning of a state does.
const stateFormat = 2

// newSession finds out which training this is, and of what kind of model.
// [session.prepare] makes it ready.
func newSession(ctx context.Context, c Config, progress func(Progress)) (*session, checkpoint.Config, error) {
	folder, err := kn.OpenCheckpoint(c.Model, kn.WithContext(ctx))
	if err != nil {
		return nil, checkpoint.Config{}, err
	}
	model := folder.Config()
	c = c.of(model)
	s := &session{config: c, progress: progress}
	if s.corpus, err = openCorpus(ctx, c, folder, func(tokens int) { progress(Progress{Steps: c.Steps, Tokenized: tokens}) }); err != nil {
		return nil, model, err
	}
	s.header.Format = stateFormat
	if s.header.Digest, err = digestOf(s.config, s.corpus.digest); err != nil {
		return nil, model, errors.Join(err, s.corpus.close())
	}
	return s, model, nil
}

// prepare makes the learner, as it was when the training stopped.
func (s *session) prepare(model checkpoint.Config) (err error) {
	s.tok = s.corpus.tok
	model.VocabSize, model.PadTokenID = s.tok.Size(), s.tok.PadID()
	n := networks{sampler: s.config.Sampler, discriminator: s.config.discriminator(model)}
	if err := n.discriminator.Validate(); err != nil {
		return fmt.Errorf("electra: the discriminator: %w", err)
	}
	n.generator = n.discriminator.Generator(s.config.GeneratorSize)
	s.feeder = newFeeder(s.corpus, s.config)
	s.backend, _ = backend.Choose("", n.discriminator.Parameters())
	s.header.Backend = s.backend
	if s.learner, err = newLearner(s.config, n, s.backend); err != nil {
		return err
	}
	variables, err := train.ReadState(s.config.statePath(), s.header, &s.state)
	if err != nil {
		return err
	}
	s.resumed = variables != nil
	return s.learner.Restore(variables)
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
		Take: s.step, Evaluate: s.evaluate, Tell: s.tell, Save: s.save,
	}.Run(ctx)
}

// step takes a step of the optimizer.
func (s *session) step(context.Context) error {
	b, rng, err := s.feeder.step(s.state.Step)
	if err != nil {
		return err
	}
	p, err := s.learner.take(s.state.Step, b.inputs(int32(s.tok.MaskID()), rng))
	if err != nil {
		return err
	}
	for _, part := range []struct {
		name  string
		value float64
	}{{"generator's", p.Generator}, {"discriminator's", p.Discriminator}, {"hardness head's", p.Hardness}} {
		if math.IsNaN(part.value) || math.IsInf(part.value, 0) {
			return s.diverged(s.state.Step, fmt.Sprintf("the %s loss is %v", part.name, part.value))
		}
	}
	s.state.Window.add(p)
	s.state.Step++
	return nil
}

// points is the number of training points that a record has about.
const points = 200

// point ends the window of steps if it is time to.
func (s *session) point() {
	step := s.state.Step
	if step > 0 && step%max(1, s.config.Steps/points) == 0 || step == s.config.Steps {
		s.state.Training = append(s.state.Training, s.state.Window.point(step, s.state.Seconds, s.config.rate(step-1)))
	}
}

// window sums up the steps since the last training point.
type window struct {
	Steps int
	Sum   parts
}

func (w *window) add(p parts) {
	w.Steps++
	w.Sum = parts{w.Sum.Generator + p.Generator, w.Sum.Discriminator + p.Discriminator, w.Sum.Hardness + p.Hardness}
}

func (w *window) point(step int, seconds, rate float64) Point {
	n := float64(w.Steps)
	p := Point{step, seconds, w.Sum.Generator / n, w.Sum.Discriminator / n, w.Sum.Hardness / n, rate}
	*w = window{}
	return p
}

// evaluate adds a point to the record, measures, and writes a checkpoint, whatever
// it is time for.
func (s *session) evaluate(ctx context.Context) error {
	s.point()
	step, every := s.state.Step, s.config.MeasureEvery
	if every > 0 && step%every == 0 || step == s.config.Steps {
		m, err := s.measure(ctx)
		if err != nil {
			return err
		}
		s.state.Measurements = append(s.state.Measurements, *m)
	}
	if slices.Contains(s.config.Checkpoints, step) {
		return s.writeModels(CheckpointDir(s.config.Out, step))
	}
	return nil
}

// tell reports where the training stands, at a rate in steps a second.
func (s *session) tell(rate float64) {
	p := Progress{Step: s.state.Step, Steps: s.config.Steps, Rate: rate, Resumed: s.resumed}
	if n := len(s.state.Training); n > 0 {
		last := s.state.Training[n-1]
		p.Generator, p.Discriminator, p.Hardness = last.Generator, last.Discriminator, last.Hardness
	}
	if n := len(s.state.Measurements); n > 0 {
		m := s.state.Measurements[n-1]
		p.Measured = &m
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
		return s.diverged(max(0, s.state.Step-1), err.Error())
	}
	return train.WriteState(s.config.statePath(), s.header, s.state, variables)
}
