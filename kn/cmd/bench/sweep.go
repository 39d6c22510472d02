package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/facts"
	"github.com/knowledge-neurons/gonb-kn/kn/sweep"
)

// sweep attributes the prompts as kn sweep does, into a folder beside the file
// of scores. A sweep keeps the large scores only; so those of the judged prompt
// are computed apart, once, with the same options and off the clock.
func (c *benchComputer) sweep(ctx context.Context, request benchRequest) (answer benchAnswer, err error) {
	dir, err := os.MkdirTemp(filepath.Dir(request.Scores), "sweep-*")
	if err != nil {
		return answer, fmt.Errorf("no place for the sweep: %w", err)
	}
	defer os.RemoveAll(dir)
	start := time.Now()
	summary, err := sweep.Run(ctx, c.model, c.fact(), dir, sweep.Options{}, nil)
	answer.Seconds = time.Since(start).Seconds()
	if err != nil {
		return answer, err
	}
	if summary.Computed != len(c.queries) {
		return answer, fmt.Errorf("the sweep attributed %d of %d prompts and left out %v", summary.Computed, len(c.queries), summary.LeftOutCounts)
	}
	for record, err := range sweep.Read(dir) {
		if err != nil {
			return answer, err
		}
		answer.Nodes += float64(record.Nodes) / float64(c.model.Config().Layers*len(c.queries))
	}
	if c.judged == nil {
		if c.judged, err = c.judge(summary.Options.Attribute); err != nil {
			return answer, err
		}
	}
	return answer, writeFloats(request.Scores, c.judged)
}

// fact is the data set of a sweep: one fact with all prompts.
func (c *benchComputer) fact() facts.Source {
	return func(yield func(facts.Bag, error) bool) {
		yield(facts.Bag{Relation: "P36", Answer: c.ask.Answer, Prompts: c.ask.Prompts}, nil)
	}
}

// judge computes the scores of the prompt that stands for a sweep.
func (c *benchComputer) judge(options kn.AttributeOptions) ([]float64, error) {
	if c.ask.Judged < 0 || c.ask.Judged >= len(c.queries) {
		return nil, fmt.Errorf("the request is to judge prompt %d of %d, counted from 0", c.ask.Judged, len(c.queries))
	}
	q := c.queries[c.ask.Judged]
	r, err := c.model.Attribute(q.Prompt, q.Answer, options)
	if err != nil {
		return nil, err
	}
	return slices.Concat(r.Scores...), nil
}
