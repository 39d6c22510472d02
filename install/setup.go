package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kernel"
)

// setup is one run of the installer.
type setup struct {
	kernel.Paths
	options
	out     io.Writer
	stamps  stamps
	module  string // digest of the module's sources
	withXLA bool   // build the kn command with XLA
	jupyter kernel.Jupyter
	notes   []string
}

// step is something to do unless it was done with the same inputs before.
type step struct {
	name string
	// stamp digests all that the step's result depends on; "" for steps
	// that look for themselves whether there is something to do.
	stamp string
	// made is a file that must exist for the step to count as done.
	made string
	do   func(ctx context.Context) (result string, err error)
}

// setUp does all steps in order, then says what is where.
func setUp(ctx context.Context, out io.Writer, p kernel.Paths, o options) error {
	s := &setup{Paths: p, options: o, out: out}
	if o.pluginOnly {
		return s.all(ctx, s.pluginSteps())
	}
	var err error
	if s.module, err = moduleDigest(p.Root); err != nil {
		return err
	}
	if err = s.decideXLA(ctx); err != nil {
		return err
	}
	if s.stamps = readStamps(p.Data); len(s.stamps.done) == 0 {
		fmt.Fprintln(out, "The first time this takes some minutes, most of them compiling.")
	}
	if err := s.all(ctx, s.steps()); err != nil {
		return err
	}
	s.summary()
	return nil
}

// all does steps one after another.
func (s *setup) all(ctx context.Context, steps []step) error {
	for i, step := range steps {
		if err := s.run(ctx, fmt.Sprintf("[%d/%d] %-28s", i+1, len(steps), step.name), step); err != nil {
			return err
		}
	}
	return nil
}

// steps lists what there is to do. Each step's stamp has what its result
// depends on.
func (s *setup) steps() []step {
	tools := s.module + s.Go
	if s.withXLA {
		tools += "xla"
	}
	steps := append([]step{{"Go", "", "", s.goVersion}}, s.pluginSteps()...)
	return append(steps, []step{
		{"kernel and tools", tools, s.Program("gonb"), s.tools},
		{"Jupyter", "", "", s.findJupyter},
		{"kernelspec", "", "", s.spec},
		{"build cache", s.module + s.Go, "", s.warm},
		{"quickstart notebook", s.module + s.Go, s.Page(), s.quickstart},
		// Last: it takes long to build, and the chart does not need it.
		{"gopls (completion)", kernel.GoplsVersion + s.Go, "", s.gopls},
	}...)
}

// run does one step and prints its line.
func (s *setup) run(ctx context.Context, label string, step step) error {
	fmt.Fprint(s.out, label)
	start := time.Now()
	if step.stamp != "" && s.stamps.has(step.name, step.stamp) && exists(step.made) {
		fmt.Fprintln(s.out, "done before")
		return nil
	}
	result, err := step.do(ctx)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		fmt.Fprintln(s.out, "failed")
		return err
	}
	fmt.Fprintf(s.out, "%s (%.1f s)\n", result, time.Since(start).Seconds())
	if step.stamp == "" {
		return nil
	}
	return s.stamps.add(step.name, step.stamp)
}

func exists(path string) bool {
	if path == "" {
		return true
	}
	_, err := os.Stat(path)
	return err == nil
}

func (s *setup) goVersion(ctx context.Context) (string, error) {
	f := s.CheckGo(ctx)
	return strings.TrimPrefix(f.Found, "go version "), f.Fault
}

func (s *setup) tools(ctx context.Context) (string, error) {
	result := "built in " + s.Bin()
	if s.withXLA {
		result += ", kn with XLA"
	}
	return result, s.BuildTools(ctx, s.withXLA)
}

// gopls is wanted, not needed.
func (s *setup) gopls(ctx context.Context) (string, error) {
	if err := s.InstallGopls(ctx); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		s.notes = append(s.notes, "gopls could not be built; cells work without completion. "+strings.SplitN(err.Error(), "\n", 2)[0])
		return "not to be had; the kernel works without it", nil
	}
	return "gopls " + kernel.GoplsVersion, nil
}

func (s *setup) findJupyter(ctx context.Context) (string, error) {
	j, err := s.FindJupyter(ctx)
	action := "found JupyterLab"
	if errors.Is(err, kernel.ErrNoJupyter) {
		action = "installed JupyterLab"
		if err := s.InstallJupyter(ctx); err != nil {
			return "", err
		}
		j, err = s.FindJupyter(ctx)
	}
	s.jupyter = j
	return fmt.Sprintf("%s %s", action, j.Version), err
}

func (s *setup) spec(context.Context) (string, error) {
	if s.CheckSpec() == nil {
		return "is there: " + kernel.DisplayName, nil
	}
	return "written: " + kernel.DisplayName, s.WriteSpec()
}

func (s *setup) warm(ctx context.Context) (string, error) { return "warm", s.WarmCache(ctx) }

func (s *setup) quickstart(ctx context.Context) (string, error) {
	notebook := filepath.Join(s.Root, "notebooks", "quickstart.ipynb")
	n, err := s.Execute(ctx, s.jupyter, notebook, strings.TrimSuffix(s.Page(), ".html"))
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("executed, %d cells", len(n.Cells)), nil
}

// summary prints what was found and what to do next.
func (s *setup) summary() {
	fmt.Fprintln(s.out)
	for _, note := range s.notes {
		fmt.Fprintln(s.out, "Note:", note)
	}
	fmt.Fprintf(s.out, "Jupyter:    %s (JupyterLab %s)\n", s.jupyter.Command, s.jupyter.Version)
	fmt.Fprintf(s.out, "Kernel:     %s, in %s\n", kernel.DisplayName, s.Spec())
	fmt.Fprintf(s.out, "Command:    %s\n", s.Program("kn"))
	fmt.Fprintf(s.out, "First page: file://%s\n", s.Page())
	fmt.Fprintf(s.out, "Open JupyterLab: %s lab %s\n", s.jupyter.Command, filepath.Join(s.Root, "notebooks"))
}
