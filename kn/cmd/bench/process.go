package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// sample is one repetition of a contender.
type sample struct {
	seconds float64
	nodes   float64   // gradients a prompt and layer; 0: not told
	scores  []float64 // [prompts, layers, neurons], if it computes any
	prompts []promptTaken
	peak    uint64 // bytes the process has held at most so far; 0: not measured
}

// contender is something to be timed.
type contender interface {
	// start makes it ready and returns its first result, with the seconds
	// from nothing to there.
	start(ctx context.Context) (sample, error)
	once(ctx context.Context) (sample, error)
	about() string // what computed, as far as it says
	close()
}

// childContender is a process that stays, and is asked for one repetition
// after another.
type childContender struct {
	command func(ctx context.Context) *exec.Cmd
	ask     benchRequest
	prepare string // doChoose, doWarm or ""
	folder  string // for the scores

	cmd     *exec.Cmd
	in      io.WriteCloser
	answers *json.Decoder
	log     *os.File
	told    string
}

func (c *childContender) start(ctx context.Context) (sample, error) {
	var err error
	if c.log, err = os.CreateTemp(c.folder, "log-*"); err != nil {
		return sample{}, err
	}
	start := time.Now()
	c.cmd = c.command(ctx)
	c.cmd.Stderr = c.log
	c.cmd.WaitDelay = time.Second
	in, err := c.cmd.StdinPipe()
	if err != nil {
		return sample{}, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return sample{}, err
	}
	if err := c.cmd.Start(); err != nil {
		c.cmd = nil
		return sample{}, fmt.Errorf("cannot be started: %w", err)
	}
	c.in, c.answers = in, json.NewDecoder(out)
	answer, err := c.call(ctx, c.ask)
	if err != nil {
		return sample{}, err
	}
	var s sample
	if c.prepare != doWarm {
		s, err = c.once(ctx)
	}
	s.seconds = time.Since(start).Seconds()
	if err == nil && c.prepare != "" {
		answer, err = c.call(ctx, benchRequest{Do: c.prepare})
	}
	c.told = answer.About
	return s, err
}

func (c *childContender) once(ctx context.Context) (sample, error) {
	path := filepath.Join(c.folder, "scores")
	answer, err := c.call(ctx, benchRequest{Do: "run", Scores: path})
	if err != nil {
		return sample{}, err
	}
	s := sample{seconds: answer.Seconds, nodes: answer.Nodes, prompts: answer.ByPrompt, peak: peakMemory(c.cmd.Process.Pid)}
	s.scores, err = readFloats(path)
	return s, err
}

// call sends one request and waits for its answer. When ctx ends, the process
// is killed, which ends the wait.
func (c *childContender) call(ctx context.Context, request benchRequest) (benchAnswer, error) {
	var answer benchAnswer
	err := json.NewEncoder(c.in).Encode(request)
	if err == nil {
		err = c.answers.Decode(&answer)
	}
	switch {
	case ctx.Err() != nil:
		return answer, ctx.Err()
	case err != nil:
		cmd := c.cmd
		c.close()
		return answer, fmt.Errorf("its process ended without an answer: %s", cmp.Or(lastLine(c.log), cmd.ProcessState.String()))
	case answer.Error != "":
		return answer, errors.New(answer.Error)
	}
	return answer, nil
}

func (c *childContender) about() string { return c.told }

// close ends the process, which ends with its input.
func (c *childContender) close() {
	if c.cmd == nil {
		return
	}
	c.in.Close()
	_ = c.cmd.Wait() // nothing depends on how it ends
	c.cmd = nil
}

// processContender is a whole process a repetition, timed from before its
// start to after its end.
type processContender struct {
	command func(ctx context.Context) *exec.Cmd
	input   []benchRequest // for its standard input
	folder  string
	read    func(stdout []byte) (sample, error) // what its output says
}

func (p *processContender) start(ctx context.Context) (sample, error) { return p.once(ctx) }
func (p *processContender) about() string                             { return "" }
func (p *processContender) close()                                    {}

func (p *processContender) once(ctx context.Context) (sample, error) {
	var input bytes.Buffer
	for _, request := range p.input {
		if err := json.NewEncoder(&input).Encode(request); err != nil {
			return sample{}, err
		}
	}
	// Files, not pipes: a worker that the process leaves behind cannot hold up the end of the wait.
	var files [2]*os.File
	for i := range files {
		file, err := os.CreateTemp(p.folder, "output-*")
		if err != nil {
			return sample{}, err
		}
		defer os.Remove(file.Name())
		defer file.Close()
		files[i] = file
	}
	cmd := p.command(ctx)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = &input, files[0], files[1]
	start := time.Now()
	err := cmd.Run()
	seconds := time.Since(start).Seconds()
	if ctx.Err() != nil {
		return sample{}, ctx.Err()
	}
	if err != nil {
		return sample{}, fmt.Errorf("%w: %s", err, lastLine(files[1]))
	}
	stdout, err := os.ReadFile(files[0].Name())
	if err != nil {
		return sample{}, err
	}
	s, err := p.read(stdout)
	s.seconds = seconds
	return s, err
}

// lastLine is the last line that a process wrote into a log, which is where a
// failure says what it was.
func lastLine(log *os.File) string {
	data, err := os.ReadFile(log.Name())
	lines := strings.Split(strings.TrimSpace(string(data)), "\n")
	if err != nil || len(lines) == 0 {
		return ""
	}
	return strings.TrimSpace(lines[len(lines)-1])
}

// readAttribution reads what kn attribute --json prints.
func readAttribution(stdout []byte) (sample, error) {
	var r kn.Attribution
	if err := json.Unmarshal(stdout, &r); err != nil {
		return sample{}, fmt.Errorf("its output cannot be read: %w", err)
	}
	var s sample
	for l, row := range r.Scores {
		s.scores = append(s.scores, row...)
		s.nodes += float64(r.Nodes[l]) / float64(len(r.Scores))
	}
	return s, nil
}

// readPeers reads what peers.py answered to loading and one run, and the
// scores from the file.
func readPeers(path string) func([]byte) (sample, error) {
	return func(stdout []byte) (sample, error) {
		answers := json.NewDecoder(bytes.NewReader(stdout))
		var a benchAnswer
		for range 2 {
			a = benchAnswer{}
			if err := answers.Decode(&a); err != nil {
				return sample{}, fmt.Errorf("its output cannot be read: %w", err)
			}
			if a.Error != "" {
				return sample{}, errors.New(a.Error)
			}
		}
		scores, err := readFloats(path)
		return sample{scores: scores, nodes: a.Nodes}, err
	}
}

// benchEnvironment is this process's environment without what chooses how kn
// computes, and with settings in its place.
func benchEnvironment(settings ...string) []string {
	environment := slices.DeleteFunc(os.Environ(), func(setting string) bool {
		name, _, _ := strings.Cut(setting, "=")
		return slices.Contains([]string{"KN_BACKEND", "KN_CACHE", "KN_WORKER", "KN_KERNEL_PID"}, name)
	})
	return append(environment, settings...)
}
