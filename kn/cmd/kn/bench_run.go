package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
)

// benchmark is one run of kn bench, and what it prints.
type benchmark struct {
	Machine     benchMachine     `json:"machine"`
	Version     string           `json:"version"`
	Model       string           `json:"model"`
	Prompt      string           `json:"prompt"`
	Tokens      int              `json:"tokens"` // of the prompt, [CLS] and [SEP] included
	Answer      string           `json:"answer"`
	Probability float64          `json:"probability"` // of the answer
	Repeats     int              `json:"repeats"`
	Reference   *benchReference  `json:"reference,omitempty"` // null if no row asked for it
	Rows        []benchRowResult `json:"rows"`

	program, python string
	scratch         string // folder that is removed at the end
	say             func(format string, args ...any)
}

// benchReference is what errors are measured against.
type benchReference struct {
	Contender  string  `json:"contender"`
	Nodes      int     `json:"nodes"`       // of Gauss-Legendre
	CheckNodes int     `json:"check_nodes"` // with which it was computed once more
	Difference float64 `json:"difference"`  // of the two, as a share of the largest score
	scores     []float64
}

// run measures the rows with these names.
func (b *benchmark) run(ctx context.Context, names []string) error {
	if err := b.choose(ctx); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(b.scratch, "peers.py"), peersProgram, 0o600); err != nil {
		return err
	}
	var rows []benchRow
	scored := false
	for _, row := range benchRows {
		if slices.Contains(names, row.name) {
			rows = append(rows, row)
			scored = scored || slices.ContainsFunc(row.contenders, func(key string) bool { return benchEntries[key].at >= 0 })
		}
	}
	if scored {
		if err := b.makeReference(ctx); err != nil {
			return err
		}
	}
	for len(rows) > 0 {
		n := 1
		for n < len(rows) && rows[n].group == rows[0].group {
			n++
		}
		if err := b.measureGroup(ctx, rows[:n]); err != nil {
			return err
		}
		rows = rows[n:]
	}
	return nil
}

// choose takes as answer the most probable word, so that it is not a
// vanishing probability that is attributed.
func (b *benchmark) choose(ctx context.Context) error {
	p := &processContender{
		command: b.kn([]string{"KN_CACHE=off", "KN_BACKEND=" + benchGo}, "predict", "--json", "--top", "100", "--model", b.Model, "--prompt", b.Prompt),
		folder:  b.scratch,
	}
	model, err := kn.Load(b.Model)
	if err != nil {
		return err
	}
	b.Tokens = len(model.Tokenizer().Encode(b.Prompt).IDs)
	p.read = func(stdout []byte) (sample, error) {
		var r predictResult
		if err := json.Unmarshal(stdout, &r); err != nil {
			return sample{}, err
		}
		for _, token := range r.Predictions {
			_, err := model.Tokenizer().Single(token.Token)
			if err == nil && !strings.HasPrefix(token.Token, "##") {
				b.Answer, b.Probability = token.Token, token.Probability
				return sample{}, nil
			}
		}
		return sample{}, errors.New("none of the most probable tokens is a word; remove the checkpoint, and it will be made again")
	}
	if _, err = p.once(ctx); err != nil {
		return fmt.Errorf("no answer for the prompt: %w", err)
	}
	return nil
}

// makeReference computes what errors are measured against, on XLA where that
// is there.
func (b *benchmark) makeReference(ctx context.Context) error {
	const nodes, check = 64, 128
	var fine []float64
	for _, backend := range []string{benchXLA, benchGo} {
		r := &benchReference{Contender: "kn on " + backend, Nodes: nodes, CheckNodes: check}
		var err error
		for _, n := range []int{nodes, check} {
			b.say("reference: %s, %d Gauss-Legendre nodes", r.Contender, n)
			var s sample
			if s, err = b.integrate(ctx, backend, n); err != nil {
				break
			}
			if n == nodes {
				r.scores = s.scores
			}
			fine = s.scores
		}
		if err == nil {
			r.Difference, err = shareOfLargest(r.scores, fine)
		}
		if err == nil {
			b.Reference = r
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if backend == benchGo {
			return fmt.Errorf("the reference cannot be computed: %w", err)
		}
		b.say("reference: %v", err)
	}
	return nil
}

func (b *benchmark) integrate(ctx context.Context, backend string, nodes int) (sample, error) {
	c, err := ours(backend, benchRequest{Rule: kn.GaussLegendre, Nodes: nodes})(b)
	if err != nil {
		return sample{}, err
	}
	defer c.close()
	return c.start(ctx)
}
