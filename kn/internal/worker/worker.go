// Package worker keeps a process warm that serves computations over a Unix
// socket. Every notebook cell is a fresh process; what is slow to get ready
// and quick to use, a large model's weights and compiled graphs, lives in one
// worker process per kernel and key. The first cell that needs it starts it,
// later cells reach it, and it leaves when the kernel ends or when it has had
// nothing to do for a while.
//
// The client ([Dial], [Client.Call]) names a program; that program is started
// in a session of its own, so that an interrupted cell does not take it
// along, and calls [Serve] with [FromEnvironment]'s options. Requests and
// responses are encoded by encoding/gob, which drops zero fields and empty
// slices, and takes 4 ms for the 67,000 numbers of a large attribution.
//
// Whoever may open the socket may use the worker. What protects it is the
// folder it is in, which only its owner may enter.
package worker

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Spec says which worker is wanted.
type Spec struct {
	Program string   // the program to start as worker, which calls [Serve]; looked up in PATH if it has no slash
	Args    []string // its arguments. Paths in them must be absolute: the worker outlives the client
	Key     string   // digest of all that decides the worker's results (model, backend, version); another key is another worker
	Kernel  int      // id of the process whose end is the worker's end; 0: none, the worker leaves when idle
	Need    uint64   // bytes of memory the worker will need; 0: memory is not checked

	// Log is told once of each noteworthy thing, such as "worker started".
	// Calls that run at the same time may call it at the same time. Nil: nobody is told.
	Log func(string)
}

// Options say where and how long [Serve] serves.
type Options struct {
	Socket string        // path of the socket to listen on, in a folder that only its owner may enter
	Kernel int           // id of the process whose end is the worker's end; 0: none
	Idle   time.Duration // leave after so long without a call; 0: 30 minutes

	lock int // file descriptor that keeps others from starting the same worker until this one serves; 0: none
}

const defaultIdle = 30 * time.Minute

// Handler computes one call's response. Calls on several connections run at
// the same time; the handler does its own locking. decode reads the request
// into a pointer. progress may be called from any goroutine until the handler
// returns, and never blocks: where a client is too slow, the oldest
// messages are left out. ctx ends when the client cancels or dies; a handler
// that then returns leaves the worker ready for the next call.
//
// The client sees the error's text, and context.Canceled and
// context.DeadlineExceeded by errors.Is. A panic is an error of that call; a
// panic in a goroutine that the handler started ends the worker.
type Handler func(ctx context.Context, method string, decode func(into any) error,
	progress func(done, total int, what string)) (response any, err error)

// The environment variables by which a client tells the program it starts
// what [Options] to serve with.
const (
	socketVar = "KN_WORKER_SOCKET"
	kernelVar = "KN_WORKER_KERNEL"
	lockVar   = "KN_WORKER_LOCK"
)

// FromEnvironment returns the options that a client has given this process,
// and false if no client started it.
func FromEnvironment() (Options, bool) {
	o := Options{Socket: os.Getenv(socketVar)}
	o.Kernel, _ = strconv.Atoi(os.Getenv(kernelVar))
	o.lock, _ = strconv.Atoi(os.Getenv(lockVar))
	return o, o.Socket != ""
}

// ErrUnavailable is what every error of this package is that says that no
// worker can do the work, as opposed to an error of the handler or of the
// caller's context: compute in process instead.
var ErrUnavailable = errors.New("no worker can be used")

// ErrMemory says that a worker was not started since there is too little
// memory for it. It is also ErrUnavailable.
var ErrMemory error = unavailable{errors.New("too little memory to start another process")}

// Died says that the worker ended during a call, and so did the one that was
// started in its place. It is also ErrUnavailable.
type Died struct {
	Method string // the call
	Pid    int    // the last worker's process id
	Status string // how it ended, such as "signal: killed"; empty where another process had started it
	Log    string // the last lines it printed
}

func (d *Died) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "worker: process %d ended during %q, as had the one before it", d.Pid, d.Method)
	if d.Status != "" {
		s.WriteString(": " + d.Status)
	}
	if d.Log != "" {
		s.WriteString("; it had printed:\n" + d.Log)
	}
	return s.String()
}

// Is makes a Died an [ErrUnavailable].
func (d *Died) Is(target error) bool { return target == ErrUnavailable }

// unavailable is an error with a text of its own that is ErrUnavailable, too.
type unavailable struct{ error }

func unavailablef(format string, args ...any) error {
	return unavailable{fmt.Errorf("worker: "+format, args...)}
}

func (u unavailable) Is(target error) bool { return target == ErrUnavailable }
func (u unavailable) Unwrap() error        { return u.error }
