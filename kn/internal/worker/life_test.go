//go:build linux || darwin

package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestKilledBeforeACall(t *testing.T) {
	var told []string
	spec := setUp(t)
	spec.Log = func(s string) { told = append(told, s) }
	c := dial(t, spec)
	before := pid(t, c)
	must(t, syscall.Kill(before, syscall.SIGKILL))
	ends(t, before)
	if _, err := os.Stat(c.socket); err != nil {
		t.Fatal("there is no stale socket to get over")
	}
	if after := pid(t, c); after == before || started() != 2 {
		t.Errorf("workers %d and %d, %d started", before, after, started())
	}
	if len(told) != 2 || !strings.Contains(told[1], "worker started") {
		t.Errorf("told %q", told)
	}
}

func TestDiesOnceDuringACall(t *testing.T) {
	var told []string
	spec := setUp(t)
	spec.Log = func(s string) { told = append(told, s) }
	file := filepath.Join(t.TempDir(), "file")
	if got := call(t, dial(t, spec), "die once", file); got != "done" || started() != 2 {
		t.Errorf("got %q from %d workers", got, started())
	}
	if len(told) != 3 || !strings.Contains(told[1], `ended during "die once"`) {
		t.Errorf("told %q", told)
	}
}

func TestDiesTwiceDuringACall(t *testing.T) {
	spec := setUp(t)
	c := dial(t, spec)
	err := c.Call(timeout(t), "die always", filepath.Join(t.TempDir(), "file"), Events{})
	var died *Died
	if !errors.As(err, &died) || !errors.Is(err, ErrUnavailable) || started() != 2 {
		t.Fatalf("%v, %d workers started", err, started())
	}
	contains(t, err, `"die always"`, "exit status 3", "the accelerator has caught fire", fmt.Sprint(died.Pid))
	if call(t, c, "echo", "again") != "again" {
		t.Error("no worker afterwards")
	}
}

// The worker is killed by others, and was started by another process, so
// that there is no exit status.
func TestKilledTwiceDuringACall(t *testing.T) {
	spec := setUp(t)
	must(t, clientCommand(t, spec, "print", "something is odd").Run())
	c := dial(t, spec)
	file := filepath.Join(t.TempDir(), "file")
	go func() {
		for victim := range 2 {
			for len(lines(file)) <= victim {
				time.Sleep(time.Millisecond)
			}
			pids := lines(os.Getenv(startsVar))
			var pid int
			fmt.Sscan(pids[len(pids)-1], &pid)
			syscall.Kill(pid, syscall.SIGKILL)
		}
	}()
	err := c.Call(timeout(t), "block", file, Events{})
	var died *Died
	if !errors.As(err, &died) || died.Status != "signal: killed" || started() != 2 {
		t.Errorf("%v, %d workers started", err, started())
	}
}

