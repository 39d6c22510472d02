package electra

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// files are the contents of a folder, but for the record, in which times stand.
func files(t *testing.T, dir string) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		// What a killed process was writing has a dot in front.
		if err != nil || d.IsDir() || d.Name() == RecordFile || strings.HasPrefix(d.Name(), ".") {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		all[name], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// sameFiles fails unless two folders hold the same.
func sameFiles(t *testing.T, got, want map[string][]byte) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d files, want %d", len(got), len(want))
	}
	for name, data := range want {
		if !bytes.Equal(got[name], data) {
			t.Errorf("%s differs", name)
		}
	}
}

// same leaves out of a record what differs from run to run.
func same(r *Record) Record {
	s := *r
	s.Seconds, s.Config.Out, s.Config.Text, s.Config.SaveEvery = 0, "", "", 0
	s.Training, s.Measurements = nil, nil
	for _, p := range r.Training {
		p.Seconds = 0
		s.Training = append(s.Training, p)
	}
	for _, m := range r.Measurements {
		m.Seconds = 0
		s.Measurements = append(s.Measurements, m)
	}
	return s
}

// TestInterruptedTrainingGoesOn cancels a training again and again, and ends
// it at last with the bytes of one that was never interrupted.
func TestInterruptedTrainingGoesOn(t *testing.T) {
	whole := tiny(t, t.TempDir())
	want, err := Run(t.Context(), whole, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := whole
	c.Out = t.TempDir()
	for _, stopAt := range []int{1, 5, 6, 9} {
		ctx, cancel := context.WithCancel(t.Context())
		_, err := Run(ctx, c, func(p Progress) {
			if p.Step == stopAt {
				cancel()
			}
		})
		cancel()
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("a cancelled training gives %v", err)
		}
	}
	got, err := Run(t.Context(), c, func(p Progress) {
		if !p.Resumed || p.Step <= 9 || p.Generator == 0 || p.Discriminator == 0 || p.Measured == nil {
			t.Errorf("the training starts again, or says too little: %+v", p)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	sameFiles(t, files(t, c.Out), files(t, whole.Out))
	if !reflect.DeepEqual(same(got), same(want)) {
		t.Errorf("got the record %+v, want %+v", same(got), same(want))
	}
	read, err := ReadRecord(c.Out)
	if err != nil || !reflect.DeepEqual(same(read).Measurements, same(got).Measurements) || len(got.Measurements) != 4 {
		t.Errorf("the record that was written is %+v, %v", read, err)
	}
}

// The environment in which this test program is to train and nothing else.
const childEnv = "KN_TEST_ELECTRA"

func TestMain(m *testing.M) {
	if args := strings.Split(os.Getenv(childEnv), "\n"); len(args) == 3 {
		if _, err := Run(context.Background(), killed(tinyAt(args[0], args[1], args[2])), nil); err != nil {
			panic(err)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// killed is a training long enough to be killed in, that saves at every step.
func killed(c Config) Config {
	c.Steps, c.SaveEvery = 60, time.Nanosecond
	return c
}

// TestKilledTrainingGoesOn kills a process in the midst of its training.
func TestKilledTrainingGoesOn(t *testing.T) {
	whole := killed(tiny(t, t.TempDir()))
	if _, err := Run(t.Context(), whole, nil); err != nil {
		t.Fatal(err)
	}
	c := whole
	c.Out = t.TempDir()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childEnv+"="+strings.Join([]string{c.Model, c.Text, c.Out}, "\n"))
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		if _, err := os.Stat(c.statePath()); err == nil || time.Now().After(deadline) {
			break
		}
		time.Sleep(time.Millisecond)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := child.Wait(); err == nil {
		t.Fatal("the training ended before it was killed")
	}
	resumed := false
	if _, err := Run(t.Context(), c, func(p Progress) { resumed = p.Resumed }); err != nil {
		t.Fatal(err)
	}
	if !resumed {
		t.Error("the training did not go on from its saved state")
	}
	sameFiles(t, files(t, c.Out), files(t, whole.Out))
}

// TestForeignStateIsRefused: another configuration must not go on from a state.
func TestForeignStateIsRefused(t *testing.T) {
	c := tiny(t, t.TempDir())
	ctx, cancel := context.WithCancel(t.Context())
	stop := func(p Progress) {
		if p.Step > 0 {
			cancel()
		}
	}
	if _, err := Run(ctx, c, stop); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	c.Gamma = 2
	if _, err := Run(t.Context(), c, nil); err == nil || !strings.Contains(err.Error(), "another configuration") {
		t.Errorf("got %v", err)
	}
}
