package main

import (
	"context"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/utf8text"
)

// ruleFlag is the value of --rule.
type ruleFlag kn.Rule

func (r *ruleFlag) String() string { return string(*r) }
func (r *ruleFlag) Type() string   { return "RULE" }

func (r *ruleFlag) Set(text string) error {
	for _, rule := range kn.Rules() {
		if text == string(rule) {
			*r = ruleFlag(rule)
			return nil
		}
	}
	return fmt.Errorf("unknown rule; use one of %s", strings.Join(ruleNames(), ", "))
}

func ruleNames() []string {
	var names []string
	for _, rule := range kn.Rules() {
		names = append(names, string(rule))
	}
	return names
}

// neuronsFlag is the value of --neurons: "layer:index,layer:index".
type neuronsFlag []kn.Neuron

func (n *neuronsFlag) Type() string   { return "L:I,L:I,..." }
func (n *neuronsFlag) String() string { return joinNeurons(*n) }

func (n *neuronsFlag) Set(text string) error {
	*n = nil
	for part := range strings.SplitSeq(text, ",") {
		layer, index, _ := strings.Cut(strings.TrimSpace(part), ":")
		l, errLayer := strconv.ParseUint(layer, 10, 31)
		i, errIndex := strconv.ParseUint(index, 10, 31)
		if errLayer != nil || errIndex != nil {
			return fmt.Errorf("%q is not a neuron; write layer:index, several with commas, such as 0:13,1:14", part)
		}
		*n = append(*n, kn.Neuron{Layer: int(l), Index: int(i)})
	}
	return nil
}

// joinNeurons writes neurons as --neurons takes them.
func joinNeurons(neurons []kn.Neuron) string {
	var parts []string
	for _, n := range neurons {
		parts = append(parts, n.String())
	}
	return strings.Join(parts, ",")
}

// factorsFlag is the value of --factors: finite numbers.
type factorsFlag []float64

func (f *factorsFlag) Type() string { return "F,F,..." }

func (f *factorsFlag) String() string {
	var parts []string
	for _, factor := range *f {
		parts = append(parts, strconv.FormatFloat(factor, 'g', -1, 64))
	}
	return strings.Join(parts, ",")
}

func (f *factorsFlag) Set(text string) error {
	*f = nil
	for part := range strings.SplitSeq(text, ",") {
		factor, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || math.IsNaN(factor) || math.IsInf(factor, 0) {
			return fmt.Errorf("%q is not a finite number; write numbers with commas, such as 0,0.5,1,2", part)
		}
		*f = append(*f, factor)
	}
	return nil
}

// shareFlag is a number between 0 and 1.
type shareFlag float64

func (s *shareFlag) Type() string   { return "0..1" }
func (s *shareFlag) String() string { return strconv.FormatFloat(float64(*s), 'g', -1, 64) }

func (s *shareFlag) Set(text string) error {
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !(value >= 0 && value <= 1) {
		return fmt.Errorf("must be a number from 0 to 1")
	}
	*s = shareFlag(value)
	return nil
}

// line is a line of a file that is not blank, with where it stands.
type line struct{ text, at string }

// readLines reads a file of one prompt a line, "-" being standard input, which
// ctx can end the wait for. Blank lines are skipped, and so are carriage
// returns and white space around a prompt.
func (a *app) readLines(ctx context.Context, path string) ([]line, error) {
	if path != "-" {
		file, err := os.Open(path)
		if err != nil {
			return nil, fmt.Errorf("cannot read the prompts: %w; give a text file with one prompt a line, or - for standard input", err)
		}
		defer file.Close()
		return scanLines(file, path)
	}
	type result struct {
		lines []line
		err   error
	}
	read := make(chan result, 1)
	go func() {
		lines, err := scanLines(a.stdin, "standard input")
		read <- result{lines, err}
	}()
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case r := <-read:
		return r.lines, r.err
	}
}

// scanLines reads the lines that are not blank.
func scanLines(r io.Reader, name string) ([]line, error) {
	var lines []line
	scanner := utf8text.NewScanner(r, name, 1<<20)
	for scanner.Scan() {
		if text := strings.TrimSpace(scanner.Text()); text != "" {
			lines = append(lines, line{text, fmt.Sprintf("%s:%d", name, scanner.Line())})
		}
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("cannot read the prompts: %w", err)
	}
	if len(lines) == 0 {
		return nil, fmt.Errorf("%s holds no prompt; write one a line, each with one [MASK]", name)
	}
	return lines, nil
}
