//go:build linux || darwin

package worker

import (
	"fmt"
	"io"
	"sync"
)

// stream carries a call's progress and items to the client: progress without
// ever making the handler wait, items without ever leaving one out.
type stream struct {
	w       io.Writer
	writing sync.Mutex // held while a frame is written

	mu     sync.Mutex
	queue  chan []byte // of progress; nil: nobody wants any
	closed bool
	sent   chan struct{} // closed when all progress is written
}

func newStream(w io.Writer, progress bool) *stream {
	s := &stream{w: w, sent: make(chan struct{})}
	if !progress {
		close(s.sent)
		return s
	}
	s.queue = make(chan []byte, 1024)
	go func() {
		defer close(s.sent)
		for p := range s.queue {
			s.write(frameProgress, p) // a client that is gone is noticed elsewhere
		}
	}()
	return s
}

func (s *stream) write(kind byte, payload []byte) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	return writeFrame(s.w, kind, payload)
}

func (s *stream) progress(share float64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.queue == nil || s.closed {
		return
	}
	for p := progressPayload(share); ; {
		select {
		case s.queue <- p:
			return
		default:
		}
		select {
		case <-s.queue: // full: the oldest goes
		default:
		}
	}
}

func (s *stream) emit(item any) error {
	data, err := encode(item)
	if err != nil {
		return fmt.Errorf("worker: encoding an item: %w", err)
	}
	if err := s.write(frameItem, data); err != nil {
		return fmt.Errorf("worker: handing over an item: %w", err)
	}
	return nil
}

// finish returns when all progress is written; what is added later is ignored.
func (s *stream) finish() {
	s.mu.Lock()
	if s.queue != nil && !s.closed {
		close(s.queue)
	}
	s.closed = true
	s.mu.Unlock()
	<-s.sent
}
