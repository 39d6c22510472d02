package relay

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kernel/gocell"
)

// execution is a cell that is run.
type execution struct {
	relay       *Relay
	defines     []string // what is gone if it fails
	interrupted bool     // guarded by the relay's mutex

	mu       sync.Mutex
	errors   errorStream
	reported map[string]any // GoNB's error message
	// exit is what GoNB published last if that is how a program ended. It is
	// told by the failure, if the cell fails by it.
	exit *message
}

// execute runs a cell.
func (r *Relay) execute(ctx context.Context, m *message) {
	content := m.content()
	cell := gocell.Parse(text(content, "code"))
	silent := flag(content, "silent", false)
	stored := flag(content, "store_history", !silent)
	if stored {
		r.count++
	}
	if !silent {
		r.publish(m.answer("execute_input", map[string]any{"code": text(content, "code"), "execution_count": r.count}))
	}
	x := &execution{relay: r}
	if !cell.IsTest() { // those are kept, so that the tests can be mended
		x.defines = cell.Definitions()
	}
	fault := x.run(ctx, m, cell, content, silent, stored)
	result := map[string]any{"status": "ok", "user_expressions": map[string]any{}, "payload": []any{}}
	if fault != nil {
		result = fault.reply()
		if !silent {
			r.publish(m.answer("error", fault.content()))
		}
	}
	r.mu.Lock()
	for _, name := range x.defines {
		if delete(r.lost, name); fault != nil {
			r.lost[name] = r.count
		}
	}
	r.mu.Unlock()
	result["execution_count"] = r.count
	r.reply(m, "execute_reply", result)
	if fault != nil && flag(content, "stop_on_error", true) {
		r.abort(ctx)
	}
}

// run hands a cell to GoNB, and says why it failed.
func (x *execution) run(ctx context.Context, m *message, cell *gocell.Cell, content map[string]any, silent, stored bool) *failure {
	r := x.relay
	if err := cell.Check(); err != nil {
		return &failure{name: "not run", value: err.Error()}
	}
	g, err := r.theGoNB(ctx)
	if err == nil && stored {
		r.mu.Lock()
		g.executed++
		r.cells[g.executed] = numbered{r.count, strings.Split(cell.Code, "\n")}
		r.mu.Unlock()
	}
	safe, _ := cell.Safe()
	asked := m.with(map[string]any{
		"code": safe, "silent": silent, "store_history": stored,
		"allow_stdin": flag(content, "allow_stdin", false), "user_expressions": map[string]any{}, "stop_on_error": flag(content, "stop_on_error", true),
	})
	r.setRunning(x)
	reply, err := r.ask(ctx, asked, x.published)
	r.setRunning(nil)
	x.mu.Lock() // something may still come from a GoNB that has ended
	defer x.mu.Unlock()
	if x.reported == nil && reply != nil {
		x.reported = reply.content()
	}
	var f *failure
	switch {
	case errors.Is(err, errEnded):
		f = &failure{name: "kernel", value: "GoNB ended while it was at this cell. It was started again: run the cells before this one once more"}
		if said := g.words.firstLine(); said != "" {
			f.lines = []string{"GoNB's last words: " + said}
		}
	case err != nil:
		f = &failure{name: "kernel", value: err.Error()}
	case text(reply.content(), "status") != "ok":
		f = x.understand()
	}
	if f == nil || !ran.MatchString(text(x.reported, "evalue")) {
		x.passExit()
	}
	if rest := x.errors.rest(); rest != "" {
		r.publish(m.answer("stream", map[string]any{"name": "stderr", "text": rest}))
	}
	return f
}

func (r *Relay) setRunning(x *execution) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.running = x
}

// published passes on what a cell publishes, and keeps back what is told
// otherwise.
func (x *execution) published(m *message) {
	if m.header.Type == "execute_input" {
		return // was published, as its author wrote it
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	if m.header.Type == "error" {
		x.reported = m.content()
		return
	}
	x.passExit()
	if m.header.Type == "stream" {
		if m = x.stream(m); m == nil {
			return
		}
	}
	x.relay.publish(m)
}

// passExit passes on how a program ended that was not the cell's last.
func (x *execution) passExit() {
	if x.exit != nil {
		x.relay.publish(x.exit)
		x.exit = nil
	}
}

// stream returns what is to be passed on of a stream, or nil.
func (x *execution) stream(m *message) *message {
	content := m.content()
	if text(content, "name") != "stderr" {
		return m
	}
	said := text(content, "text")
	switch {
	case strings.HasPrefix(said, "Cell contents "): // the good news of %%writefile
		content["name"] = "stdout"
		return m.with(content)
	case ran.MatchString(strings.TrimSuffix(said, "\n")):
		x.exit = m
		return nil
	}
	passed := x.errors.write(said)
	switch passed {
	case "":
		return nil
	case said:
		return m
	}
	content["text"] = passed
	return m.with(content)
}

// abort gives up the cells that wait, as the protocol says of a failure.
func (r *Relay) abort(ctx context.Context) {
	// A client sends all cells at once, but not in one message.
	select {
	case <-time.After(50 * time.Millisecond):
	case <-ctx.Done():
	}
	var others []*message
	for {
		select {
		case m := <-r.queue:
			if m.header.Type != "execute_request" {
				others = append(others, m)
				continue
			}
			r.status("busy", m)
			r.reply(m, "execute_reply", map[string]any{"status": "aborted"})
			r.status("idle", m)
		default:
			for _, m := range others {
				r.queue <- m
			}
			return
		}
	}
}