func TestCannotStart(t *testing.T) {
	spec := setUp(t)
	defer func(d time.Duration) { startLimit = d }(startLimit)
	text := filepath.Join(t.TempDir(), "text")
	must(t, os.WriteFile(text, []byte("no program"), 0o700))
	for name, test := range map[string]struct {
		program string
		args    []string
		want    []string
	}{
		"missing":        {"/nowhere/kn", nil, []string{"/nowhere/kn"}},
		"not in PATH":    {"no-such-program-as-this", nil, []string{"no-such-program-as-this"}},
		"a folder":       {t.TempDir(), nil, []string{"program to start"}},
		"not executable": {text, nil, []string{"cannot be started"}},
		"exits at once":  {spec.Program, []string{"quiet"}, []string{"ended before it served", "exit status 0"}},
		"complains":      {spec.Program, []string{"complain"}, []string{"exit status 7", "the model is upside down"}},
		"never serves":   {spec.Program, []string{"hang"}, []string{"does not serve", "let me think"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := spec
			s.Program, s.Args = test.program, test.args
			startLimit = time.Hour
			if name == "never serves" {
				startLimit = time.Second
			}
			_, err := Dial(timeout(t), s)
			contains(t, err, test.want...)
			if !errors.Is(err, ErrUnavailable) {
				t.Errorf("%v is not ErrUnavailable", err)
			}
		})
	}
	startLimit = time.Hour
	if call(t, dial(t, spec), "echo", "now") != "now" {
		t.Error("no worker afterwards")
	}
	t.Run("cancelled", func(t *testing.T) {
		s := spec
		s.Key, s.Args = "another", []string{"hang"}
		ctx, cancel := context.WithCancel(timeout(t))
		before := started()
		go func() {
			for started() == before {
				time.Sleep(time.Millisecond)
			}
			cancel()
		}()
		if _, err := Dial(ctx, s); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// A cell that is killed while its worker gets ready must not make the next
// one start a second worker.
func TestClientKilledWhileStarting(t *testing.T) {
	spec := setUp(t)
	ready := filepath.Join(t.TempDir(), "ready")
	t.Setenv(waitVar, ready)
	first := clientCommand(t, spec, "echo", "first")
	must(t, first.Start())
	for started() == 0 {
		time.Sleep(time.Millisecond)
	}
	must(t, first.Process.Kill())
	first.Wait()

	second := clientCommand(t, spec, "echo", "second")
	var out strings.Builder
	second.Stdout = &out
	must(t, second.Start())
	time.Sleep(50 * time.Millisecond) // gives it the time for a mistake
	appendLine(ready, "ready")
	if err := second.Wait(); err != nil || out.String() != "second" || started() != 1 {
		t.Errorf("%q, %v, %d workers started", out.String(), err, started())
	}
}

func TestWorkerDoesNotDial(t *testing.T) {
	spec := setUp(t)
	t.Setenv(socketVar, "/somewhere")
	if _, err := Dial(timeout(t), spec); !errors.Is(err, ErrUnavailable) {
		t.Errorf("%v", err)
	}
}

func TestEndsWithTheKernel(t *testing.T) {
	for _, method := range []string{"idle", "block", "stuck"} {
		for _, killed := range []bool{true, false} {
			t.Run(fmt.Sprintf("%s killed=%v", method, killed), func(t *testing.T) {
				spec := setUp(t)
				kernel := startKernel(t)
				spec.Kernel = kernel.Process.Pid
				c := dial(t, spec)
				worker := pid(t, c)
				ctx, cancel := context.WithCancel(timeout(t))
				defer cancel()
				returned := make(chan error, 1)
				if method == "idle" {
					returned <- nil
				} else {
					file := filepath.Join(t.TempDir(), "file")
					go func() { returned <- c.Call(ctx, method, file, Events{}) }()
					appears(t, file, "started")
				}
				start := time.Now()
				if killed {
					must(t, kernel.Process.Kill())
				} else {
					go kernel.Process.Wait() // as its parent does
					must(t, kernel.Process.Signal(syscall.SIGTERM))
				}
				ends(t, worker)
				if d := time.Since(start); d > 5*time.Second { // two, and some for a busy machine
					t.Errorf("it took %v", d)
				}
				if err := <-returned; method != "idle" && !errors.Is(err, ErrUnavailable) {
					t.Errorf("the call returned %v", err)
				}
			})
		}
	}
}

// TestEndsWithTheLastKernel: a worker lives as long as one of the kernels that
// have used it.
func TestEndsWithTheLastKernel(t *testing.T) {
	spec := setUp(t)
	others := make([]*exec.Cmd, 3)
	c := dial(t, spec)
	worker := pid(t, c)
	for i := range others {
		others[i] = startKernel(t)
		other := spec
		other.Kernel = others[i].Process.Pid
		if now := pid(t, dial(t, other)); now != worker {
			t.Errorf("kernel %d has worker %d, not %d", i, now, worker)
		}
	}
	must(t, syscall.Kill(spec.Kernel, syscall.SIGKILL)) // for which it was started
	must(t, others[1].Process.Kill())
	must(t, others[0].Process.Kill())
	for _, pid := range []int{spec.Kernel, others[1].Process.Pid, others[0].Process.Pid} {
		ends(t, pid)
	}
	other := spec
	other.Kernel = others[2].Process.Pid
	time.Sleep(2 * look) // for a mistake
	if now := pid(t, dial(t, other)); now != worker {
		t.Errorf("it is %d after the ends of other kernels, not %d", now, worker)
	}
	must(t, others[2].Process.Kill())
	ends(t, worker)
	if started() != 1 {
		t.Errorf("%d workers were started", started())
	}
}

// TestOutlivesKernels: a client without a kernel keeps the worker until it
// is idle.
func TestOutlivesKernels(t *testing.T) {
	spec := setUp(t)
	t.Setenv(idleVar, "5s")
	worker := pid(t, dial(t, spec))
	none := spec
	none.Kernel = 0
	c := dial(t, none)
	if now := pid(t, c); now != worker {
		t.Errorf("workers %d and %d", worker, now)
	}
	must(t, syscall.Kill(spec.Kernel, syscall.SIGKILL))
	ends(t, spec.Kernel)
	time.Sleep(2 * look)
	if now := pid(t, c); now != worker {
		t.Errorf("worker %d has ended with a kernel, and %d was started", worker, now)
	}
	ends(t, worker)
}

func TestIdle(t *testing.T) {
	spec := setUp(t)
	t.Setenv(idleVar, "1s") // on a busy machine a call can be this late
	c := dial(t, spec)
	during := call(t, c, "pause", "3s") // three times as long: a call is not idleness
	if started() != 1 {
		t.Errorf("%d workers for one call", started())
	}
	var pid int
	fmt.Sscan(during, &pid)
	ends(t, pid)
	for _, path := range []string{c.socket, logPath(c.socket), lockPath(c.socket)} {
		if _, err := os.Stat(path); !os.IsNotExist(err) {
			t.Errorf("%s was left behind", filepath.Base(path))
		}
	}
	if call(t, c, "echo", "again") != "again" || started() != 2 {
		t.Error("no new worker after the idle one has left")
	}
}

func TestInterruptDoesNotReachTheWorker(t *testing.T) {
	spec := setUp(t)
	file := filepath.Join(t.TempDir(), "file")
	cell := clientCommand(t, spec, "block", file)
	cell.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	must(t, cell.Start())
	appears(t, file, "started")
	must(t, syscall.Kill(-cell.Process.Pid, syscall.SIGINT))
	if err := cell.Wait(); err == nil {
		t.Error("the cell was not interrupted")
	}
	appears(t, file, "cancelled")
	if call(t, dial(t, spec), "echo", "alive") != "alive" || started() != 1 {
		t.Errorf("%d workers started", started())
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	dir, err := os.MkdirTemp("/tmp", "knw")
	must(t, err)
	defer os.RemoveAll(dir)
	o := Options{Socket: filepath.Join(dir, "s.sock")}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error)
	go func() { served <- Serve(ctx, o, answer) }()
	for l, err := reach(ctx, o.Socket); ; l, err = reach(ctx, o.Socket) {
		if err == nil {
			l.Close()
			break
		}
		time.Sleep(time.Millisecond)
	}
	contains(t, Serve(ctx, o, answer), "another worker may serve there")
	cancel()
	must(t, <-served)
}

func TestLogIsBounded(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR|os.O_APPEND, 0o600)
	must(t, err)
	defer file.Close()
	line := strings.Repeat("x", 99) + "\n"
	for range maxLog/100 + 1 {
		file.WriteString(line)
	}
	file.WriteString("the end\n")
	shorten(file)
	file.WriteString("and on\n")
	data, err := os.ReadFile(path)
	must(t, err)
	if len(data) != keptLog+len("and on\n") || !strings.HasSuffix(string(data), line+"the end\nand on\n") {
		t.Errorf("%d bytes, the last %q", len(data), data[max(0, len(data)-40):])
	}
	if tail := strings.Split(logTail(path), "\n"); len(tail) != tailLines || tail[tailLines-1] != "and on" {
		t.Errorf("tail %q", tail)
	}
}
