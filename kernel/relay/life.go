package relay

import (
	"context"
	"time"

	"github.com/go-zeromq/zmq4"
)

// start starts GoNB, and again when it ends.
func (r *Relay) start(ctx context.Context) {
	g, err := startGoNB(ctx, r.conn, r.config.Command, r.onReply, r.onPublished)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ending && g != nil {
		go g.stop(0)
		return
	}
	r.gonb, r.fault = g, err
	r.cells = map[int]numbered{}
	close(r.ready)
}

// restart begins anew with another GoNB.
func (r *Relay) restart(ctx context.Context, old *gonb) {
	r.mu.Lock()
	if r.ending || r.gonb != old {
		r.mu.Unlock()
		return
	}
	r.gonb, r.ready = nil, make(chan struct{})
	clear(r.lost)
	r.mu.Unlock()
	go func() {
		if old != nil {
			old.stop(0)
		}
		r.start(ctx)
	}()
}

// theGoNB waits until GoNB is there.
func (r *Relay) theGoNB(ctx context.Context) (*gonb, error) {
	r.mu.Lock()
	ready := r.ready
	r.mu.Unlock()
	select {
	case <-ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.gonb, r.fault
}

// shutDown ends GoNB.
func (r *Relay) shutDown() {
	r.mu.Lock()
	r.ending = true
	g := r.gonb
	r.mu.Unlock()
	if g != nil {
		g.stop(3 * time.Second)
	}
	for _, socket := range []zmq4.Socket{r.shell, r.control, r.stdin, r.iopub, r.heartbeat} {
		_ = socket.Close()
	}
}
