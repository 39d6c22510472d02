//go:build linux || darwin

package worker

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"
)

// grace is how long calls may take to notice that the worker has to end.
const grace = time.Second

// haste is how long a worker that is asked to leave waits for its last
// connection to close, before it says no.
const haste = 100 * time.Millisecond

// Serve answers calls until the kernels of all clients have ended, the worker
// has been idle for o.Idle or was asked to leave while idle, or ctx ends; then
// it returns nil. A client without a kernel keeps it until it is idle. Serve
// should be called before anything slow, such as reading weights: a client that
// starts the worker waits until it serves.
//
// A call that does not heed its context may still be running a second after
// the last kernel's end, when Serve returns: the program must then end.
func Serve(ctx context.Context, o Options, handler Handler) error {
	listener, err := net.Listen("unix", o.Socket)
	if err != nil {
		return fmt.Errorf("worker: %w; another worker may serve there", err)
	}
	if o.lock != 0 {
		// Clients can reach this worker now; let others go on.
		if err := os.NewFile(uintptr(o.lock), "lock").Close(); err != nil {
			listener.Close()
			return fmt.Errorf("worker: %s: %w", lockVar, err)
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	s := &server{
		ctx: ctx, cancel: cancel, idle: cmp.Or(o.Idle, defaultIdle), handler: handler,
		listener: listener, log: logPath(o.Socket), kernels: map[int]bool{},
	}
	s.mu.Lock() // the timer may fire before it is known
	s.timer = time.AfterFunc(s.idle, s.timeout)
	s.mu.Unlock()
	defer s.timer.Stop()
	go keepShort(ctx, s.log)
	s.usedBy(o.Kernel)
	context.AfterFunc(ctx, s.stop)
	s.accept()
	cancel()
	s.wait()
	return nil
}

type server struct {
	ctx      context.Context // ends with the worker
	cancel   func()
	idle     time.Duration
	handler  Handler
	listener net.Listener
	log      string

	mu      sync.Mutex
	open    int // connections
	leaving bool
	timer   *time.Timer  // runs while open is 0
	kernels map[int]bool // that have used the worker and run

	calls    sync.WaitGroup
	stopOnce sync.Once
}

func (s *server) accept() {
	for {
		conn, err := s.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // out of file descriptors, say: it passes
			fmt.Fprintln(os.Stderr, "worker:", err)
			time.Sleep(50 * time.Millisecond)
		case !s.enter():
			conn.Close()
		default:
			go func() {
				defer s.leave()
				defer conn.Close()
				s.serve(conn)
			}()
		}
	}
}

// enter counts a connection, unless the worker is about to end.
func (s *server) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.leaving {
		return false
	}
	s.open++
	s.calls.Add(1)
	s.timer.Stop()
	return true
}

func (s *server) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open--
	s.calls.Done()
	if s.open == 0 && !s.leaving {
		s.timer.Reset(s.idle)
	}
}

// quit decides to end the worker if no more than others connections are open.
func (s *server) quit(others int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open > others {
		return false
	}
	s.leaving = true
	return true
}

// usedBy notes that a kernel uses the worker, and ends the worker when no such
// kernel is left. 0, for none, never ends.
func (s *server) usedBy(kernel int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.kernels[kernel] {
		return
	}
	s.kernels[kernel] = true
	if kernel == 0 {
		return
	}
	go func() {
		if watch(s.ctx, kernel) != nil {
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if delete(s.kernels, kernel); len(s.kernels) == 0 {
			s.cancel()
		}
	}()
}

func (s *server) timeout() {
	if s.quit(0) {
		s.stop()
	}
}

// stop lets nobody in any more. The log goes before the socket, and only
// once: when the socket is gone, another worker may write a log of that name.
func (s *server) stop() {
	s.mu.Lock()
	s.leaving = true
	s.mu.Unlock()
	s.stopOnce.Do(func() {
		os.Remove(s.log)
		s.listener.Close()
	})
}

// wait gives the calls in progress a moment to end.
func (s *server) wait() {
	done := make(chan struct{})
	go func() { s.calls.Wait(); close(done) }()
	select {
	case <-done:
	case <-time.After(grace):
	}
}

func (s *server) serve(conn net.Conn) {
	conn.SetDeadline(time.Now().Add(answerLimit))
	if _, err := fmt.Fprintf(conn, helloFormat, protocol, os.Getpid()); err != nil {
		return
	}
	var op [1]byte
	if _, err := io.ReadFull(conn, op[:]); err != nil {
		return
	}
	switch op[0] {
	case opLeave:
		// Who has just got a response, or only looked whether the worker is
		// there, may not be counted out yet.
		for start := time.Now(); !s.quit(1); time.Sleep(10 * time.Millisecond) {
			if time.Since(start) > haste {
				conn.Write([]byte{no})
				return
			}
		}
		conn.Write([]byte{yes})
		s.stop()
	case opCall:
		conn.SetDeadline(time.Time{})
		kind, payload, err := readFrame(conn)
		if err != nil || kind != frameRequest {
			return
		}
		if r, body, ok := parseRequest(payload); ok {
			s.usedBy(r.kernel)
			s.call(conn, r, body)
		}
	}
}

func (s *server) call(conn net.Conn, r request, body []byte) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	go func() { // the client sends nothing more: a read ends when it is gone
		conn.Read(make([]byte, 1))
		cancel()
	}()

	events := newStream(conn, r.progress)
	err := s.run(ctx, Call{
		Method: r.method, Kernel: r.kernel, Progress: events.progress, Emit: events.emit,
		Decode: func(into any) error {
			if err := decode(body, into); err != nil {
				return fmt.Errorf("worker: decoding the request of %q: %w", r.method, err)
			}
			return nil
		},
	})
	events.finish()
	if s.ctx.Err() != nil {
		return // the worker ends, which is not the call's fault: the client may try again
	}
	if err != nil {
		writeFrame(conn, frameError, errorPayload(err))
		return
	}
	writeFrame(conn, frameDone)
}

// run calls the handler and makes its panic an error.
func (s *server) run(ctx context.Context, c Call) (err error) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "worker: %s: panic: %v\n%s", c.Method, p, debug.Stack())
			err = fmt.Errorf("worker: %s: panic: %v", c.Method, p)
		}
	}()
	return s.handler(ctx, c)
}
