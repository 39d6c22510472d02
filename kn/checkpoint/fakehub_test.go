package checkpoint

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// fakeHub answers like the Hugging Face hub, for one model.
type fakeHub struct {
	t       *testing.T
	mu      sync.Mutex
	files   map[string][]byte
	main    string // commit of the branch main
	token   string // asked for, if not empty
	breakAt int    // connections for large files break after so many bytes
	corrupt bool   // sends other bytes than announced
	log     []string
}

func newFakeHub(t *testing.T, names ...string) *fakeHub {
	h := &fakeHub{t: t, files: map[string][]byte{}, main: commitA}
	for _, name := range names {
		h.files[name] = read(t, tiny, name)
	}
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	home := t.TempDir()
	for name, value := range map[string]string{
		"HF_ENDPOINT": server.URL + "/", "HF_HOME": home, "HF_HUB_CACHE": "", "HUGGINGFACE_HUB_CACHE": "",
		"HF_TOKEN": "", "HUGGING_FACE_HUB_TOKEN": "", "HF_TOKEN_PATH": "", "HF_HUB_OFFLINE": "", "TRANSFORMERS_OFFLINE": "",
	} {
		t.Setenv(name, value)
	}
	return h
}

func (h *fakeHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.log = append(h.log, strings.TrimSpace(r.URL.Path+" "+r.Header.Get("Range")))
	if h.token != "" && r.Header.Get("Authorization") != "Bearer "+h.token {
		http.Error(w, "who are you?", http.StatusUnauthorized)
		return
	}
	if revision, ok := strings.CutPrefix(r.URL.Path, "/api/models/me/tiny/revision/"); ok {
		h.info(w, revision)
		return
	}
	for _, commit := range []string{commitA, commitB} {
		if name, ok := strings.CutPrefix(r.URL.Path, "/me/tiny/resolve/"+commit+"/"); ok && h.files[name] != nil {
			h.send(w, r, name)
			return
		}
	}
	http.NotFound(w, r)
}

func (h *fakeHub) info(w http.ResponseWriter, revision string) {
	if revision == "main" {
		revision = h.main
	}
	if revision != commitA && revision != commitB {
		http.Error(w, "no such revision", http.StatusNotFound)
		return
	}
	type file map[string]any
	siblings := []file{{"rfilename": "README.md", "size": 3, "blobId": "x"}}
	for name, data := range h.files {
		f := file{"rfilename": name, "size": len(data)}
		git := sha1.Sum(append(fmt.Appendf(nil, "blob %d\x00", len(data)), data...))
		f["blobId"] = hex.EncodeToString(git[:])
		if strings.HasSuffix(name, "safetensors") {
			sum := sha256.Sum256(data)
			f["lfs"] = file{"sha256": hex.EncodeToString(sum[:]), "size": len(data), "pointerSize": 130}
		}
		siblings = append(siblings, f)
	}
	if err := json.NewEncoder(w).Encode(file{"id": "me/tiny", "sha": revision, "siblings": siblings}); err != nil {
		h.t.Error(err)
	}
}

func (h *fakeHub) send(w http.ResponseWriter, r *http.Request, name string) {
	data := h.files[name]
	if h.corrupt {
		data = make([]byte, len(data))
	}
	start := 0
	if _, err := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-", &start); err == nil {
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", start, len(data)-1, len(data)))
	}
	data = data[start:]
	w.Header().Set("Content-Length", fmt.Sprint(len(data)))
	if start > 0 {
		w.WriteHeader(http.StatusPartialContent)
	}
	if h.breakAt > 0 && len(data) > h.breakAt {
		if _, err := w.Write(data[:h.breakAt]); err != nil {
			h.t.Error(err)
		}
		panic(http.ErrAbortHandler) // the connection breaks
	}
	if _, err := w.Write(data); err != nil {
		h.t.Error(err)
	}
}

// requests returns and forgets what was asked for.
func (h *fakeHub) requests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	log := h.log
	h.log = nil
	return log
}
