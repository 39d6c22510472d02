//go:build linux || darwin

package worker

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

func TestCall(t *testing.T) {
	c := dial(t, setUp(t))
	if got := call(t, c, "echo", "hello"); got != "hello" {
		t.Errorf("got %q", got)
	}
	must(t, c.Call(timeout(t), "nothing", nil, Events{}))
	must(t, c.Call(timeout(t), "echo", "not wanted", Events{}))

	var got floats
	must(t, c.Call(timeout(t), "floats", nil, into(&got)))
	if !reflect.DeepEqual(got, someFloats) {
		t.Error("the floats have changed on their way")
	}
}

// closing is a connection whose other side closes once it has all it waits for.
type closing struct{ left int }

func (c *closing) Write(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, syscall.EPIPE
	}
	c.left -= len(p)
	return len(p), nil
}

// TestFrameEndsWithItsLastByte: a worker that answers at once may have closed
// the connection before the client writes again.
func TestFrameEndsWithItsLastByte(t *testing.T) {
	head := request{method: "nothing"}.head()
	must(t, writeFrame(&closing{9 + len(head)}, frameRequest, head, nil))
}

func TestCallErrors(t *testing.T) {
	c := dial(t, setUp(t))
	before := pid(t, c)
	tests := []struct {
		name    string
		method  string
		request any
		events  Events
		want    string
		is      error
	}{
		{"handler", "fail", "no [MASK] in the prompt", Events{}, "no [MASK] in the prompt", nil},
		{"canceled", "canceled", "", Events{}, "layer 3: context canceled", context.Canceled},
		{"deadline", "deadline", "", Events{}, "layer 4: context deadline exceeded", context.DeadlineExceeded},
		{"panic", "panic", "3 and 4", Events{}, "shapes do not match: 3 and 4", nil},
		{"request of another type", "echo", 3, Events{}, "decoding the request", nil},
		{"request that gob cannot encode", "echo", func() {}, Events{}, "encoding the request", nil},
		{"nil request", "echo", (*string)(nil), Events{}, "encoding the request", nil},
		{"item of another type", "echo", "a", into(new(int)), `decoding an item of "echo"`, nil},
		{"item that gob cannot encode", "function", "", Events{}, "encoding an item", nil},
		{"nil item", "nil pointer", "", Events{}, "encoding an item", nil},
		{"long method", strings.Repeat("m", 1<<17), "", Events{}, "too long", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := c.Call(timeout(t), test.method, test.request, test.events)
			contains(t, err, test.want)
			for _, sentinel := range []error{context.Canceled, context.DeadlineExceeded, ErrUnavailable} {
				if errors.Is(err, sentinel) != (sentinel == test.is) {
					t.Errorf("errors.Is(%v, %v) is %v", err, sentinel, sentinel != test.is)
				}
			}
		})
	}
	if pid(t, c) != before {
		t.Error("an error has ended the worker")
	}
}

func TestProgressArrivesWhileComputing(t *testing.T) {
	c := dial(t, setUp(t))
	file := filepath.Join(t.TempDir(), "seen")
	var steps []float64
	err := c.Call(timeout(t), "steps", file, Events{Progress: func(share float64) {
		if share == 0 {
			appendLine(file, "first") // the handler waits for it
		}
		steps = append(steps, share)
	}})
	must(t, err)
	for i, step := range steps {
		if step != float64(i)/1000 {
			t.Fatalf("step %v came as number %d", step, i)
		}
	}
	if len(steps) != 1001 {
		t.Errorf("%d steps", len(steps))
	}
}

func TestSlowClientDoesNotStopTheHandler(t *testing.T) {
	c := dial(t, setUp(t))
	previous := 0.0
	must(t, c.Call(timeout(t), "flood", "", Events{Progress: func(share float64) {
		if share <= previous {
			t.Errorf("%v after %v", share, previous)
		}
		if previous == 0 {
			time.Sleep(50 * time.Millisecond) // let the queue overflow
		}
		previous = share
	}}))
	if previous != 1 {
		t.Errorf("the last progress was %v", previous)
	}
}

