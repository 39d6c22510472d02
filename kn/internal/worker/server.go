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

// Serve answers calls until the kernel ends, the worker has been idle for
// o.Idle or was asked to leave while idle, or ctx ends; then it returns nil.
// It should be called before anything slow, such as reading weights: a client
// that starts the worker waits until it serves.
//
// A call that does not heed its context may still be running a second after
// the kernel's end, when Serve returns: the program must then end.
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
	s := &server{ctx: ctx, idle: cmp.Or(o.Idle, defaultIdle), handler: handler, listener: listener, log: logPath(o.Socket)}
	s.mu.Lock() // the timer may fire before it is known
	s.timer = time.AfterFunc(s.idle, s.timeout)
	s.mu.Unlock()
	defer s.timer.Stop()
	go keepShort(ctx, s.log)

	if o.Kernel != 0 {
		go func() {
			if watch(ctx, o.Kernel) == nil {
				cancel()
			}
		}()
	}
	context.AfterFunc(ctx, s.stop)
	s.accept()
	cancel()
	s.wait()
	return nil
}

type server struct {
	ctx      context.Context // ends with the worker
	idle     time.Duration
	handler  Handler
	listener net.Listener
	log      string

	mu      sync.Mutex
	open    int // connections
	leaving bool
	timer   *time.Timer // runs while open is 0

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
		if method, progress, body, ok := parseRequest(payload); ok {
			s.call(conn, method, progress, body)
		}
	}
}

func (s *server) call(conn net.Conn, method string, wantsProgress bool, body []byte) {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	go func() { // the client sends nothing more: a read ends when it is gone
		conn.Read(make([]byte, 1))
		cancel()
	}()

	updates := newUpdates(conn, wantsProgress)
	response, err := s.run(ctx, method, body, updates.add)
	updates.finish()
	if s.ctx.Err() != nil {
		return // the worker ends, which is not the call's fault: the client may try again
	}
	var data []byte
	if err == nil {
		if data, err = encode(response); err != nil {
			err = fmt.Errorf("worker: encoding the response of %q: %w", method, err)
		}
	}
	if err != nil {
		writeFrame(conn, frameError, errorPayload(err))
		return
	}
	if err := writeFrame(conn, frameResponse, data); err != nil && len(data) > maxFrame {
		writeFrame(conn, frameError, errorPayload(err))
	}
}

// run calls the handler and makes its panic an error.
func (s *server) run(ctx context.Context, method string, body []byte, progress func(int, int, string)) (response any, err error) {
	defer func() {
		if p := recover(); p != nil {
			fmt.Fprintf(os.Stderr, "worker: %s: panic: %v\n%s", method, p, debug.Stack())
			response, err = nil, fmt.Errorf("worker: %s: panic: %v", method, p)
		}
	}()
	into := func(into any) error {
		if err := decode(body, into); err != nil {
			return fmt.Errorf("worker: decoding the request of %q: %w", method, err)
		}
		return nil
	}
	return s.handler(ctx, method, into, progress)
}

// updates carries progress to the client without ever making the handler wait.
type updates struct {
	mu     sync.Mutex
	queue  chan []byte // nil: nobody wants any
	closed bool
	sent   chan struct{} // closed when all is written
}

func newUpdates(w io.Writer, wanted bool) *updates {
	u := &updates{sent: make(chan struct{})}
	if !wanted {
		close(u.sent)
		return u
	}
	u.queue = make(chan []byte, 1024)
	go func() {
		defer close(u.sent)
		for p := range u.queue {
			writeFrame(w, frameProgress, p) // a client that is gone is noticed elsewhere
		}
	}()
	return u
}

func (u *updates) add(done, total int, what string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.queue == nil || u.closed {
		return
	}
	for p := progressPayload(done, total, what); ; {
		select {
		case u.queue <- p:
			return
		default:
		}
		select {
		case <-u.queue: // full: the oldest goes
		default:
		}
	}
}

// finish returns when all is written; what is added later is ignored.
func (u *updates) finish() {
	u.mu.Lock()
	if u.queue != nil && !u.closed {
		close(u.queue)
	}
	u.closed = true
	u.mu.Unlock()
	<-u.sent
}

const (
	maxLog   = 1 << 20  // bytes; a log that has grown longer
	keptLog  = 64 << 10 // keeps only its end
	logCheck = 2 * time.Second
)

// keepShort bounds the log that a worker's output goes to.
func keepShort(ctx context.Context, path string) {
	if !isFile(os.Stderr, path) {
		return
	}
	tick := time.NewTicker(logCheck)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			shorten(os.Stderr)
		}
	}
}

// shorten cuts a file down to its end. The file must be open for reading and
// appending; other writers' lines may get lost in that moment.
func shorten(file *os.File) {
	info, err := file.Stat()
	if err != nil || info.Size() <= maxLog {
		return
	}
	end := make([]byte, keptLog)
	if _, err := file.ReadAt(end, info.Size()-keptLog); err != nil || file.Truncate(0) != nil {
		return
	}
	file.Write(end)
}
