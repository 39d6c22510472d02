package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

// benchRequest is what a contender's process is asked, one JSON object a
// line: first to load, then to run as often as wanted. This program's child and
// peers.py understand it; the latter can be asked to choose or to warm
// up, too.
type benchRequest struct {
	Do string `json:"do"` // "load", "run", doChoose or doWarm

	// To load.
	Model   string   `json:"model,omitempty"`
	Prompts []string `json:"prompts,omitempty"` // attributed in every run
	Answer  string   `json:"answer,omitempty"`
	Rule    kn.Rule  `json:"rule,omitempty"`    // of kn; "" is the default
	Nodes   int      `json:"nodes,omitempty"`   // 0: the rule's default
	Batched bool     `json:"batched,omitempty"` // kn: all prompts in one call
	Sweep   bool     `json:"sweep,omitempty"`   // kn: as kn sweep does, with its options
	Judged  int      `json:"judged,omitempty"`  // in a sweep, the prompt whose scores are handed over

	// To load, of peers.py.
	Tool     string  `json:"tool,omitempty"`
	Threads  int     `json:"threads,omitempty"`   // kn takes all cores
	IDs      [][]int `json:"ids,omitempty"`       // the prompts' tokens as kn reads them
	AnswerID int     `json:"answer_id,omitempty"` // the answer's

	// To run.
	Scores string `json:"scores,omitempty"` // file for the scores [prompts, layers, neurons], float64 little endian
}

// What a contender of peers.py may be asked beside loading and running: to
// choose the faster of its ways to compute, after its first result, or to warm
// up by a part of the work, instead of a first result.
const (
	doChoose = "choose"
	doWarm   = "warm"
)

// benchAnswer is the answer to one request.
type benchAnswer struct {
	Seconds  float64       `json:"seconds"`             // that loading or running took
	Nodes    float64       `json:"nodes,omitempty"`     // gradients a prompt and layer, on average
	ByPrompt []promptTaken `json:"by_prompt,omitempty"` // of the prompts one by one
	About    string        `json:"about,omitempty"`     // what computed: names and versions
	Error    string        `json:"error,omitempty"`
}

// promptTaken is what one of several prompts took.
type promptTaken struct {
	Seconds float64 `json:"seconds"`
	Nodes   float64 `json:"nodes"` // a layer, on average
}

// benchChild is the process of a contender of our own.
func (a *app) benchChild() *cobra.Command {
	return &cobra.Command{
		Use:    "child",
		Short:  "Compute for bench: one JSON request a line, one answer each",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: cli.Checked(func(cmd *cobra.Command, _ []string) error {
			return serveBench(cmd.Context(), a.stdin, a.stdout)
		}),
	}
}

// serveBench answers requests until there are no more.
func serveBench(ctx context.Context, in io.Reader, out io.Writer) error {
	var c benchComputer
	encoder := json.NewEncoder(out)
	scanner := bufio.NewScanner(in)
	scanner.Buffer(nil, 1<<20)
	for scanner.Scan() {
		var request benchRequest
		answer, err := benchAnswer{}, json.Unmarshal(scanner.Bytes(), &request)
		if err == nil {
			answer, err = c.do(ctx, request)
		}
		if err != nil && ctx.Err() != nil {
			err = errors.New("another program told its process to end")
		}
		if err != nil {
			answer.Error = cli.OneLine(err)
		}
		if err := encoder.Encode(answer); err != nil {
			return fmt.Errorf("answering: %w", err)
		}
	}
	return scanner.Err()
}

// benchComputer is a loaded model and what to compute with it.
type benchComputer struct {
	ask     benchRequest
	model   *kn.Model
	queries []kn.Query
	options kn.AttributeOptions
	judged  []float64 // scores of the prompt that stands for a sweep
}

func (c *benchComputer) do(ctx context.Context, request benchRequest) (benchAnswer, error) {
	switch {
	case request.Do == "load":
		return c.load(ctx, request)
	case request.Do != "run":
		return benchAnswer{}, fmt.Errorf(`the request is to %q; it must be to "load" or to "run"`, request.Do)
	case c.model == nil:
		return benchAnswer{}, fmt.Errorf("asked to run before anything was loaded")
	}
	if c.ask.Sweep {
		return c.sweep(ctx, request)
	}
	var answer benchAnswer
	start := time.Now()
	results, err := c.attribute(&answer)
	answer.Seconds = time.Since(start).Seconds()
	if err != nil {
		return answer, err
	}
	var scores []float64
	for _, r := range results {
		answer.Nodes += nodesALayer(r) / float64(len(results))
		scores = append(scores, slices.Concat(r.Scores...)...)
	}
	return answer, writeFloats(request.Scores, scores)
}

// nodesALayer is the number of gradients that were spent on a layer, on average.
func nodesALayer(a *kn.Attribution) float64 {
	total := 0
	for _, n := range a.Nodes {
		total += n
	}
	return float64(total) / float64(len(a.Nodes))
}

// load only opens the model: kn reads the weights when it first computes.
func (c *benchComputer) load(ctx context.Context, request benchRequest) (benchAnswer, error) {
	start := time.Now()
	model, err := kn.Load(request.Model, kn.WithContext(ctx), kn.WithCache("off"))
	if err != nil {
		return benchAnswer{}, err
	}
	if len(request.Prompts) == 0 {
		return benchAnswer{}, fmt.Errorf("the request to load names no prompts")
	}
	*c = benchComputer{ask: request, model: model, options: kn.AttributeOptions{Rule: request.Rule, Nodes: request.Nodes}}
	for _, prompt := range request.Prompts {
		c.queries = append(c.queries, kn.Query{Prompt: prompt, Answer: request.Answer})
	}
	return benchAnswer{Seconds: time.Since(start).Seconds()}, nil
}

// attribute computes all prompts, and tells what each took if it is one of
// several that are attributed by themselves.
func (c *benchComputer) attribute(answer *benchAnswer) ([]*kn.Attribution, error) {
	if c.ask.Batched {
		return c.model.AttributeAll(c.queries, c.options)
	}
	var results []*kn.Attribution
	for _, q := range c.queries {
		start := time.Now()
		r, err := c.model.Attribute(q.Prompt, q.Answer, c.options)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
		if len(c.queries) > 1 {
			answer.ByPrompt = append(answer.ByPrompt, promptTaken{time.Since(start).Seconds(), nodesALayer(r)})
		}
	}
	return results, nil
}

// writeFloats and readFloats pass scores between processes.
func writeFloats(path string, floats []float64) error {
	data := make([]byte, 0, 8*len(floats))
	for _, f := range floats {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(f))
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		return fmt.Errorf("cannot hand the scores over: %w", err)
	}
	return nil
}

func readFloats(path string) ([]float64, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot read the scores: %w", err)
	}
	if len(data)%8 != 0 {
		return nil, fmt.Errorf("the file of scores has %d bytes, which is no whole number of them", len(data))
	}
	floats := make([]float64, len(data)/8)
	for i := range floats {
		floats[i] = math.Float64frombits(binary.LittleEndian.Uint64(data[8*i:]))
	}
	return floats, nil
}
