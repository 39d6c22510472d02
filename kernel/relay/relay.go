// Package relay stands between Jupyter and GoNB, and makes the kernel hold
// what its users expect of one.
//
// It speaks Jupyter's protocol to both, passes on what it need not change, and
//
//   - answers for GoNB while that starts, and starts it again if it ends;
//   - gives it cells in the form that it reads rightly, and refuses those that
//     would end it: see gocell;
//   - hands over one request after the other, and gives up those that wait
//     when a cell fails, as the protocol says;
//   - tells a failure once, with the cell, the line and what to do, instead of
//     a stack trace;
//   - names the language's lexer, and knows requests that GoNB leaves without
//     an answer.
package relay

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"strings"
	"sync"
	"time"

	"github.com/go-zeromq/zmq4"
)

// quiet is for what zmq4 logs, such as clients that go.
var quiet = log.New(io.Discard, "", 0)

// Config says what the relay stands before.
type Config struct {
	// Command returns the command that starts GoNB on a connection file.
	Command func(connectionFile string) *exec.Cmd
	// Version is told to clients.
	Version string
	// Doc returns the documentation of a package's symbol. It may be nil.
	Doc func(ctx context.Context, pkg, symbol string) (string, error)
	// Interrupts interrupts the cell that runs, as a request of Jupyter's
	// does. It may be nil.
	Interrupts <-chan os.Signal
}

// Relay is one kernel.
type Relay struct {
	config Config
	conn   connection
	key    []byte

	shell, control, stdin, iopub, heartbeat zmq4.Socket
	sending                                 sync.Mutex

	queue chan *message // of the shell, in order

	mu      sync.Mutex
	gonb    *gonb
	fault   error // why there is no GoNB
	ready   chan struct{}
	ending  bool
	routes  map[string]route   // whom to answer, by the request's id
	current map[string]*answer // requests that GoNB is at, by id
	running *execution
	looking bool // gonb is at a request of look

	cells map[int]numbered // by GoNB's number
	lost  map[string]int   // names, and the cell that failed to define them

	count int // of the cells that clients numbered; the queue's own
}

// route is where an answer goes.
type route struct {
	socket     zmq4.Socket
	identities [][]byte
}

// numbered is a cell that was run.
type numbered struct {
	number int
	lines  []string
}

// answer is what GoNB says to a request.
type answer struct {
	reply chan *message
	idle  chan struct{} // has room for one
	// publish passes on what it publishes; nil drops it.
	publish func(*message)
}

// queueLength is more cells than a notebook has.
const queueLength = 100_000

// Run is a kernel on the sockets of a connection file, until it is told to
// shut down or ctx ends.
func Run(ctx context.Context, connectionFile string, config Config) error {
	conn, err := readConnection(connectionFile)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &Relay{
		config: config, conn: conn, key: []byte(conn.Key), queue: make(chan *message, queueLength), ready: make(chan struct{}),
		routes: map[string]route{}, current: map[string]*answer{}, lost: map[string]int{},
	}
	if err := r.listen(ctx); err != nil {
		return err
	}
	go r.start(ctx)
	r.status("starting", &message{})
	go receive(ctx, r.key, r.shell, r.onShell)
	go receive(ctx, r.key, r.stdin, func(m *message) { r.pass(m, r.stdin) })
	go receive(ctx, r.key, r.control, func(m *message) {
		if r.onControl(m) {
			cancel()
		}
	})
	go r.echo(ctx)
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-config.Interrupts:
				r.interrupt(&message{header: newHeader("interrupt_request", "")})
			}
		}
	}()
	for {
		select {
		case m := <-r.queue:
			r.handle(ctx, m)
		case <-ctx.Done():
			r.shutDown()
			return nil
		}
	}
}

