package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// benchRequest is what a contender's process is asked, one JSON object a
// line: first to load, then to run as often as wanted. kn bench child and
// bench/peers.py understand it; the latter can be asked to choose, too.
type benchRequest struct {
	Do string `json:"do"` // "load", "run" or "choose"

	// To load.
	Model   string   `json:"model,omitempty"`
	Prompts []string `json:"prompts,omitempty"` // attributed in every run
	Answer  string   `json:"answer,omitempty"`
	Rule    kn.Rule  `json:"rule,omitempty"`    // of kn; "" is the default
	Nodes   int      `json:"nodes,omitempty"`   // 0: the rule's default
	Batched bool     `json:"batched,omitempty"` // kn: all prompts in one call
	Tool    string   `json:"tool,omitempty"`    // of peers.py
	Threads int      `json:"threads,omitempty"` // of peers.py; kn takes all cores

	// To run.
	Scores string `json:"scores,omitempty"` // file for the scores [prompts, layers, neurons], float64 little endian
}

// benchAnswer is the answer to one request.
type benchAnswer struct {
	Seconds float64 `json:"seconds"`         // that loading or running took
	Nodes   float64 `json:"nodes,omitempty"` // gradients a prompt and layer, on average
	About   string  `json:"about,omitempty"` // what computed: names and versions
	Error   string  `json:"error,omitempty"`
}

// benchChild is the process of a contender of our own.
func (a *app) benchChild() *cobra.Command {
	return &cobra.Command{
		Use:    "child",
		Short:  "Compute for kn bench: one JSON request a line, one answer each",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: checked(func(cmd *cobra.Command, _ []string) error {
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
		if err != nil {
			answer.Error = oneLine(err)
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
	start := time.Now()
	results, err := c.attribute()
	answer := benchAnswer{Seconds: time.Since(start).Seconds()}
	if err != nil {
		return answer, err
	}
	layers := 0
	var scores []float64
	for _, r := range results {
		for l, row := range r.Scores {
			answer.Nodes += float64(r.Nodes[l])
			scores = append(scores, row...)
			layers++
		}
	}
	answer.Nodes /= float64(layers)
	return answer, writeFloats(request.Scores, scores)
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

func (c *benchComputer) attribute() ([]*kn.Attribution, error) {
	if c.ask.Batched {
		return c.model.AttributeAll(c.queries, c.options)
	}
	var results []*kn.Attribution
	for _, q := range c.queries {
		r, err := c.model.Attribute(q.Prompt, q.Answer, c.options)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
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
