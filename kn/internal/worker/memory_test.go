//go:build linux || darwin

package worker

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"
)

// enough pretends that there is memory once a process has ended.
func enough(t *testing.T, pid int) {
	t.Cleanup(func() { available = availableMemory })
	available = func() (uint64, bool) {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		if alive(pid) && watch(ctx, pid) != nil {
			return 200e6, true
		}
		return 3e9, true
	}
}

func TestIdleWorkersMakeRoom(t *testing.T) {
	spec := setUp(t)
	leaves := pid(t, dial(t, spec))
	enough(t, leaves)

	large := spec
	large.Key, large.Need = "large", 2e9
	large.Kernel = startKernel(t).Process.Pid
	c := dial(t, large)
	ends(t, leaves)
	if call(t, c, "echo", "here") != "here" {
		t.Error("no worker in the room that was made")
	}
	if pid(t, dial(t, large)) == 0 || started() != 2 { // what runs needs no more memory
		t.Errorf("%d started", started())
	}
}

func TestTooLittleMemory(t *testing.T) {
	spec := setUp(t)
	c := dial(t, spec)
	busy := pid(t, c)
	ctx, cancel := context.WithCancel(timeout(t))
	defer cancel()
	file := filepath.Join(t.TempDir(), "file")
	returned := make(chan error)
	go func() { returned <- c.Call(ctx, "block", file, Events{}) }()
	appears(t, file, "started")
	enough(t, busy)

	large := spec
	large.Key, large.Need = "large", 2e9
	_, err := Dial(timeout(t), large)
	if !errors.Is(err, ErrMemory) || !errors.Is(err, ErrUnavailable) {
		t.Errorf("%v", err)
	}
	contains(t, err, "2000 MB", "200 MB")
	if !alive(busy) || started() != 1 {
		t.Error("a busy worker had to leave")
	}
	cancel()
	<-returned
}

func TestAvailableMemory(t *testing.T) {
	if bytes, known := availableMemory(); !known || bytes < 1e6 || bytes > 1e15 {
		t.Errorf("%d, %v", bytes, known)
	}
}