// listen opens the sockets that Jupyter connects to.
func (r *Relay) listen(ctx context.Context) error {
	log := zmq4.WithLogger(quiet)
	r.shell, r.control, r.stdin = zmq4.NewRouter(ctx, log), zmq4.NewRouter(ctx, log), zmq4.NewRouter(ctx, log)
	r.iopub, r.heartbeat = zmq4.NewPub(ctx, log), zmq4.NewRep(ctx, log)
	var err error
	for _, s := range []struct {
		socket zmq4.Socket
		port   int
	}{{r.shell, r.conn.Shell}, {r.control, r.conn.Control}, {r.stdin, r.conn.Stdin}, {r.iopub, r.conn.IOPub}, {r.heartbeat, r.conn.Heartbeat}} {
		err = errors.Join(err, s.socket.Listen(r.conn.address(s.port)))
	}
	return err
}

// send sends a message to a client, or publishes it.
func (r *Relay) send(socket zmq4.Socket, m *message, identities ...[]byte) {
	r.sending.Lock()
	defer r.sending.Unlock()
	_ = socket.SendMulti(m.frames(r.key, identities...)) // a client that is gone needs nothing
}

func (r *Relay) publish(m *message) { r.send(r.iopub, m, []byte("kernel."+m.header.Type)) }

func (r *Relay) status(state string, of *message) {
	r.publish(of.answer("status", map[string]any{"execution_state": state}))
}

func (r *Relay) reply(to *message, kind string, content map[string]any) {
	r.send(r.shell, to.answer(kind, content), to.identities...)
}

