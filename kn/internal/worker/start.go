//go:build linux || darwin

package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// startLimit is how long a program may take to serve; the tests shorten it.
var startLimit = 30 * time.Second

// connect reaches the worker. Where there is none, whoever gets the lock
// first starts it, and the others wait.
func (c *Client) connect(ctx context.Context) (*link, error) {
	var gone absentError
	started := time.Now()
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		l, err := reach(ctx, c.socket)
		if err == nil || !errors.As(err, &gone) {
			return l, err
		}
		lock, err := tryLock(lockPath(c.socket))
		if err != nil {
			return nil, unavailablef("%w", err)
		}
		if lock != nil {
			defer unlock(lock)
			return c.start(ctx, lock)
		}
		if time.Since(started) > 2*startLimit {
			return nil, unavailablef("another process has been starting the worker for %v", time.Since(started).Round(time.Second))
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// start starts the worker and returns when it serves. The lock is held, by
// this process and by the worker until it serves: if this process is killed,
// nobody starts a second worker meanwhile, and a socket that does not answer
// is a dead worker's.
func (c *Client) start(ctx context.Context, lock *os.File) (*link, error) {
	var gone absentError
	if l, err := reach(ctx, c.socket); err == nil || !errors.As(err, &gone) {
		return l, err // another process has just started it
	}
	sweep(c.socket)
	c.dismissOlder(ctx)
	if err := c.findMemory(ctx); err != nil {
		return nil, err
	}
	os.Remove(c.socket)
	worker, err := c.launch(lock)
	if err != nil {
		return nil, unavailablef("%s cannot be started: %w", c.spec.Program, err)
	}
	l, err := c.await(ctx, worker)
	if err != nil {
		worker.kill()
		return nil, err
	}
	c.log(fmt.Sprintf("worker started (process %d)", l.pid))
	return l, nil
}

// child is a worker that this process has started.
type child struct {
	process *os.Process
	ended   chan struct{} // closed when it has ended
	status  string        // how, then
}

// launch starts the program in a session of its own, so that neither
// Ctrl-C nor the end of the cell reaches it.
func (c *Client) launch(lock *os.File) (*child, error) {
	path := logPath(c.socket)
	os.Remove(path) // a worker that is just leaving may still write to the old one
	log, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(c.spec.Program, c.spec.Args...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.ExtraFiles = []*os.File{lock} // becomes descriptor 3
	cmd.Env = append(os.Environ(), socketVar+"="+c.socket, kernelVar+"="+strconv.Itoa(c.spec.Kernel), lockVar+"=3")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		os.Remove(path)
		return nil, err
	}
	w := &child{process: cmd.Process, ended: make(chan struct{})}
	go func() {
		w.status = "exit status 0"
		if err := cmd.Wait(); err != nil {
			w.status = err.Error()
		}
		close(w.ended)
	}()
	c.mu.Lock()
	c.children[cmd.Process.Pid] = w
	c.mu.Unlock()
	return w, nil
}

func (w *child) kill() {
	w.process.Kill()
	<-w.ended
}

// await returns when the worker serves.
func (c *Client) await(ctx context.Context, w *child) (*link, error) {
	var gone absentError
	limit := time.After(startLimit)
	for pause := time.Millisecond; ; pause = min(2*pause, 20*time.Millisecond) {
		ended := false
		select {
		case <-w.ended:
			ended = true
		case <-limit:
			return nil, unavailablef("%s does not serve after %v%s", c.spec.Program, startLimit, c.words())
		default:
		}
		l, err := reach(ctx, c.socket)
		if err == nil || !errors.As(err, &gone) {
			return l, err
		}
		if ended {
			return nil, unavailablef("%s ended before it served: %s%s", c.spec.Program, w.status, c.words())
		}
		if err := sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// words says what the worker has printed, to be put behind a sentence.
func (c *Client) words() string {
	tail := logTail(logPath(c.socket))
	if tail == "" {
		return ""
	}
	return "; it printed:\n" + tail
}

// exitLimit is how long a worker that has said farewell, or whose
// connections have broken, may take to free its memory.
const exitLimit = 5 * time.Second

// inquest finds out how a worker ended.
func (c *Client) inquest(ctx context.Context, method string, pid int) *Died {
	d := &Died{Method: method, Pid: pid, Log: logTail(logPath(c.socket))}
	c.mu.Lock()
	w := c.children[pid]
	delete(c.children, pid)
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, exitLimit)
	defer cancel()
	if w == nil {
		watch(ctx, pid)
		return d
	}
	select {
	case <-w.ended:
		d.Status = w.status
	case <-ctx.Done():
	}
	return d
}

const (
	tailLines = 10
	tailBytes = 2 << 10
)

// logTail returns the last lines of a log; no log has none.
func logTail(path string) string {
	file, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return ""
	}
	buffer := make([]byte, tailBytes)
	n, _ := file.ReadAt(buffer, max(0, info.Size()-tailBytes))
	lines := strings.Split(strings.TrimSpace(string(buffer[:n])), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
