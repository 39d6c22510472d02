package main

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

// settle is left between two repetitions, for the threads of one contender to
// go to sleep before the next one computes.
const settle = 300 * time.Millisecond

// benchRowResult is a measured row.
type benchRowResult struct {
	Row      string         `json:"row"`
	Title    string         `json:"title"`
	Measures []benchMeasure `json:"measures"`
	ByPrompt []promptTimes  `json:"by_prompt,omitempty"` // of the row about the spread over prompts
}

// benchMeasure is what was measured of one contender.
type benchMeasure struct {
	Contender string    `json:"contender"`
	First     float64   `json:"first_seconds,omitempty"` // from nothing to the first result
	Once      bool      `json:"once,omitempty"`          // there is one repetition, after warming up instead of a first result
	Seconds   []float64 `json:"seconds,omitempty"`       // of the repetitions after that
	Minimum   float64   `json:"minimum,omitempty"`
	Median    float64   `json:"median,omitempty"`
	Prompts   int       `json:"prompts,omitempty"`            // in each repetition, where they are several
	PerSecond float64   `json:"prompts_per_second,omitempty"` // by the median
	Faster    float64   `json:"times_faster,omitempty"`       // than the row's last contender, by the medians
	More      *float64  `json:"seconds_more,omitempty"`       // than the row's last contender, by the medians
	Error     *float64  `json:"error,omitempty"`              // largest error of a score, as a share of the largest score
	Agreement *float64  `json:"agreement,omitempty"`          // the same against the row's last contender, where both use one fixed rule
	Nodes     float64   `json:"nodes,omitempty"`              // gradients a prompt and layer
	Peak      uint64    `json:"peak_bytes,omitempty"`
	Note      string    `json:"note,omitempty"` // why there is nothing more

	scores   []float64 // of the reference's prompt
	rule     string    // the fixed one
	byPrompt []promptTimes
}

// entrant is a contender while it is measured.
type entrant struct {
	key       string
	contender contender // nil when it has failed
	prompts   []string  // in each repetition, where they are several
	measure   benchMeasure
}

// measureGroup measures rows that share contenders, each contender once.
func (b *benchmark) measureGroup(ctx context.Context, rows []benchRow) error {
	var entrants []*entrant
	for _, row := range rows {
		for _, key := range row.contenders {
			if !slices.ContainsFunc(entrants, func(e *entrant) bool { return e.key == key }) {
				entry := benchEntries[key]
				entrants = append(entrants, &entrant{key: key, measure: benchMeasure{Contender: entry.name, rule: entry.rule}})
			}
		}
	}
	defer func() {
		for _, e := range entrants {
			e.leave()
		}
	}()
	if err := b.measure(ctx, rows[0].group, entrants); err != nil {
		return err
	}
	for _, row := range rows {
		result := benchRowResult{Row: row.name, Title: row.title}
		for _, key := range row.contenders {
			i := slices.IndexFunc(entrants, func(e *entrant) bool { return e.key == key })
			result.Measures = append(result.Measures, entrants[i].measure)
		}
		if row.compare == spread {
			result.spread()
		} else {
			result.compareWithLast(row.compare)
		}
		b.Rows = append(b.Rows, result)
	}
	return nil
}