// echo answers heartbeats.
func (r *Relay) echo(ctx context.Context) {
	for ctx.Err() == nil {
		beat, err := r.heartbeat.Recv()
		if err != nil {
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		_ = r.heartbeat.Send(beat)
	}
}

// onShell queues what GoNB must do one by one, and passes on the rest.
func (r *Relay) onShell(m *message) {
	switch m.header.Type {
	case "comm_open", "comm_msg", "comm_close", "comm_info_request":
		r.pass(m, r.shell)
	default:
		r.queue <- m
	}
}

// onControl handles what comes by the control socket, and says whether the
// kernel ends.
func (r *Relay) onControl(m *message) (ends bool) {
	switch m.header.Type {
	case "shutdown_request":
		r.mu.Lock()
		r.ending = true
		g := r.gonb
		r.mu.Unlock()
		if g != nil {
			_ = g.send(g.control, m)
		}
		r.send(r.control, m.answer("shutdown_reply", map[string]any{"status": "ok", "restart": flag(m.content(), "restart", false)}), m.identities...)
		return true
	case "interrupt_request":
		r.interrupt(m)
		r.send(r.control, m.answer("interrupt_reply", map[string]any{"status": "ok"}), m.identities...)
	case "kernel_info_request":
		r.send(r.control, m.answer("kernel_info_reply", r.info()), m.identities...)
	}
	return false
}

// interrupt interrupts the running cell.
func (r *Relay) interrupt(m *message) {
	r.mu.Lock()
	g := r.gonb
	if r.running != nil {
		r.running.interrupted = true
	}
	r.mu.Unlock()
	if g != nil && len(m.parts) > 0 {
		_ = g.send(g.control, m)
	} else if g != nil {
		_ = g.send(g.control, (&message{}).answer("interrupt_request", map[string]any{}))
	}
}

// pass hands a message to GoNB, whose answer, if it is a request, goes back by
// the socket.
func (r *Relay) pass(m *message, socket zmq4.Socket) {
	r.mu.Lock()
	g := r.gonb
	if g != nil && strings.HasSuffix(m.header.Type, "_request") {
		r.routes[m.header.ID] = route{socket, m.identities}
	}
	r.mu.Unlock()
	switch {
	case g == nil && m.header.Type == "comm_info_request":
		r.reply(m, "comm_info_reply", map[string]any{"status": "ok", "comms": map[string]any{}})
	case g == nil: // nobody is there whom it could be for
	case socket == r.stdin:
		_ = g.send(g.stdin, m)
	default:
		_ = g.send(g.shell, m)
	}
}

// onReply takes GoNB's answers.
func (r *Relay) onReply(g *gonb, m *message) {
	r.mu.Lock()
	a := r.current[m.parent.ID]
	to, known := r.routes[m.parent.ID]
	if known && a == nil {
		delete(r.routes, m.parent.ID)
	}
	r.mu.Unlock()
	switch {
	case m.header.Type == "input_request":
		if known {
			r.send(r.stdin, m, to.identities...)
		}
	case a != nil:
		select {
		case a.reply <- m:
		default: // a second reply
		}
	case known:
		r.send(to.socket, m, to.identities...)
	}
}

// onPublished takes what GoNB publishes.
func (r *Relay) onPublished(g *gonb, m *message) {
	r.mu.Lock()
	a := r.current[m.parent.ID]
	r.mu.Unlock()
	switch {
	case a == nil && (m.header.Type == "status" || m.parent.Session == "relay"):
		// Of our own asking, or for what is answered.
	case a == nil:
		r.publish(m)
	case m.header.Type == "status":
		if text(m.content(), "execution_state") == "idle" {
			select {
			case a.idle <- struct{}{}:
			default: // a second time
			}
		}
	case a.publish != nil:
		a.publish(m)
	}
}

// errEnded says that GoNB ended while it was at a request.
var errEnded = errors.New("the kernel's Go side ended")

// ask hands a request to GoNB and returns its reply, once all that it
// published was passed on.
func (r *Relay) ask(ctx context.Context, m *message, publish func(*message)) (*message, error) {
	g, err := r.theGoNB(ctx)
	if err != nil {
		return nil, fmt.Errorf("GoNB cannot be started: %w; run \"go run ./install -check\"", err)
	}
	a := &answer{reply: make(chan *message, 1), idle: make(chan struct{}, 1), publish: publish}
	r.mu.Lock()
	r.current[m.header.ID] = a
	r.routes[m.header.ID] = route{r.shell, m.identities}
	r.mu.Unlock()
	defer func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.current, m.header.ID)
		delete(r.routes, m.header.ID)
	}()
	// A GoNB that cannot be reached is about to end.
	_ = g.send(g.shell, m)
	var reply *message
	for idle := a.idle; idle != nil || reply == nil; {
		select {
		case reply = <-a.reply:
		case <-idle:
			idle = nil
		case <-g.ended:
			r.restart(ctx, g)
			return nil, errEnded
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return reply, nil
}

// handle answers one request of the queue.
func (r *Relay) handle(ctx context.Context, m *message) {
	r.status("busy", m)
	defer r.status("idle", m)
	switch m.header.Type {
	case "execute_request":
		r.execute(ctx, m)
	case "complete_request", "inspect_request":
		r.look(ctx, m)
	case "kernel_info_request":
		r.reply(m, "kernel_info_reply", r.info())
	case "is_complete_request":
		r.reply(m, "is_complete_reply", map[string]any{"status": "unknown"})
	case "history_request":
		r.reply(m, "history_reply", map[string]any{"status": "ok", "history": []any{}})
	case "shutdown_request":
		r.onControl(m)
	default:
		if kind, ok := strings.CutSuffix(m.header.Type, "_request"); ok {
			r.reply(m, kind+"_reply", failure{name: "error", value: "the kernel does not know " + m.header.Type}.reply())
		}
	}
}

// language is the version of Go that the project is written in, as in go.mod,
// and not that of the compiler: JupyterLab marks a notebook as changed when it
// opens one that names another than the kernel's.
const language = "1.26"

// info is the kernel's answer to kernel_info_request.
func (r *Relay) info() map[string]any {
	return map[string]any{
		"status": "ok", "protocol_version": "5.3", "implementation": "gonb-kn", "implementation_version": r.config.Version,
		"banner": "Go, with packages that find a BERT's knowledge neurons (gonb-kn " + r.config.Version + ")",
		"language_info": map[string]any{
			"name": "go", "version": language, "mimetype": "text/x-go", "file_extension": ".go",
			"pygments_lexer": "go", "codemirror_mode": "go",
		},
		"help_links": []map[string]string{
			{"text": "gonb-kn", "url": "https://github.com/knowledge-neurons/gonb-kn"},
			{"text": "GoNB", "url": "https://github.com/janpfeifer/gonb"},
			{"text": "Go", "url": "https://go.dev/doc/"},
		},
	}
}

// cell returns the number that clients know of a cell that GoNB numbered, and
// its lines.
func (r *Relay) cell(inner int) (number int, lines []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.cells[inner]
	if !ok {
		return inner, nil
	}
	return c.number, c.lines
}
