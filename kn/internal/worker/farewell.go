//go:build linux || darwin

package worker

import (
	"context"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"time"
)

// leaveIfIdle asks the worker at a socket to leave, and returns when its
// process has ended. A worker that is busy stays. Every version of the
// protocol has this request.
func leaveIfIdle(ctx context.Context, socket string) (left bool) {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return false
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(answerLimit))
	defer context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })()
	_, pid, err := readHello(conn)
	if err != nil {
		return false
	}
	if _, err := conn.Write([]byte{opLeave}); err != nil {
		return false
	}
	var answer [1]byte
	if _, err := io.ReadFull(conn, answer[:]); err != nil || answer[0] != yes {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, exitLimit)
	defer cancel()
	return watch(ctx, pid) == nil
}

// dismissOlder asks workers of this key that were started from another build
// of the program to leave: nobody will call them again. A notebook that uses a
// program of its own keeps its worker.
func (c *Client) dismissOlder(ctx context.Context) {
	name := filepath.Base(c.socket)
	same := name[:strings.LastIndex(name, "-")+1]
	for _, socket := range sockets(c.socket) {
		if strings.HasPrefix(filepath.Base(socket), same) && leaveIfIdle(ctx, socket) {
			c.log("the worker of an older build was asked to leave")
		}
	}
}

// available returns how many bytes of memory a new process may take before
// the system runs out, and false where that cannot be found out. The tests
// replace it.
var available = availableMemory

// findMemory makes sure that there is the memory the worker needs, by asking
// idle workers to leave if need be.
func (c *Client) findMemory(ctx context.Context) error {
	if c.spec.Need == 0 {
		return nil
	}
	have, known := available()
	for _, socket := range sockets(c.socket) {
		if !known || have >= c.spec.Need {
			return nil
		}
		if leaveIfIdle(ctx, socket) {
			c.log("an idle worker was asked to leave, to make room for another")
			have, known = available()
		}
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if known && have < c.spec.Need {
		return fmt.Errorf("worker: %w: it needs %s and there are %s; close other notebooks or programs",
			ErrMemory, megabytes(c.spec.Need), megabytes(have))
	}
	return nil
}

func megabytes(n uint64) string { return fmt.Sprintf("%.0f MB", float64(n)/1e6) }
