package relay

import (
	"context"
	"regexp"
	"strings"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kernel/gocell"
)

// JupyterLab drops completions that take longer than a second. The first takes
// gopls some, and the relay says so.
const (
	completePatience = 800 * time.Millisecond
	inspectPatience  = 3 * time.Second
)

// look answers what asks about a place in a cell: completion and inspection.
func (r *Relay) look(ctx context.Context, m *message) {
	content := m.content()
	code := strings.ReplaceAll(text(content, "code"), "\r\n", "\n")
	position := max(0, min(number(content, "cursor_pos"), len([]rune(code))))
	cell := gocell.Parse(code)
	if cell.Check() != nil || cell.OnCommand(position) {
		r.found(m, position, nil)
		return
	}
	r.mu.Lock()
	busy := r.looking
	r.looking = true
	r.mu.Unlock()
	if busy {
		r.found(m, position, later(m, position))
		return
	}
	safe, moved := cell.Safe()
	asked := m.with(map[string]any{"code": safe, "cursor_pos": moved.To(position), "detail_level": number(content, "detail_level")})
	replies := make(chan *message, 1)
	go func() {
		reply, err := r.ask(ctx, asked, nil)
		r.mu.Lock()
		r.looking = false
		r.mu.Unlock()
		if err != nil {
			reply = nil
		}
		replies <- reply
	}()
	patience := completePatience
	if m.header.Type == "inspect_request" {
		patience = inspectPatience
	}
	select {
	case reply := <-replies:
		if reply == nil || text(reply.content(), "status") != "ok" {
			r.found(m, position, nil)
			return
		}
		found := reply.content()
		for _, place := range []string{"cursor_start", "cursor_end"} {
			if _, ok := found[place]; ok && len(moved) > 0 {
				found[place] = moved.From(number(found, place))
			}
		}
		r.addTwin(ctx, found)
		r.found(m, position, found)
	case <-time.After(patience):
		r.found(m, position, later(m, position))
	}
}

// found replies with what was found, or with nothing.
func (r *Relay) found(m *message, position int, found map[string]any) {
	kind := strings.TrimSuffix(m.header.Type, "request") + "reply"
	switch {
	case found != nil:
	case m.header.Type == "complete_request":
		found = map[string]any{"status": "ok", "metadata": map[string]any{}, "matches": []string{}, "cursor_start": position, "cursor_end": position}
	default:
		found = map[string]any{"status": "ok", "metadata": map[string]any{}, "found": false, "data": map[string]any{}}
	}
	r.reply(m, kind, found)
}

// later says that there will be an answer later. What is offered to be put
// in does no harm there. There are two, since one alone is put in at once, and
// they begin differently, since what they begin with would be.
func later(m *message, position int) map[string]any {
	if m.header.Type == "complete_request" {
		return map[string]any{
			"status": "ok", "metadata": map[string]any{}, "cursor_start": position, "cursor_end": position,
			"matches": []string{"/* completion is not ready: */", " /* press Escape, and Tab in some seconds */"},
		}
	}
	return map[string]any{
		"status": "ok", "metadata": map[string]any{}, "found": true,
		"data": map[string]any{"text/plain": "gopls, which reads Go's documentation, is not ready. Ask again in some seconds."},
	}
}

// mustTwin is how gopls shows a function that panics where its twin returns an
// error, and at the end where it is documented.
var mustTwin = regexp.MustCompile(`(?s)Must(\w+) is \[.*\(https://pkg\.go\.dev/([^#)]+)#((?:\w+\.)?)Must(\w+)\)`)

// addTwin adds to the documentation of MustX, which says only that it panics,
// that of X.
func (r *Relay) addTwin(ctx context.Context, found map[string]any) {
	data, _ := found["data"].(map[string]any)
	shown, _ := data["text/markdown"].(string)
	twin := mustTwin.FindStringSubmatch(shown)
	if twin == nil || twin[1] != twin[4] || r.config.Doc == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	text, err := r.config.Doc(ctx, twin[2], twin[3]+twin[4])
	if err != nil {
		return // the link is there
	}
	data["text/markdown"] = shown + "\n\n---\n\n```\n" + strings.TrimSpace(text) + "\n```"
}