func TestCancel(t *testing.T) {
	spec := setUp(t)
	c := dial(t, spec)
	before := pid(t, c)
	inProcess := func(with func(context.Context) (context.Context, context.CancelFunc), want error) func(*testing.T, string) {
		return func(t *testing.T, file string) {
			ctx, cancel := with(timeout(t))
			defer cancel()
			go func() { appears(t, file, "started"); cancel() }()
			if err := c.Call(ctx, "block", file, Events{}); !errors.Is(err, want) {
				t.Errorf("error %v, want %v", err, want)
			}
		}
	}
	soon := func(ctx context.Context) (context.Context, context.CancelFunc) {
		ctx, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
		t.Cleanup(cancel)
		return ctx, func() {}
	}
	for name, end := range map[string]func(*testing.T, string){
		"cancelled":   inProcess(context.WithCancel, context.Canceled),
		"out of time": inProcess(soon, context.DeadlineExceeded),
		"client killed": func(t *testing.T, file string) {
			client := clientCommand(t, spec, "block", file)
			must(t, client.Start())
			appears(t, file, "started")
			must(t, client.Process.Kill())
			client.Wait()
		},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "file")
			end(t, file)
			appears(t, file, "cancelled")
			if pid(t, c) != before {
				t.Error("the worker has ended")
			}
		})
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Call(ctx, "echo", "", Events{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
	if _, err := Dial(ctx, spec); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before Dial: %v", err)
	}
}

func TestCallsRunAtTheSameTime(t *testing.T) {
	spec := setUp(t)
	one, other := dial(t, spec), dial(t, spec)
	var calls sync.WaitGroup
	for _, c := range []*Client{one, other} {
		calls.Go(func() {
			if err := c.Call(timeout(t), "meet", "", Events{}); err != nil {
				t.Error(err)
			}
		})
	}
	calls.Wait()
}

func TestOneWorkerForAllWhoStartIt(t *testing.T) {
	spec := setUp(t)
	var mu sync.Mutex
	seen := map[string]int{}
	var clients sync.WaitGroup
	for range 4 {
		clients.Go(func() {
			answer, err := clientCommand(t, spec, "pid", "").CombinedOutput()
			if err != nil {
				t.Errorf("%v: %s", err, answer)
			}
			mu.Lock()
			defer mu.Unlock()
			seen[string(answer)]++
		})
		clients.Go(func() {
			c, err := Dial(timeout(t), spec)
			var answer string
			if err == nil {
				err = c.Call(timeout(t), "pid", "", into(&answer))
			}
			if err != nil {
				t.Error(err)
			}
			mu.Lock()
			defer mu.Unlock()
			seen[answer]++
		})
	}
	clients.Wait()
	if len(seen) != 1 || started() != 1 {
		t.Errorf("%d workers were started, and these answered: %v", started(), seen)
	}
}

func TestOneWorkerPerKey(t *testing.T) {
	spec := setUp(t)
	otherKey, otherKernel := spec, spec
	otherKey.Key = "the model after training"
	otherKernel.Kernel = startKernel(t).Process.Pid
	pids := map[int]bool{}
	for _, s := range []Spec{spec, otherKey, otherKernel, spec} {
		pids[pid(t, dial(t, s))] = true
	}
	if len(pids) != 2 || started() != 2 {
		t.Errorf("workers %v, %d started; want 2", pids, started())
	}
	for _, s := range []Spec{spec, otherKernel} {
		if told := call(t, dial(t, s), "kernel", ""); told != strconv.Itoa(s.Kernel) {
			t.Errorf("the handler is told of kernel %s, want %d", told, s.Kernel)
		}
	}
}

// A cell's output counts as complete when its pipe is closed, so a worker
// must not keep it.
func TestWorkerKeepsNoPipe(t *testing.T) {
	spec := setUp(t)
	cmd := clientCommand(t, spec, "echo", "hello")
	cmd.WaitDelay = 20 * time.Second
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrWaitDelay) || err != nil || string(out) != "hello" {
		t.Errorf("%q, %v", out, err)
	}
}