// measure makes contenders ready, and then lets them repeat in turn. Who
// fails is out; only the end of ctx ends it.
func (b *benchmark) measure(ctx context.Context, group string, entrants []*entrant) error {
	for _, e := range entrants {
		s, err := e.enter(ctx, b)
		b.record(e, s, err)
		step := "first result"
		if e.measure.Once {
			step = "warm"
		}
		b.tell(group, e, step, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	for i := range b.Repeats {
		for _, e := range entrants {
			if e.contender == nil || i > 0 && benchEntries[e.key].once {
				continue
			}
			select {
			case <-ctx.Done():
			case <-time.After(settle):
			}
			s, err := e.contender.once(ctx)
			b.record(e, s, err)
			of := b.Repeats
			if e.measure.Once {
				of = 1
			}
			b.tell(group, e, fmt.Sprintf("%d of %d", i+1, of), s)
			if ctx.Err() != nil {
				return ctx.Err()
			}
		}
	}
	return nil
}

// enter makes the contender and has its first result.
func (e *entrant) enter(ctx context.Context, b *benchmark) (sample, error) {
	c, err := benchEntries[e.key].make(b)
	if err != nil {
		return sample{}, err
	}
	e.contender = c
	if child, ok := c.(*childContender); ok && len(child.ask.Prompts) > 1 {
		e.prompts = child.ask.Prompts
	}
	s, err := c.start(ctx)
	if about := c.about(); about != "" {
		e.measure.Contender += " (" + about + ")"
	}
	return s, err
}

func (e *entrant) leave() {
	if e.contender != nil {
		e.contender.close()
		e.contender = nil
	}
}

// record takes the result of one repetition, the first of them being apart.
func (b *benchmark) record(e *entrant, s sample, err error) {
	m, entry := &e.measure, benchEntries[e.key]
	warmed := entry.once && !m.Once // instead of a first result
	if q := b.question(entry.asked); err == nil && q != nil && !warmed {
		err = m.judge(s.scores, entry.at, q.Reference)
	}
	if err != nil {
		e.measure = benchMeasure{Contender: m.Contender, Note: cli.OneLine(err)}
		e.leave()
		return
	}
	m.Nodes, m.Peak = s.nodes, max(m.Peak, s.peak)
	switch {
	case warmed:
		m.Once = true
		return
	case !m.Once && m.First == 0:
		m.First = s.seconds
		return
	}
	m.Seconds = append(m.Seconds, s.seconds)
	m.Minimum, m.Median = minimum(m.Seconds), median(m.Seconds)
	if len(e.prompts) > 1 {
		m.Prompts, m.PerSecond = len(e.prompts), float64(len(e.prompts))/m.Median
		m.recordPrompts(b, e.prompts, s.prompts)
	}
}

// judge sets scores against the reference; of several repetitions the worst
// counts. The reference's prompt is the one at this place.
func (m *benchMeasure) judge(scores []float64, at int, reference *benchReference) error {
	size := len(reference.scores)
	if len(scores) < (at+1)*size {
		return fmt.Errorf("it gave %d scores for %d prompts, but a prompt has %d", len(scores), at+1, size)
	}
	m.scores = scores[at*size : (at+1)*size]
	share, err := shareOfLargest(m.scores, reference.scores)
	if err == nil && (m.Error == nil || share > *m.Error) {
		m.Error = &share
	}
	return err
}

func (b *benchmark) tell(group string, e *entrant, step string, s sample) {
	if e.measure.Note != "" {
		b.say("%s: %s: %s", group, e.measure.Contender, e.measure.Note)
		return
	}
	b.say("%s: %s, %s: %s", group, e.measure.Contender, step, inSeconds(s.seconds))
}

// compareWithLast sets every measure against the last one of the row. With one
// fixed rule, the scores must be the same but for rounding.
func (r *benchRowResult) compareWithLast(how comparison) {
	if how == memoryAlone {
		for i, m := range r.Measures {
			r.Measures[i] = benchMeasure{Contender: m.Contender, Peak: m.Peak, Note: m.Note}
		}
		return
	}
	last := r.Measures[len(r.Measures)-1]
	for i := range r.Measures[:len(r.Measures)-1] {
		m := &r.Measures[i]
		if m.Median == 0 || last.Median == 0 {
			continue
		}
		switch how {
		case faster:
			m.Faster = last.Median / m.Median
		case secondsMore:
			more := m.Median - last.Median
			m.More = &more
		}
		if m.rule == "" || m.rule != last.rule {
			continue
		}
		share, err := shareOfLargest(m.scores, last.scores)
		switch {
		case err != nil:
			m.Note = cli.OneLine(err)
		case share > agreement:
			m.Note = fmt.Sprintf("its scores differ from those of %s: one of the two is wrong", last.Contender)
		}
		m.Agreement = &share
	}
}

// agreement is how much scores by the same rule may differ, as a share of the
// largest: float32 rounds them differently.
const agreement = 1e-3
