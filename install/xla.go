package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/knowledge-neurons/gonb-kn/install/plugin"
	"github.com/knowledge-neurons/gonb-kn/kernel"
	"github.com/knowledge-neurons/gonb-kn/kn/xla"
)

// pluginSteps installs the plug-ins that were asked for. They look for
// themselves whether there is something to do: a plug-in may have been
// damaged, or be in a folder of the user's.
func (s *setup) pluginSteps() []step {
	var steps []step
	if s.xla {
		steps = append(steps, step{"XLA plug-in (CPU)", "", "", func(ctx context.Context) (string, error) {
			return s.plugin(ctx, xla.CPU, plugin.InstallCPU)
		}})
	}
	if s.cuda {
		steps = append(steps, step{"XLA plug-in (CUDA)", "", "", func(ctx context.Context) (string, error) {
			if !xla.HasGPU() {
				s.notes = append(s.notes, "There is no NVIDIA GPU here, or no driver for it: the plug-in for CUDA will not be used.")
			}
			return s.plugin(ctx, xla.CUDA, plugin.InstallCUDA)
		}})
	}
	return steps
}

// plugin installs a plug-in unless there is a sound one.
func (s *setup) plugin(ctx context.Context, name string, install func(context.Context, kernel.Paths, string, func(string)) error) (string, error) {
	if found, err := xla.Find(name); err == nil && found.Check() == nil {
		return "is there: " + found.Path, nil
	}
	dir, err := xla.Dir()
	if err != nil {
		return "", err
	}
	if err := install(ctx, s.Paths, dir, func(what string) { fmt.Fprint(s.out, what, "... ") }); err != nil {
		return "", err
	}
	// It is used only if no folder of the user's hides it.
	found, err := xla.Find(name)
	if err == nil {
		err = found.Check()
	}
	return "installed " + found.Path, err
}

// decideXLA finds out whether the kn command is to be built with XLA: when a
// plug-in was asked for or is there. Only in the first case a missing
// compiler is an error.
func (s *setup) decideXLA(ctx context.Context) error {
	s.withXLA = s.xla || s.cuda || len(xla.Plugins()) > 0
	if !s.withXLA {
		return nil
	}
	err := s.CheckCompiler(ctx)
	if errors.Is(err, kernel.ErrNoCompiler) && !s.xla && !s.cuda {
		s.withXLA = false
		s.notes = append(s.notes, "An XLA plug-in is there, but the kn command was built without XLA. "+strings.TrimSpace(err.Error()))
		return nil
	}
	return err
}
