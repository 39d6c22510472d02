//go:build linux || darwin

package worker

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// The test binary is also the worker, the kernel whose end workers watch for,
// and a client in a process of its own.
const (
	roleVar   = "KN_TEST_ROLE"
	specVar   = "KN_TEST_SPEC"   // of the client
	startsVar = "KN_TEST_STARTS" // file with a line for each worker that was started
	idleVar   = "KN_TEST_IDLE"
	waitVar   = "KN_TEST_WAIT" // file that the worker waits for before it serves
)

func TestMain(m *testing.M) {
	if o, ok := FromEnvironment(); ok {
		os.Exit(beWorker(o))
	}
	switch os.Getenv(roleVar) {
	case "kernel":
		io.Copy(io.Discard, os.Stdin)
	case "client":
		os.Exit(beClient())
	default:
		os.Exit(m.Run())
	}
}

func beWorker(o Options) int {
	if starts := os.Getenv(startsVar); starts != "" { // not in an example
		appendLine(starts, strconv.Itoa(os.Getpid()))
	}
	switch strings.Join(os.Args[1:], " ") {
	case "quiet":
		return 0
	case "complain":
		fmt.Fprintln(os.Stderr, "the model is upside down")
		return 7
	case "hang":
		fmt.Println("let me think")
		select {}
	}
	for wait := os.Getenv(waitVar); wait != "" && lines(wait) == nil; {
		time.Sleep(time.Millisecond)
	}
	o.Idle, _ = time.ParseDuration(os.Getenv(idleVar))
	if err := Serve(context.Background(), o, answer); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// beClient makes one call, of the method and file in its arguments.
func beClient() int {
	var spec Spec
	if err := json.Unmarshal([]byte(os.Getenv(specVar)), &spec); err != nil {
		fmt.Println(err)
		return 1
	}
	client, err := Dial(context.Background(), spec)
	if err == nil {
		var answer string
		err = client.Call(context.Background(), os.Args[1], os.Args[2], into(&answer))
		fmt.Print(answer)
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// floats are as many as a distribution over the vocabulary and an
// attribution have at BERT-base size.
type floats struct {
	Distribution []float32
	Matrix       [][]float64
}

// item is what the fake engine emits.
type item struct {
	Number int
	Floats floats
}

const manyItems = 50

var (
	meeting sync.WaitGroup // of two calls
	once    sync.Once
)

// answer emits what handle returns, unless it is nil.
func answer(ctx context.Context, c Call) error {
	response, err := handle(ctx, c)
	if err != nil || response == nil {
		return err
	}
	return c.Emit(response)
}

// handle is the fake engine. A request is a string, mostly a file by which
// test and handler tell each other where they are.
func handle(ctx context.Context, c Call) (any, error) {
	if c.Method == "floats" {
		return someFloats, nil
	}
	var text string
	if err := c.Decode(&text); err != nil {
		return nil, err
	}
	switch c.Method {
	case "echo":
		return text, nil
	case "nothing":
		return nil, nil
	case "pid":
		return strconv.Itoa(os.Getpid()), nil
	case "kernel":
		return strconv.Itoa(c.Kernel), nil
	case "items": // many, with progress between them
		for i := range manyItems {
			if err := c.Emit(item{i, someFloats}); err != nil {
				return nil, err
			}
			c.Progress(float64(i+1) / manyItems)
		}
		return nil, nil
	case "item that gob cannot encode":
		return nil, c.Emit(func() {})
	case "items until the client is gone":
		for {
			if err := c.Emit(item{}); err != nil {
				appendLine(text, "gone")
				return nil, err
			}
		}
	case "items and death":
		for i := range 3 {
			if err := c.Emit(item{Number: i}); err != nil {
				return nil, err
			}
		}
		os.Exit(3)
	case "block": // until cancelled
		appendLine(text, "started")
		<-ctx.Done()
		appendLine(text, "cancelled")
		return nil, ctx.Err()
	case "stuck":
		appendLine(text, "started")
		select {}
	case "steps": // one progress now, many when the test has seen it
		c.Progress(0)
		for lines(text) == nil {
			time.Sleep(time.Millisecond)
		}
		for i := range 1000 {
			c.Progress(float64(i+1) / 1000)
		}
	case "flood": // more than the client takes
		for i := range 100_000 {
			c.Progress(float64(i+1) / 100_000)
		}
	case "fail":
		return nil, errors.New(text)
	case "canceled":
		return nil, fmt.Errorf("layer 3: %w", context.Canceled)
	case "deadline":
		return nil, fmt.Errorf("layer 4: %w", context.DeadlineExceeded)
	case "panic":
		panic("shapes do not match: " + text)
	case "nil pointer":
		return (*string)(nil), nil
	case "function":
		return func() {}, nil
	case "die once", "die always":
		appendLine(text, "called")
		if c.Method == "die always" || len(lines(text)) == 1 {
			fmt.Fprintln(os.Stderr, "the accelerator has caught fire")
			os.Exit(3)
		}
	case "meet": // ends only when two calls are here
		once.Do(func() { meeting.Add(2) })
		meeting.Done()
		meeting.Wait()
	case "pause":
		d, err := time.ParseDuration(text)
		time.Sleep(d)
		return strconv.Itoa(os.Getpid()), err
	case "print":
		fmt.Fprintln(os.Stderr, text)
	default:
		return nil, fmt.Errorf("no method %q", c.Method)
	}
	return "done", nil
}

var someFloats = func() floats {
	random := rand.New(rand.NewPCG(1, 1))
	f := floats{make([]float32, 30000), make([][]float64, 12)}
	for i := range f.Distribution {
		f.Distribution[i] = random.Float32()
	}
	for i := range f.Matrix {
		f.Matrix[i] = make([]float64, 3072)
		for j := range f.Matrix[i] {
			f.Matrix[i][j] = random.NormFloat64()
		}
	}
	return f
}()

// setUp makes a runtime folder and a kernel, and describes a worker. At the
// end the kernel is killed and every worker has to end.
func setUp(t testing.TB) Spec {
	t.Helper()
	// What is first asked for is removed last: a worker may write into the
	// test's own folder for as long as it lives.
	t.TempDir()
	dir, err := os.MkdirTemp("/tmp", "knw") // short: a socket's path must be
	must(t, err)
	t.Setenv("XDG_RUNTIME_DIR", dir)
	starts := filepath.Join(dir, "starts")
	t.Setenv(startsVar, starts)
	kernel := startKernel(t)
	t.Cleanup(func() {
		kernel.Process.Kill()
		for _, line := range lines(starts) {
			pid, _ := strconv.Atoi(line)
			ends(t, pid)
		}
		must(t, os.RemoveAll(dir))
	})
	program, err := os.Executable()
	must(t, err)
	return Spec{Program: program, Key: "model", Kernel: kernel.Process.Pid}
}

// startKernel starts a process that ends when its standard input does. Nobody
// waits for it before the test ends: workers must notice nonetheless.
func startKernel(t testing.TB) *exec.Cmd {
	t.Helper()
	program, err := os.Executable()
	must(t, err)
	kernel := exec.Command(program)
	kernel.Env = append(os.Environ(), roleVar+"=kernel")
	_, err = kernel.StdinPipe()
	must(t, err)
	must(t, kernel.Start())
	t.Cleanup(func() { kernel.Process.Kill(); kernel.Wait() })
	return kernel
}

// clientCommand prepares a client in a process of its own.
func clientCommand(t testing.TB, spec Spec, method, text string) *exec.Cmd {
	t.Helper()
	spec.Log = nil
	data, err := json.Marshal(struct {
		Program, Key string
		Kernel       int
	}{spec.Program, spec.Key, spec.Kernel})
	must(t, err)
	program, err := os.Executable()
	must(t, err)
	cmd := exec.Command(program, method, text)
	cmd.Env = append(os.Environ(), roleVar+"=client", specVar+"="+string(data))
	return cmd
}

func dial(t testing.TB, spec Spec) *Client {
	t.Helper()
	c, err := Dial(timeout(t), spec)
	must(t, err)
	return c
}

// into are events that read the one item of a call.
func into(answer any) Events {
	return Events{Item: func(decode func(any) error) error { return decode(answer) }}
}

// call makes a call that has to succeed.
func call(t testing.TB, c *Client, method, text string) string {
	t.Helper()
	var answer string
	must(t, c.Call(timeout(t), method, text, into(&answer)))
	return answer
}

func pid(t testing.TB, c *Client) int {
	t.Helper()
	n, err := strconv.Atoi(call(t, c, "pid", ""))
	must(t, err)
	return n
}

// timeout is only for tests that fail.
func timeout(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// ends waits for a process to end.
func ends(t testing.TB, pid int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if watch(ctx, pid) != nil {
		t.Errorf("process %d has not ended", pid)
	}
}

// appears waits for a line in a file.
func appears(t testing.TB, file, line string) {
	t.Helper()
	for start := time.Now(); !slices.Contains(lines(file), line); time.Sleep(time.Millisecond) {
		if time.Since(start) > 30*time.Second {
			t.Fatalf("%q does not appear in %v", line, lines(file))
		}
	}
}

func appendLine(path, line string) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		panic(err)
	}
	defer file.Close()
	if _, err := file.WriteString(line + "\n"); err != nil {
		panic(err)
	}
}

func lines(path string) []string {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return strings.Fields(string(data))
}

func started() int { return len(lines(os.Getenv(startsVar))) }

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func contains(t testing.TB, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v, want %q in it", err, part)
		}
	}
}
