package relay

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// wired is a message as jupyter_client sends it, signed by hand.
func wired(key string) [][]byte {
	parts := []string{`{"msg_id":"1","msg_type":"execute_request","session":"s"}`, `{}`, `{}`, `{"code":"x","silent":false,"big":12345678901234567890}`}
	mac := hmac.New(sha256.New, []byte(key))
	frames := [][]byte{[]byte("client"), []byte("<IDS|MSG>"), nil}
	for _, p := range parts {
		mac.Write([]byte(p))
		frames = append(frames, []byte(p))
	}
	frames[2] = []byte(hex.EncodeToString(mac.Sum(nil)))
	return append(frames, []byte("a buffer"))
}

func TestParse(t *testing.T) {
	m, err := parse([]byte("key"), wired("key"))
	if err != nil || m.header.ID != "1" || m.header.Type != "execute_request" || string(m.identities[0]) != "client" || text(m.content(), "code") != "x" || flag(m.content(), "silent", true) {
		t.Fatalf("%+v, %v", m, err)
	}
	// What is not changed goes on as it came, buffers and signature included.
	if got := m.frames([]byte("key"), m.identities...).Frames; !bytes.Equal(bytes.Join(got, nil), bytes.Join(wired("key"), nil)) {
		t.Errorf("passed on as %q", got)
	}
	// What is changed is signed anew, and its numbers stay as they are written.
	content := m.content()
	content["code"] = "y"
	changed, err := parse([]byte("key"), m.with(content).frames([]byte("key")).Frames)
	if err != nil || text(changed.content(), "code") != "y" || !bytes.Contains(changed.parts[contentPart], []byte("12345678901234567890")) || text(m.content(), "code") != "x" {
		t.Errorf("%s, %v", changed.parts[contentPart], err)
	}
	answer, err := parse([]byte("key"), m.answer("execute_reply", map[string]any{}).frames([]byte("key")).Frames)
	if err != nil || answer.parent.ID != "1" || answer.header.Session != "s" || answer.header.ID == "" {
		t.Errorf("%+v, %v", answer, err)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, frames := range map[string][][]byte{
		"another key":      wired("other"),
		"a missing part":   wired("key")[:5],
		"no delimiter":     wired("key")[2:],
		"nothing":          nil,
		"no JSON":          {[]byte("<IDS|MSG>"), nil, []byte("x"), []byte("{}"), []byte("{}"), []byte("{}")},
		"a changed letter": func() [][]byte { f := wired("key"); f[6] = []byte(`{"code":"z"}`); return f }(),
	} {
		key := "key"
		if name == "no JSON" {
			key = ""
		}
		if m, err := parse([]byte(key), frames); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func TestConnection(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "kernel-1234.json")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(`{"transport":"tcp","ip":"127.0.0.1","shell_port":5,"key":"k","signature_scheme":"hmac-sha256"}`)
	c, err := readConnection(path)
	if err != nil || c.address(c.Shell) != "tcp://127.0.0.1:5" {
		t.Fatalf("%+v, %v", c, err)
	}
	inner, file, err := c.inFolder(t.TempDir())
	if err != nil || inner.Key != "k" || filepath.Base(file) != "kernel-1234.json" || !strings.HasPrefix(inner.address(inner.IOPub), "ipc:///") {
		t.Errorf("%+v in %s, %v", inner, file, err)
	}
	if again, err := readConnection(file); err != nil || again.address(again.Stdin) != inner.address(inner.Stdin) {
		t.Errorf("%+v, %v", again, err)
	}
	for _, bad := range []string{"{", `{"signature_scheme":"hmac-md5"}`} {
		write(bad)
		if _, err := readConnection(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
