// Package plugin installs XLA's plug-ins. A plug-in appears in its folder
// whole or not at all: everything is fetched and unpacked in a folder beside
// it, which is removed at the end, or by the next run after a run that was
// killed.
package plugin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/knowledge-neurons/gonb-kn/kernel"
	"github.com/knowledge-neurons/gonb-kn/kn/xla"
)

// source is a place that a plug-in can be had from.
type source struct {
	name  string
	fetch func(ctx context.Context, staging string) (file string, err error)
}

// InstallCPU puts the CPU's plug-in (200 MB) into a folder, and does nothing
// if a whole one is there. It comes from GitHub by GoMLX's own installer, or,
// where GitHub cannot be reached, from PyPI the way that the user's pip is
// set up. progress is told what is being done.
func InstallCPU(ctx context.Context, p kernel.Paths, dir string, progress func(string)) error {
	return install(ctx, dir, xla.CPU, progress, []source{
		{"GitHub, by GoMLX's installer", func(ctx context.Context, staging string) (string, error) { return fetchGoMLX(ctx, p, staging) }},
		{"PyPI", func(ctx context.Context, staging string) (string, error) {
			return fetchWheel(ctx, p, cpuWheel, staging)
		}},
	})
}

// install takes a plug-in from the first source that has a sound one.
func install(ctx context.Context, dir, name string, progress func(string), sources []source) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("plugin: %w; set XDG_DATA_HOME to a folder that can be written", err)
	}
	unlock, err := lock(ctx, dir, progress)
	if err != nil {
		return err
	}
	defer unlock()
	target := xla.Plugin{Name: name, Path: filepath.Join(dir, xla.FileName(name))}
	if target.Check() == nil {
		return nil
	}
	var failures []error
	for _, s := range sources {
		progress("from " + s.name)
		err := attempt(ctx, dir, target, s)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err == nil {
			return nil
		}
		failures = append(failures, fmt.Errorf("from %s: %w", s.name, err))
	}
	return fmt.Errorf("plugin: the plug-in %q could not be installed:\n%w", name, errors.Join(failures...))
}

// stagingName is how folders for unfinished work begin.
const stagingName = ".installing-"

// attempt fetches from one source, checks, and moves what it got into place.
func attempt(ctx context.Context, dir string, target xla.Plugin, s source) error {
	staging, err := os.MkdirTemp(dir, stagingName)
	if err != nil {
		return err
	}
	defer os.RemoveAll(staging)
	file, err := s.fetch(ctx, staging)
	if err != nil {
		return err
	}
	if err := (xla.Plugin{Name: target.Name, Path: file}).Check(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return os.Rename(file, target.Path)
}

// lock keeps others from installing into the same folder, and clears away
// what a killed one has left there.
func lock(ctx context.Context, dir string, progress func(string)) (unlock func(), err error) {
	l := flock.New(filepath.Join(dir, ".lock"))
	locked, err := l.TryLock()
	if err == nil && !locked {
		progress("waiting for another installation")
		_, err = l.TryLockContext(ctx, 200*time.Millisecond)
	}
	if err != nil {
		return nil, fmt.Errorf("plugin: %s: %w", l.Path(), err)
	}
	leftovers, err := filepath.Glob(filepath.Join(dir, stagingName+"*"))
	for _, path := range leftovers {
		err = errors.Join(err, os.RemoveAll(path))
	}
	if err != nil {
		l.Unlock()
		return nil, fmt.Errorf("plugin: what an earlier run left cannot be removed: %w", err)
	}
	return func() { l.Unlock() }, nil
}

// platform names this machine as Go does.
const platform = runtime.GOOS + "/" + runtime.GOARCH

// onlyLinuxAMD64 refuses other machines, for which there is no wheel.
func onlyLinuxAMD64(wheel string) error {
	if platform != "linux/amd64" {
		return fmt.Errorf("%s is only for linux/amd64, this machine is %s", wheel, platform)
	}
	return nil
}

// oneFile returns the only file that matches a pattern, following links.
func oneFile(pattern string) (string, error) {
	files, err := filepath.Glob(pattern)
	if err != nil {
		return "", err
	}
	if len(files) != 1 {
		return "", fmt.Errorf("there is no file %s, or several: %s", filepath.Base(pattern), strings.Join(files, ", "))
	}
	return filepath.EvalSymlinks(files[0])
}
