//go:build linux || darwin

package worker

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"time"
)

// A connection carries one call. The worker says hello; the client sends one
// byte that says what it wants; the rest depends on that byte. Hello and
// opLeave must stay as they are for ever, so that a client can ask a worker
// of an older build to leave.
const (
	helloFormat = "gonb-kn worker %d %d\n" // protocol, process id
	helloSize   = 64                       // a longer hello is none

	opLeave = 'L' // leave if idle: answered by yes or no
	opCall  = 'C' // followed by a request frame, answered by frames

	yes, no = 'Y', 'N'
)

// protocol is the version of what follows opCall, and part of the socket's name.
const protocol = 3

// answerLimit is how long the other side may take to do what needs no
// computing: say hello, send a request. A process that takes longer is
// stopped or is not what it seems.
const answerLimit = 10 * time.Second

// Frames: one byte that says what it is, the payload's length, the payload.
const (
	frameRequest  = 'q' // flags, kernel, length of the method's name, method, gob
	frameProgress = 'p' // share
	frameItem     = 'i' // gob
	frameDone     = 'd' // empty
	frameError    = 'e' // kind, text
)

const maxFrame = 1 << 32 // bytes; more is a mistake

func writeFrame(w io.Writer, kind byte, parts ...[]byte) error {
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	if size > maxFrame {
		return fmt.Errorf("worker: a message of %d bytes is too large: at most %d", size, maxFrame)
	}
	header := binary.LittleEndian.AppendUint64([]byte{kind}, uint64(size))
	buffers := net.Buffers{header}
	for _, p := range parts {
		if len(p) > 0 { // to write nothing fails once the other side has answered and closed
			buffers = append(buffers, p)
		}
	}
	_, err := buffers.WriteTo(w)
	return err
}

func readFrame(r io.Reader) (kind byte, payload []byte, err error) {
	var header [9]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, nil, err
	}
	size := binary.LittleEndian.Uint64(header[1:])
	if size > maxFrame {
		return 0, nil, fmt.Errorf("worker: a message of %d bytes is too large: at most %d", size, maxFrame)
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(r, payload)
	return header[0], payload, err
}

// encode and decode leave nil values out: gob has none.
func encode(value any) (data []byte, err error) {
	if value == nil {
		return nil, nil
	}
	defer func() { // gob panics at a nil pointer
		if p := recover(); p != nil {
			data, err = nil, fmt.Errorf("%v", p)
		}
	}()
	var buffer bytes.Buffer
	err = gob.NewEncoder(&buffer).Encode(value)
	return buffer.Bytes(), err
}

func decode(data []byte, into any) error {
	if into == nil || len(data) == 0 {
		return nil
	}
	return gob.NewDecoder(bytes.NewReader(data)).Decode(into)
}

// request is what a request frame says in front of its body.
type request struct {
	method   string
	kernel   int
	progress bool // is wanted
}

const requestSize = 1 + 8 + 2 // without the method's name

func (r request) head() []byte {
	head := []byte{0}
	if r.progress {
		head[0] = 1
	}
	head = binary.LittleEndian.AppendUint64(head, uint64(r.kernel))
	head = binary.LittleEndian.AppendUint16(head, uint16(len(r.method)))
	return append(head, r.method...)
}

func parseRequest(payload []byte) (r request, body []byte, ok bool) {
	if len(payload) < requestSize {
		return r, nil, false
	}
	end := requestSize + int(binary.LittleEndian.Uint16(payload[9:]))
	if len(payload) < end {
		return r, nil, false
	}
	kernel := int(binary.LittleEndian.Uint64(payload[1:]))
	return request{string(payload[requestSize:end]), kernel, payload[0] == 1}, payload[end:], true
}

func progressPayload(share float64) []byte {
	return binary.LittleEndian.AppendUint64(nil, math.Float64bits(share))
}

func parseProgress(p []byte) (share float64, ok bool) {
	if len(p) != 8 {
		return 0, false
	}
	return math.Float64frombits(binary.LittleEndian.Uint64(p)), true
}

// sentinels are the errors that survive the wire, by their place here.
var sentinels = []error{nil, context.Canceled, context.DeadlineExceeded}

func errorPayload(err error) []byte {
	kind := 0
	for i, sentinel := range sentinels[1:] {
		if errors.Is(err, sentinel) {
			kind = i + 1
		}
	}
	return append([]byte{byte(kind)}, err.Error()...)
}

func parseError(p []byte) error {
	if len(p) == 0 || int(p[0]) >= len(sentinels) {
		return fmt.Errorf("worker: an error that cannot be read: %q", p)
	}
	return &remoteError{string(p[1:]), sentinels[p[0]]}
}

// remoteError is a handler's error, as the client sees it.
type remoteError struct {
	text string
	is   error // one of sentinels
}

func (e *remoteError) Error() string { return e.text }
func (e *remoteError) Unwrap() error { return e.is }
