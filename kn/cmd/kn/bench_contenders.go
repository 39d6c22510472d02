package main

import (
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
	name string
	// at is which of its prompts is the one of the reference; -1: it gives no
	// scores that the reference is for.
	at   int
	make func(b *benchmark) (contender, error)
}

var benchEntries = map[string]benchEntry{
	"xla":         {"kn, XLA", 0, ours(benchXLA, benchRequest{})},
	"go":          {"kn, Go backend", 0, ours(benchGo, benchRequest{})},
	"xla-20":      {"kn, XLA", 0, ours(benchXLA, benchRequest{Rule: kn.LeftRiemann, Nodes: benchNodes})},
	"go-20":       {"kn, Go backend", 0, ours(benchGo, benchRequest{Rule: kn.LeftRiemann, Nodes: benchNodes})},
	"xla-batched": {"kn, XLA, in one call", benchPrompt, ours(benchXLA, benchRequest{Prompts: benchPrompts, Batched: true})},
	"xla-singly":  {"kn, XLA, one by one", benchPrompt, ours(benchXLA, benchRequest{Prompts: benchPrompts})},
	"mini": {"kn, Go backend", -1, ours(benchGo, benchRequest{
		Model: "mini", Prompts: []string{"The capital of France is [MASK]."}, Answer: "Paris",
	})},

	"knowledge-neurons": {"knowledge-neurons", 0, theirs("knowledge-neurons", false)},
	"pytorch-20":        {"hand-tuned PyTorch", 0, theirs("pytorch", true)},

	"xla-cell":    {"kn, XLA, fresh process", 0, cell},
	"xla-process": {"kn, XLA", 0, process(benchXLA)},
	"go-process":  {"kn, Go backend", 0, process(benchGo)},
	"knowledge-neurons-process": {
		"knowledge-neurons", 0, theirProcess,
	},
	"cached":     {"kn", 0, cachedProcess},
	"prediction": {"kn, Go backend", -1, predictionProcess},
}

// kn is a command line of this program.
func (b *benchmark) kn(environment []string, args ...string) func(context.Context) *exec.Cmd {
	return func(ctx context.Context) *exec.Cmd {
		cmd := exec.CommandContext(ctx, b.program, args...)
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
	if ask.Prompts == nil {
		ask.Prompts = []string{b.Prompt}
	}
	if ask.Model == "" {
		ask.Model, ask.Answer = b.Model, b.Answer
	}
	return ask
}

func ours(backend string, ask benchRequest) func(*benchmark) (contender, error) {
	return func(b *benchmark) (contender, error) {
		command := b.kn([]string{"KN_BACKEND=" + backend}, "bench", "child")
		return &childContender{command: command, ask: b.filled(ask), folder: b.scratch}, nil
	}
}

// their is the request to load for peers.py.
func (b *benchmark) their(tool string) benchRequest {
	return b.filled(benchRequest{Tool: tool, Nodes: benchNodes, Threads: b.Machine.Cores})
}

func theirs(tool string, choose bool) func(*benchmark) (contender, error) {
	return func(b *benchmark) (contender, error) {
		command, err := b.peers()
		if err != nil {
			return nil, err
		}
		return &childContender{command: command, ask: b.their(tool), choose: choose, folder: b.scratch}, nil
	}
}

func theirProcess(b *benchmark) (contender, error) {
	command, err := b.peers()
	if err != nil {
		return nil, err
	}
	scores := filepath.Join(b.scratch, "scores")
	run := benchRequest{Do: "run", Scores: scores}
	return &processContender{
		command: command, input: []benchRequest{b.their("knowledge-neurons"), run},
		folder: b.scratch, read: readPeers(scores),
	}, nil
}

// attribution is the process of kn attribute with the default rule.
func (b *benchmark) attribution(environment ...string) *processContender {
	command := b.kn(environment, "attribute", "--json", "--model", b.Model, "--prompt", b.Prompt, "--answer", b.Answer)
	return &processContender{command: command, folder: b.scratch, read: readAttribution}
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
		"KN_WORKER="+b.program, fmt.Sprintf("KN_KERNEL_PID=%d", os.Getpid())), nil
}

// cachedProcess has a cache of its own, which the first process fills.
func cachedProcess(b *benchmark) (contender, error) {
	return b.attribution("KN_CACHE=" + filepath.Join(b.scratch, "results")), nil
}

func predictionProcess(b *benchmark) (contender, error) {
	command := b.kn([]string{"KN_CACHE=off", "KN_BACKEND=" + benchGo}, "predict", "--json", "--model", b.Model, "--prompt", b.Prompt)
	return &processContender{command: command, folder: b.scratch, read: func([]byte) (sample, error) { return sample{}, nil }}, nil
}
