package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// The backends that the contenders of our own are given in KN_BACKEND.
const (
	benchGo  = "go:ops_sequential"
	benchXLA = "xla:cpu"
)

// benchNodes is the number of nodes of the published tools, and of ours where
// both use the same rule.
const benchNodes = 20

// benchEntry is a contender before its process runs.
type benchEntry struct {
	name  string
	asked asked
	at    int    // which of its prompts is the one of the reference
	rule  string // contenders of one rule must have the same scores; "": no fixed rule
	once  bool   // it takes minutes: instead of a first result it only warms up, and then it is measured once
	make  func(b *benchmark) (contender, error)
}

// The rules that more than one contender uses.
const (
	leftSum     = "left sum"
	bothEndsSum = "sum with both ends"
)

var (
	left     = benchRequest{Rule: kn.LeftRiemann, Nodes: benchNodes}
	bothEnds = benchRequest{Rule: kn.LinspaceInclusive, Nodes: benchNodes}
	batched  = benchRequest{Prompts: benchPrompts, Batched: true}
	singly   = benchRequest{Prompts: benchPrompts}
	swept    = benchRequest{Prompts: benchPrompts, Sweep: true, Judged: benchPrompt}
	ofMini   = benchRequest{Model: "mini", Prompts: []string{"The capital of France is [MASK]."}, Answer: benchTruth}
)

var benchEntries = map[string]benchEntry{
	"xla":           {name: "kn, XLA", asked: thePrompt, make: ours(benchXLA, benchRequest{})},
	"go":            {name: "kn, Go backend", asked: thePrompt, make: ours(benchGo, benchRequest{})},
	"xla-20":        {name: "kn, XLA", asked: thePrompt, rule: leftSum, make: ours(benchXLA, left)},
	"go-20":         {name: "kn, Go backend", asked: thePrompt, rule: leftSum, make: ours(benchGo, left)},
	"xla-both-ends": {name: "kn, XLA, both ends", asked: thePrompt, rule: bothEndsSum, make: ours(benchXLA, bothEnds)},
	"go-both-ends":  {name: "kn, Go backend, both ends", asked: thePrompt, rule: bothEndsSum, make: ours(benchGo, bothEnds)},
	"xla-batched":   {name: "kn, XLA, in one call", asked: theFact, at: benchPrompt, make: ours(benchXLA, batched)},
	"xla-singly":    {name: "kn, XLA, one by one", asked: theFact, at: benchPrompt, make: ours(benchXLA, singly)},
	"xla-sweep":     {name: "kn, XLA, sweep", asked: theFact, make: ours(benchXLA, swept)},
	"go-sweep":      {name: "kn, Go backend, sweep", asked: theFact, make: ours(benchGo, swept)},
	"mini":          {name: "kn, Go backend", make: ours(benchGo, ofMini)},

	"knowledge-neurons": {name: "knowledge-neurons", asked: thePrompt, rule: bothEndsSum, make: theirs("knowledge-neurons", "")},
	"pytorch-20":        {name: "hand-tuned PyTorch", asked: thePrompt, rule: leftSum, make: theirs("pytorch", doChoose)},
	"authors":           {name: "PyTorch, the authors' way", asked: thePrompt, rule: leftSum, once: true, make: theirs("authors", doWarm)},

	"xla-cell":                  {name: "kn, XLA, fresh process", asked: thePrompt, make: cell},
	"xla-process":               {name: "kn, XLA", asked: thePrompt, make: process(benchXLA)},
	"go-process":                {name: "kn, Go backend", asked: thePrompt, make: process(benchGo)},
	"knowledge-neurons-process": {name: "knowledge-neurons", asked: thePrompt, make: theirProcess},
	"cached":                    {name: "kn", asked: thePrompt, make: cachedProcess},
	"prediction":                {name: "kn, Go backend", make: predictionProcess},
}

// command is a command line of a program of ours: b.self or b.kn.
func command(program string, environment []string, args ...string) func(context.Context) *exec.Cmd {
	return func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Env = benchEnvironment(environment...)
		return cmd
	}
}

