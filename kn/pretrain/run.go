package pretrain

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/train"
	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// Progress is where a training stands.
type Progress struct {
	Step, Steps int
	Loss        float64       // running mean of the objective
	Recall      float64       // share of a sample whose answer is ranked first, at the last look; see Looked
	Looked      int           // the step of the last look; 0: none yet
	Rate        float64       // examples a second since the start or the resumption
	Elapsed     time.Duration // of training in all, interruptions not counted
	Left        time.Duration // estimated
	Resumed     bool
}

// looks is how often in a training recall is measured on a sample.
const looks = 40

// Run trains a model as c says and writes it to c.Out in Hugging Face format,
// with the facts that it was taught and a [Record]. A checkpoint is kept in
// the same folder while it trains: when ctx is cancelled Run saves it and
// returns ctx's error, and the next Run with the same configuration goes on
// from there, to the same model as if it had not been interrupted. progress
// may be nil.
func Run(ctx context.Context, c Config, progress func(Progress)) (*Record, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	c = c.WithDefaults()
	if progress == nil {
		progress = func(Progress) {}
	}
	if err := os.MkdirAll(c.Out, 0o755); err != nil {
		return nil, fmt.Errorf("pretrain: %w", err)
	}
	s, err := newSession(c, progress)
	if err != nil {
		return nil, err
	}
	defer s.learner.free()
	if err := s.train(ctx); err != nil {
		return nil, err
	}
	return s.finish()
}

// session is one training from its data to the model's folder.
type session struct {
	config   Config
	progress func(Progress)
	corpus   *corpus // nil when the training is on text
	task     task
	tok      *tokenizer.Tokenizer
	learner  *learner
	sample   sampler
	digest   string
	data     string // SHA-256 of what is learned
	state    state
	report   Progress
}

// sampler measures the share of answers ranked first, on a small sample.
type sampler func(ctx context.Context, l *learner) (float64, error)

func newSession(c Config, progress func(Progress)) (*session, error) {
	s := &session{config: c, progress: progress}
	var err error
	if c.Text != "" {
		err = s.openText()
	} else {
		err = s.openFacts()
	}
	if err != nil {
		return nil, err
	}
	s.digest = c.digest() + s.data + backend.Name()
	if s.learner, err = newLearner(c, s.tok.Size(), s.task); err != nil {
		return nil, err
	}
	variables, err := train.ReadState(c.statePath(), s.header(), &s.state)
	if err != nil {
		return nil, err
	}
	s.report.Resumed = variables != nil
	return s, s.learner.Restore(variables)
}

func (s *session) openFacts() error {
	triples, err := facts.ReadDir(s.config.Triples)
	if err != nil {
		return err
	}
	k, err := newCorpus(s.config, triples)
	if err != nil {
		return err
	}
	s.corpus, s.task, s.tok, s.sample = k, newFactsTask(s.config, k), k.tok, k.sampler(s.config.Seed)
	data, err := json.Marshal(struct {
		Facts     []facts.Taught
		Relations []facts.Relation
	}{k.facts, k.relations})
	if err != nil {
		return fmt.Errorf("pretrain: %w", err)
	}
	sum := sha256.Sum256(data)
	s.data = hex.EncodeToString(sum[:])
	return nil
}

// train takes the steps that are left.
func (s *session) train(ctx context.Context) error {
	return train.Loop{
		Steps: s.config.Steps(), SaveEvery: s.config.SaveEvery, Taken: &s.state.Step, Seconds: &s.state.Seconds,
		Take: s.step, Evaluate: s.evaluate, Tell: s.tell, Save: s.save,
	}.Run(ctx)
}

// step takes a step of the optimizer.
func (s *session) step(context.Context) error {
	step := s.state.Step
	loss, err := s.learner.take(step, s.task.batch(step))
	if err != nil {
		return err
	}
	s.state.Loss += max(0.01, 1/float64(step+1)) * (loss - s.state.Loss)
	s.state.Step++
	return nil
}

// evaluate measures recall if it is time to.
func (s *session) evaluate(ctx context.Context) (err error) {
	if s.state.Step%max(1, s.config.Steps()/looks) == 0 {
		s.report.Recall, err = s.sample(ctx, s.learner)
		s.report.Looked = s.state.Step
	}
	return err
}

// tell reports where the training stands, at a rate in steps a second.
func (s *session) tell(rate float64) {
	r, steps := &s.report, s.config.Steps()
	r.Step, r.Steps, r.Loss = s.state.Step, steps, s.state.Loss
	r.Rate = rate * float64(s.config.Batch)
	r.Elapsed = time.Duration(s.state.Seconds * float64(time.Second))
	r.Left = train.Left(r.Step, steps, rate)
	s.progress(*r)
}

func (s *session) save() error {
	variables, err := s.learner.Variables()
	if err != nil {
		return err
	}
	if err := train.Finite(variables); err != nil {
		return fmt.Errorf("pretrain: after step %d: %w; try a smaller learning rate", s.state.Step, err)
	}
	return train.WriteState(s.config.statePath(), s.header(), s.state, variables)
}

// state is all that a training needs to go on as if it had not stopped. The
// data's order and the random numbers follow from the seed and the step.
type state struct {
	Step    int // steps taken
	Seconds float64
	Loss    float64 // running mean
}

// stateFormat is changed when the meaning of a state does.
const stateFormat = 3

func (s *session) header() train.Header { return train.Header{Format: stateFormat, Digest: s.digest} }
