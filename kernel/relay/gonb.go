package relay

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
)

// gonb is a running GoNB and the sockets to it.
type gonb struct {
	cmd                   *exec.Cmd
	dir                   string // of its sockets
	key                   []byte
	shell, control, stdin zmq4.Socket
	iopub                 zmq4.Socket
	sending               sync.Mutex
	cancel                context.CancelFunc
	// ended is closed when the process has ended; fault says how.
	ended chan struct{}
	fault error
	words lastWords
	// executed counts the cells that it numbered.
	executed int
}

// startGoNB starts GoNB and waits until it hears and is heard. What it says
// goes to the two functions, from goroutines of their own.
func startGoNB(ctx context.Context, c connection, command func(connectionFile string) *exec.Cmd, replies, published func(*gonb, *message)) (*gonb, error) {
	dir, err := socketFolder()
	if err != nil {
		return nil, err
	}
	inner, path, err := c.inFolder(dir)
	if err != nil {
		os.RemoveAll(dir)
		return nil, err
	}
	g := &gonb{cmd: command(path), dir: dir, key: []byte(c.Key), ended: make(chan struct{})}
	g.cmd.Stderr = &g.words
	ownGroup(g.cmd)
	if err := g.cmd.Start(); err != nil {
		os.RemoveAll(dir)
		return nil, fmt.Errorf("%s cannot be started: %w", g.cmd.Path, err)
	}
	ctx, g.cancel = context.WithCancel(ctx)
	go func() {
		g.fault = g.cmd.Wait()
		killGroup(g.cmd) // gopls, and programs of cells
		close(g.ended)
	}()
	// One identity for all: GoNB answers what it was asked by the control
	// socket through the shell socket.
	options := []zmq4.Option{zmq4.WithID(zmq4.SocketIdentity("relay")), zmq4.WithDialerRetry(20 * time.Millisecond), zmq4.WithDialerMaxRetries(-1), zmq4.WithLogger(quiet)}
	g.shell, g.control, g.stdin = zmq4.NewDealer(ctx, options...), zmq4.NewDealer(ctx, options...), zmq4.NewDealer(ctx, options...)
	g.iopub = zmq4.NewSub(ctx, options...)
	if err := g.connect(ctx, inner, replies, published); err != nil {
		g.stop(0)
		return nil, err
	}
	return g, nil
}

// socketFolder makes a folder for sockets, whose paths must be short: 104 bytes
// on some systems.
func socketFolder() (string, error) {
	parent := os.TempDir()
	if len(parent) > 70 {
		parent = "/tmp"
	}
	return os.MkdirTemp(parent, "gonb-kn-")
}

// connect connects the sockets, and asks until an answer is published: what is
// published before a subscription arrives is lost.
func (g *gonb) connect(ctx context.Context, c connection, replies, published func(*gonb, *message)) error {
	dialled := make(chan error, 1)
	go func() {
		var err error
		for socket, port := range map[zmq4.Socket]int{g.shell: c.Shell, g.control: c.Control, g.stdin: c.Stdin, g.iopub: c.IOPub} {
			err = errors.Join(err, socket.Dial(c.address(port)))
		}
		dialled <- errors.Join(err, g.iopub.SetOption(zmq4.OptionSubscribe, ""))
	}()
	select {
	case err := <-dialled:
		if err != nil {
			return err
		}
	case <-g.ended:
		return fmt.Errorf("gonb ended before it could be reached: %w", g.fault)
	}
	heard := make(chan struct{})
	var once sync.Once
	go receive(ctx, g.key, g.iopub, func(m *message) {
		once.Do(func() { close(heard) })
		published(g, m)
	})
	for _, socket := range []zmq4.Socket{g.shell, g.control, g.stdin} {
		go receive(ctx, g.key, socket, func(m *message) { replies(g, m) })
	}
	deadline := time.After(60 * time.Second)
	for {
		ask := (&message{header: header{Session: "relay"}}).answer("kernel_info_request", map[string]any{})
		if err := g.send(g.shell, ask); err != nil {
			return err
		}
		select {
		case <-heard:
			return nil
		case <-g.ended:
			return fmt.Errorf("gonb ended before it could be reached: %w", g.fault)
		case <-deadline:
			return errors.New("gonb does not answer")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// send sends a message.
func (g *gonb) send(socket zmq4.Socket, m *message) error {
	g.sending.Lock()
	defer g.sending.Unlock()
	return socket.SendMulti(m.frames(g.key))
}

// stop gives the process some time to end by itself, then ends it and all that
// it started.
func (g *gonb) stop(patience time.Duration) {
	select {
	case <-g.ended:
	case <-time.After(patience):
		killGroup(g.cmd)
		<-g.ended
	}
	g.cancel()
	for _, socket := range []zmq4.Socket{g.shell, g.control, g.stdin, g.iopub} {
		_ = socket.Close()
	}
	os.RemoveAll(g.dir)
}

// lastWords keeps the beginning of what GoNB wrote since it went wrong: it logs
// nothing else.
type lastWords struct {
	mu   sync.Mutex
	text []byte
}

func (w *lastWords) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if room := 4096 - len(w.text); room > 0 {
		w.text = append(w.text, p[:min(room, len(p))]...)
	}
	return len(p), nil
}

// firstLine returns the first line.
func (w *lastWords) firstLine() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	line, _, _ := strings.Cut(strings.TrimSpace(string(w.text)), "\n")
	return line
}