// peers is a process of peers.py.
func (b *benchmark) peers() (func(context.Context) *exec.Cmd, error) {
	if b.python == "" {
		return nil, errors.New("not measured; give --peers to install it, or --python")
	}
	return func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, b.python, filepath.Join(b.scratch, "peers.py"))
		// On the CPU, as the others, and with nothing asked of the network.
		cmd.Env = benchEnvironment("CUDA_VISIBLE_DEVICES=", "HF_HUB_OFFLINE=1", "TRANSFORMERS_OFFLINE=1")
		return cmd
	}, nil
}

// filled returns a request to load, with the benchmark's model, prompt and
// answer where it names none.
func (b *benchmark) filled(ask benchRequest) benchRequest {
	ask.Do = "load"
	ask.Model = cmp.Or(ask.Model, b.Model)
	q := b.question(thePrompt)
	if ask.Prompts != nil {
		q = b.question(theFact)
	} else {
		ask.Prompts = []string{q.Prompt}
	}
	ask.Answer = cmp.Or(ask.Answer, q.Answer)
	return ask
}

func ours(backend string, ask benchRequest) func(*benchmark) (contender, error) {
	return func(b *benchmark) (contender, error) {
		child := command(b.self, []string{"KN_BACKEND=" + backend}, "child")
		return &childContender{command: child, ask: b.filled(ask), folder: b.scratch}, nil
	}
}

// their is the request to load for peers.py. Their tokenizer must read prompts
// and answer as ours does.
func (b *benchmark) their(tool string) benchRequest {
	ask := b.filled(benchRequest{Tool: tool, Nodes: benchNodes, Threads: b.Machine.Cores})
	for _, prompt := range ask.Prompts {
		ask.IDs = append(ask.IDs, b.tokenizer.Encode(prompt).IDs)
	}
	ask.AnswerID, _ = b.tokenizer.ID(ask.Answer) // a token of the vocabulary
	return ask
}

func theirs(tool, prepare string) func(*benchmark) (contender, error) {
	return func(b *benchmark) (contender, error) {
		peers, err := b.peers()
		if err != nil {
			return nil, err
		}
		return &childContender{command: peers, ask: b.their(tool), prepare: prepare, folder: b.scratch}, nil
	}
}

func theirProcess(b *benchmark) (contender, error) {
	peers, err := b.peers()
	if err != nil {
		return nil, err
	}
	scores := filepath.Join(b.scratch, "scores")
	run := benchRequest{Do: "run", Scores: scores}
	return &processContender{
		command: peers, input: []benchRequest{b.their("knowledge-neurons"), run},
		folder: b.scratch, read: readPeers(scores),
	}, nil
}

// attribution is the process of kn attribute with the default rule.
func (b *benchmark) attribution(environment ...string) *processContender {
	attribute := command(b.kn, environment, "attribute", "--json", "--model", b.Model, "--prompt", b.Prompt, "--answer", b.Answer)
	return &processContender{command: attribute, folder: b.scratch, read: readAttribution}
}

func process(backend string) func(*benchmark) (contender, error) {
	return func(b *benchmark) (contender, error) {
		return b.attribution("KN_CACHE=off", "KN_BACKEND="+backend), nil
	}
}

// cell is a process as a notebook's kernel starts it: it may leave a worker
// behind, which ends with this program.
func cell(b *benchmark) (contender, error) {
	return b.attribution("KN_CACHE=off", "KN_BACKEND="+benchXLA,
		"KN_WORKER="+b.kn, fmt.Sprintf("KN_KERNEL_PID=%d", os.Getpid())), nil
}

// cachedProcess has a cache of its own, which the first process fills.
func cachedProcess(b *benchmark) (contender, error) {
	return b.attribution("KN_CACHE=" + filepath.Join(b.scratch, "results")), nil
}

func predictionProcess(b *benchmark) (contender, error) {
	predict := command(b.kn, []string{"KN_CACHE=off", "KN_BACKEND=" + benchGo}, "predict", "--json", "--model", b.Model, "--prompt", b.Prompt)
	return &processContender{command: predict, folder: b.scratch, read: func([]byte) (sample, error) { return sample{}, nil }}, nil
}
