package main

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// slurmFlag is the value of --slurm: the number of tasks, and options of sbatch.
type slurmFlag struct {
	tasks   int
	options []sbatchOption
}

// sbatchOption is --name=value of sbatch, or --name where the value is "".
type sbatchOption struct{ name, value string }

func (s *slurmFlag) Type() string { return "tasks=N,..." }

func (s *slurmFlag) String() string {
	if s.tasks == 0 {
		return ""
	}
	parts := []string{"tasks=" + strconv.Itoa(s.tasks)}
	for _, o := range s.options {
		parts = append(parts, o.name+"="+o.value)
	}
	return strings.Join(parts, ",")
}

// sbatchName is what names of sbatch's options look like.
var sbatchName = regexp.MustCompile(`^[a-z][a-z0-9-]+$`)

// setByScripts are the options that make the array job and its merge what they are.
var setByScripts = []string{
	"array", "dependency", "error", "kill-on-invalid-dep", "no-requeue", "open-mode",
	"output", "parsable", "requeue", "signal", "test-only", "wait", "wrap",
}

func (s *slurmFlag) Set(text string) error {
	*s = slurmFlag{}
	if strings.ContainsFunc(text, isControl) {
		return fmt.Errorf("%q has a line break or another control character", text)
	}
	for part := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(part, "=")
		if !ok && len(s.options) > 0 {
			last := &s.options[len(s.options)-1] // a list, such as exclude=node1,node2
			last.value += "," + part
			continue
		}
		if err := s.add(strings.TrimSpace(name), strings.TrimSpace(value)); err != nil {
			return err
		}
	}
	if s.tasks == 0 {
		return fmt.Errorf("say how many tasks, such as tasks=4,time=2:00:00,gpus=1")
	}
	return nil
}

// add takes in one option.
func (s *slurmFlag) add(name, value string) error {
	if name == "tasks" {
		n, err := strconv.ParseUint(value, 10, 31)
		if err != nil || n == 0 || s.tasks > 0 {
			return fmt.Errorf("tasks=%s: give one whole number of at least 1", value)
		}
		s.tasks = int(n)
		return nil
	}
	if name == "cpus" {
		name = "cpus-per-task"
	}
	switch {
	case !sbatchName.MatchString(name):
		return fmt.Errorf("%q is no option of sbatch; give their long names without dashes, such as tasks=4,time=2:00:00,gpus=1", name)
	case slices.Contains(setByScripts, name):
		return fmt.Errorf("%s is for the scripts to set", name)
	case slices.ContainsFunc(s.options, func(o sbatchOption) bool { return o.name == name }):
		return fmt.Errorf("%s is given twice", name)
	}
	s.options = append(s.options, sbatchOption{name, value})
	return nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }

// forGPUs says whether an option asks for GPUs, which merging does not need.
func (o sbatchOption) forGPUs() bool {
	return strings.Contains(o.name, "gpu") || strings.HasPrefix(o.name, "gres") || strings.HasPrefix(o.name, "tres")
}

var plainValue = regexp.MustCompile(`^[\w%+,./:@=-]+$`)

// directive writes an option as a script's #SBATCH lines have it, where
// quotes group and a backslash takes a character as it is.
func (o sbatchOption) directive() string {
	switch {
	case o.value == "":
		return "--" + o.name
	case plainValue.MatchString(o.value):
		return "--" + o.name + "=" + o.value
	}
	return "--" + o.name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(o.value) + `"`
}
