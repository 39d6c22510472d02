// Package worker keeps a process warm that serves computations over a Unix
// socket. Every notebook cell is a fresh process; what is slow to get ready
// and quick to use, a large model's weights and compiled graphs, lives in one
// worker process per key, which all notebooks of a user share. The first cell
// that needs it starts it, later cells reach it. It ends when the kernels of
// all notebooks that have used it have ended, or when it has had nothing to do
// for a while.
//
// The client ([Dial], [Client.Call]) names a program; that program is started
// in a session of its own, so that an interrupted cell does not take it
// along, and calls [Serve] with [FromEnvironment]'s options. A call sends a
// request. While it runs it is told its progress, and is handed items, which are
// its results. Request and items are encoded by encoding/gob, which drops zero fields
// and empty slices, and takes 4 ms for the 67,000 numbers of a large attribution.
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
	Kernel  int      // process id of the notebook's kernel: the worker ends with the last kernel that has used it; 0: none, it leaves when idle
	Need    uint64   // bytes of memory the worker will need; 0: memory is not checked

	// Log is told once of each noteworthy thing, such as "worker started".
	// Calls that run at the same time may call it at the same time. Nil: nobody is told.
	Log func(string)
}

// Options say where and how long [Serve] serves.
type Options struct {
	Socket string        // path of the socket to listen on, in a folder that only its owner may enter
	Kernel int           // process id of the kernel that it is started for; 0: none
	Idle   time.Duration // leave after so long without a call; 0: 30 minutes

	lock int // file descriptor that keeps others from starting the same worker until this one serves; 0: none
}

const defaultIdle = 30 * time.Minute

// Events are what a client is told while its call runs. Its functions are
// called by the goroutine that calls; nil: it is not told.
type Events struct {
	// Progress is told the share of the call that is done. Messages may be left out.
	Progress func(share float64)
	// Item is handed what the handler emits, in order, all of it; decode reads
	// it into a pointer. An error ends the call and is what the call returns.
	Item func(decode func(into any) error) error
}

// Call is a call as its handler sees it. Its functions may be called until
// the handler returns.
type Call struct {
	Method string
	Kernel int // the client's, as in its [Spec]

	// Decode reads the request into a pointer.
	Decode func(into any) error
	// Progress tells the client the share of the call that is done. It may be
	// called from any goroutine, and never blocks: where a client is too slow,
	// the oldest messages are left out.
	Progress func(share float64)
	// Emit hands the client an item, and waits while the client is busy with
	// those before it. It may be called from any goroutine. An error says that
	// the client is gone, or that the item cannot be encoded.
	Emit func(item any) error
}

// Handler computes one call. Calls on several connections run at
// the same time; the handler does its own locking. ctx ends when the client
// cancels or dies; a handler that then returns leaves the worker ready for the
// next call.
//
// The client sees the error's text, and context.Canceled and
// context.DeadlineExceeded by errors.Is. A panic is an error of that call; a
// panic in a goroutine that the handler started ends the worker.
type Handler func(ctx context.Context, call Call) error

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

// Died says that a worker ended during a call. Either it had handed over some
// items, or it had handed over none and the worker before it had ended in the
// same way. It is also ErrUnavailable.
type Died struct {
	Method string // the call
	Items  int    // that it had handed over
	Pid    int    // the last worker's process id
	Status string // how it ended, such as "signal: killed"; empty where another process had started it
	Log    string // the last lines it printed
}

func (d *Died) Error() string {
	var s strings.Builder
	fmt.Fprintf(&s, "worker: process %d ended during %q", d.Pid, d.Method)
	if d.Items > 0 {
		fmt.Fprintf(&s, ", having handed over %d items", d.Items)
	} else {
		s.WriteString(", as had the one before it")
	}
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
