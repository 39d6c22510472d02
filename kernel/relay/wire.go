package relay

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/go-zeromq/zmq4"
	"github.com/google/renameio/v2"
)

// connection is a connection file: where a kernel's sockets are. See
// https://jupyter-client.readthedocs.io/en/stable/kernels.html#connection-files.
type connection struct {
	Transport  string `json:"transport"`
	IP         string `json:"ip"`
	Shell      int    `json:"shell_port"`
	Control    int    `json:"control_port"`
	Stdin      int    `json:"stdin_port"`
	IOPub      int    `json:"iopub_port"`
	Heartbeat  int    `json:"hb_port"`
	Scheme     string `json:"signature_scheme"`
	Key        string `json:"key"`
	KernelName string `json:"kernel_name"`

	// name is the file's, out of which GoNB reads the kernel's id: its widgets
	// connect to that.
	name string
}

func readConnection(path string) (c connection, err error) {
	c.name = filepath.Base(path)
	data, err := os.ReadFile(path)
	if err != nil {
		return c, err
	}
	if err := json.Unmarshal(data, &c); err != nil {
		return c, fmt.Errorf("%s is no connection file: %w", path, err)
	}
	if c.Scheme != "" && c.Scheme != "hmac-sha256" {
		return c, fmt.Errorf("%s asks for signatures by %q, not by hmac-sha256", path, c.Scheme)
	}
	return c, nil
}

// address returns the address of a port.
func (c connection) address(port int) string {
	if c.Transport == "ipc" {
		return fmt.Sprintf("ipc://%s-%d", c.IP, port)
	}
	return fmt.Sprintf("tcp://%s:%d", c.IP, port)
}

// inFolder returns a connection with the same key by sockets in a folder, and
// writes its file there.
func (c connection) inFolder(dir string) (connection, string, error) {
	c = connection{
		Transport: "ipc", IP: filepath.Join(dir, "s"), Shell: 1, Control: 2, Stdin: 3, IOPub: 4, Heartbeat: 5,
		Scheme: "hmac-sha256", Key: c.Key, KernelName: c.KernelName, name: c.name,
	}
	data, err := json.Marshal(c)
	if err != nil {
		return c, "", err
	}
	path := filepath.Join(dir, c.name)
	return c, path, renameio.WriteFile(path, data, 0o600)
}

// header is what is read of a message's header; a header is passed on as it
// came.
type header struct {
	ID       string `json:"msg_id"`
	Type     string `json:"msg_type"`
	Session  string `json:"session"`
	Username string `json:"username"`
	Version  string `json:"version"`
	Date     string `json:"date"`
}

// message is a message of Jupyter's protocol. See
// https://jupyter-client.readthedocs.io/en/stable/messaging.html.
type message struct {
	identities [][]byte
	header     header
	parent     header
	// parts are the signed parts as they came: header, parent header,
	// metadata, content, and buffers after them.
	parts [][]byte
}

const (
	headerPart = iota
	parentPart
	metadataPart
	contentPart
	signedParts
)

var delimiter = []byte("<IDS|MSG>")

// parse reads a message and checks its signature.
func parse(key []byte, frames [][]byte) (*message, error) {
	for i, frame := range frames {
		if !bytes.Equal(frame, delimiter) {
			continue
		}
		rest := frames[i+1:]
		if len(rest) < 1+signedParts {
			return nil, errors.New("a message lacks parts")
		}
		m := &message{identities: frames[:i], parts: rest[1:]}
		if want := m.signature(key); len(key) > 0 && !hmac.Equal(want, rest[0]) {
			return nil, errors.New("a message's signature is wrong")
		}
		if err := json.Unmarshal(m.parts[headerPart], &m.header); err != nil {
			return nil, fmt.Errorf("a message's header: %w", err)
		}
		_ = json.Unmarshal(m.parts[parentPart], &m.parent) // may be {}
		return m, nil
	}
	return nil, errors.New("a message lacks its delimiter")
}

// signature signs the signed parts.
func (m *message) signature(key []byte) []byte {
	if len(key) == 0 {
		return nil
	}
	mac := hmac.New(sha256.New, key)
	for _, part := range m.parts[:signedParts] {
		mac.Write(part)
	}
	return []byte(hex.EncodeToString(mac.Sum(nil)))
}

// frames is the message on the wire, for the given receiver.
func (m *message) frames(key []byte, identities ...[]byte) zmq4.Msg {
	frames := append(append([][]byte{}, identities...), delimiter, m.signature(key))
	return zmq4.NewMsgFrom(append(frames, m.parts...)...)
}

// content decodes the message's content. Numbers stay as they are written.
func (m *message) content() map[string]any {
	decoder := json.NewDecoder(bytes.NewReader(m.parts[contentPart]))
	decoder.UseNumber()
	content := map[string]any{}
	if decoder.Decode(&content) != nil || content == nil {
		return map[string]any{}
	}
	return content
}

// with returns the message with another content.
func (m *message) with(content map[string]any) *message {
	data, err := json.Marshal(content)
	if err != nil { // what was decoded can be encoded
		return m
	}
	changed := *m
	changed.parts = append([][]byte{}, m.parts...)
	changed.parts[contentPart] = data
	return &changed
}

// answer returns a new message of a type, in answer to m.
func (m *message) answer(kind string, content map[string]any) *message {
	h := newHeader(kind, m.header.Session)
	data, _ := json.Marshal(h)
	parent := []byte("{}")
	if len(m.parts) > headerPart {
		parent = m.parts[headerPart]
	}
	a := &message{identities: m.identities, header: h, parent: m.header, parts: [][]byte{data, parent, []byte("{}"), []byte("{}")}}
	return a.with(content)
}

func newHeader(kind, session string) header {
	return header{ID: rand.Text(), Type: kind, Session: session, Username: "kernel", Version: "5.3", Date: time.Now().UTC().Format(time.RFC3339Nano)}
}

// text, number and flag read a field that may be missing or of another type.
func text(content map[string]any, name string) string {
	s, _ := content[name].(string)
	return s
}

func number(content map[string]any, name string) int {
	n, _ := content[name].(json.Number)
	i, _ := n.Int64()
	return int(i)
}

func flag(content map[string]any, name string, otherwise bool) bool {
	if b, ok := content[name].(bool); ok {
		return b
	}
	return otherwise
}

// receive passes on what comes by a socket until it is closed. Messages that
// cannot be read are dropped: they are not from Jupyter.
func receive(ctx context.Context, key []byte, socket zmq4.Socket, to func(*message)) {
	for ctx.Err() == nil {
		wire, err := socket.Recv()
		if err != nil {
			// One client's end is not the socket's.
			select {
			case <-ctx.Done():
			case <-time.After(10 * time.Millisecond):
			}
			continue
		}
		if m, err := parse(key, wire.Frames); err == nil {
			to(m)
		}
	}
}
