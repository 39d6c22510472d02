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
	must(t, c.Call(timeout(t), "nothing", nil, nil, Events{}))
	must(t, c.Call(timeout(t), "echo", "not wanted", nil, Events{}))

	var got floats
	must(t, c.Call(timeout(t), "floats", nil, &got, Events{}))
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
		name     string
		method   string
		request  any
		response any
		want     string
		is       error
	}{
		{"handler", "fail", "no [MASK] in the prompt", nil, "no [MASK] in the prompt", nil},
		{"canceled", "canceled", "", nil, "layer 3: context canceled", context.Canceled},
		{"deadline", "deadline", "", nil, "layer 4: context deadline exceeded", context.DeadlineExceeded},
		{"panic", "panic", "3 and 4", nil, "shapes do not match: 3 and 4", nil},
		{"request of another type", "echo", 3, nil, "decoding the request", nil},
		{"request that gob cannot encode", "echo", func() {}, nil, "encoding the request", nil},
		{"nil request", "echo", (*string)(nil), nil, "encoding the request", nil},
		{"response of another type", "echo", "a", new(int), "decoding the response", nil},
		{"response that gob cannot encode", "function", "", nil, "encoding the response", nil},
		{"nil response", "nil pointer", "", nil, "encoding the response", nil},
		{"long method", strings.Repeat("m", 1<<17), "", nil, "too long", nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := c.Call(timeout(t), test.method, test.request, test.response, Events{})
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
	var steps []int
	var last string
	err := c.Call(timeout(t), "steps", file, nil, Events{Progress: func(done, total int, what string) {
		if total != 1000 {
			t.Errorf("total %d", total)
		}
		if what == "first" {
			appendLine(file, "first") // the handler waits for it
		}
		steps, last = append(steps, done), what
	}})
	must(t, err)
	for i, step := range steps {
		if step != i {
			t.Fatalf("step %d came as number %d", step, i)
		}
	}
	if len(steps) != 1001 || last != "step 1000" {
		t.Errorf("%d steps, the last %q", len(steps), last)
	}
}

func TestSlowClientDoesNotStopTheHandler(t *testing.T) {
	c := dial(t, setUp(t))
	previous := 0
	must(t, c.Call(timeout(t), "flood", "", nil, Events{Progress: func(done, _ int, _ string) {
		if done <= previous {
			t.Errorf("%d after %d", done, previous)
		}
		if previous == 0 {
			time.Sleep(50 * time.Millisecond) // let the queue overflow
		}
		previous = done
	}}))
	if previous != 100_000 {
		t.Errorf("the last progress was %d", previous)
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
			if err := c.Call(ctx, "block", file, nil, Events{}); !errors.Is(err, want) {
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
	if err := c.Call(ctx, "echo", "", nil, Events{}); !errors.Is(err, context.Canceled) {
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
			if err := c.Call(timeout(t), "meet", "", nil, Events{}); err != nil {
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
				err = c.Call(timeout(t), "pid", "", &answer, Events{})
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
