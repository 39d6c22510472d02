//go:build linux || darwin

package worker

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Client reaches the worker of one [Spec]. It may be used by several
// goroutines; each call has a connection of its own.
type Client struct {
	spec   Spec
	socket string

	mu       sync.Mutex
	children map[int]*child // workers that this process has started, by process id
}

// Dial finds the running worker that spec describes, or starts it, and
// returns when it serves. Where that is impossible the error is
// [ErrUnavailable], and soon: a program that does not serve within half a
// minute is given up.
func Dial(ctx context.Context, spec Spec) (*Client, error) {
	if os.Getenv(socketVar) != "" {
		return nil, unavailablef("this process is a worker itself")
	}
	program, socket, err := place(&spec)
	if err != nil {
		return nil, err
	}
	spec.Program = program
	c := &Client{spec: spec, socket: socket, children: map[int]*child{}}
	link, err := c.connect(ctx)
	if err != nil {
		return nil, err
	}
	return c, link.Close()
}

// lives is how many workers a call may take before it is given up.
const lives = 2

// Call has the worker compute: request is what encoding/gob takes, or nil, and
// the results are the items that events is handed. When ctx ends the call ends
// at once with ctx's error, and the handler is told.
//
// A worker that has gone since is started again. One that dies during the
// call is replaced once if it has handed over no item yet. If that dies too,
// or if there were items, the error is a [*Died]: the caller knows which items
// it has, and can ask for the rest in another call. An error of events.Item is
// returned as it is. An error of the handler has its text, and is
// context.Canceled or context.DeadlineExceeded where the handler's was. All
// other errors are [ErrUnavailable].
func (c *Client) Call(ctx context.Context, method string, request any, events Events) error {
	if len(method) > 1<<10 {
		return fmt.Errorf("worker: a method's name of %d bytes is too long", len(method))
	}
	body, err := encode(request)
	if err != nil {
		return fmt.Errorf("worker: encoding the request of %q: %w", method, err)
	}
	for deaths := 1; ; deaths++ {
		link, err := c.connect(ctx)
		if err != nil {
			return err
		}
		items, err := c.send(ctx, link, method, body, events)
		link.Close()
		var lost lostError
		if !errors.As(err, &lost) {
			return err
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		died := c.inquest(ctx, method, link.pid)
		if died.Items = items; items > 0 || deaths == lives {
			return died
		}
		c.log(fmt.Sprintf("the worker (process %d) ended during %q, starting another one; %s", died.Pid, method, lost))
	}
}

func (c *Client) log(message string) {
	if c.spec.Log != nil {
		c.spec.Log(message)
	}
}

// lostError says that the connection broke, which a worker that lives does
// not do.
type lostError struct{ error }

// link is a connection to a worker that has said hello.
type link struct {
	net.Conn
	pid int
}

// send makes a call over a link, and counts the items that came. It does not
// wait for the handler once ctx has ended: closing the connection tells it.
func (c *Client) send(ctx context.Context, l *link, method string, body []byte, events Events) (items int, err error) {
	stop := context.AfterFunc(ctx, func() { l.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	lost := func(err error) error {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return lostError{err}
	}
	if ctx.Err() != nil {
		return 0, ctx.Err()
	}
	if _, err := l.Write([]byte{opCall}); err != nil {
		return 0, lost(err)
	}
	head := request{method, c.spec.Kernel, events.Progress != nil}.head()
	if err := writeFrame(l, frameRequest, head, body); err != nil {
		return 0, lost(err)
	}
	for {
		kind, payload, err := readFrame(l)
		if err != nil {
			return items, lost(err)
		}
		switch kind {
		case frameDone:
			return items, nil
		case frameError:
			return items, parseError(payload)
		case frameItem:
			items++
			if err := events.item(method, payload); err != nil {
				return items, err
			}
		case frameProgress:
			if share, ok := parseProgress(payload); ok && events.Progress != nil {
				events.Progress(share)
			}
		}
	}
}

// item hands an item over.
func (e Events) item(method string, payload []byte) error {
	if e.Item == nil {
		return nil
	}
	return e.Item(func(into any) error {
		if err := decode(payload, into); err != nil {
			return fmt.Errorf("worker: decoding an item of %q: %w", method, err)
		}
		return nil
	})
}

// absentError says that no worker serves at the socket, or that one is just
// leaving.
type absentError struct{ error }

// reach connects to the socket and hears the hello.
func reach(ctx context.Context, socket string) (*link, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", socket)
	switch {
	case ctx.Err() != nil:
		if err == nil {
			conn.Close()
		}
		return nil, ctx.Err()
	case errors.Is(err, os.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EAGAIN):
		return nil, absentError{err}
	case err != nil:
		return nil, unavailablef("%w", err)
	}
	conn.SetDeadline(time.Now().Add(answerLimit))
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	version, pid, err := readHello(conn)
	if !stop() {
		err = ctx.Err()
	}
	switch {
	case err == nil && version == protocol:
		conn.SetDeadline(time.Time{})
		return &link{conn, pid}, nil
	case err == nil:
		err = unavailablef("the worker at %s speaks version %d, this program version %d: install the newer one again", filepath.Base(socket), version, protocol)
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.Is(err, io.EOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		err = absentError{err}
	default:
		err = unavailablef("the worker at %s does not answer: %w", filepath.Base(socket), err)
	}
	conn.Close()
	return nil, err
}

// readHello reads byte by byte, since what follows the hello is another's.
func readHello(r io.Reader) (version, pid int, err error) {
	var line []byte
	var b [1]byte
	for len(line) < helloSize && b[0] != '\n' {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return 0, 0, err
		}
		line = append(line, b[0])
	}
	if _, err := fmt.Sscanf(string(line), helloFormat, &version, &pid); err != nil {
		return 0, 0, fmt.Errorf("it says %q", line)
	}
	return version, pid, nil
}
