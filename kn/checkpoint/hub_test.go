package checkpoint

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

const (
	commitA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	commitB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
)

var tinyFiles = []string{configFile, "vocab.txt", "tokenizer.json", "tokenizer_config.json", safetensorsFile}

func openHub(t *testing.T, opts HubOptions) (*Folder, error) {
	t.Helper()
	return OpenHub(context.Background(), "me/tiny", opts)
}

func TestHub(t *testing.T) {
	h := newFakeHub(t, tinyFiles...)
	var steps []string
	f, err := openHub(t, HubOptions{Progress: func(step string, done, total int64) {
		if done == total {
			steps = append(steps, step)
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	c, err := f.Load(context.Background(), nil)
	if err != nil || !reflect.DeepEqual(c.Tensors, mustLoad(t, tiny).Tensors) {
		t.Errorf("another model came out: %v", err)
	}
	if f.Commit() != commitA || f.Source() != "me/tiny@aaaaaaaaaaaa" || len(steps) != len(tinyFiles) {
		t.Errorf("commit %s, source %s, steps %q", f.Commit(), f.Source(), steps)
	}
	// The cache is laid out as Python's, in HF_HOME.
	link, err := os.Readlink(filepath.Join(os.Getenv("HF_HOME"), "hub/models--me--tiny/snapshots", commitA, safetensorsFile))
	if err != nil || !strings.HasPrefix(link, "../../blobs/") || len(filepath.Base(link)) != 64 {
		t.Errorf("the snapshot links to %q: %v", link, err)
	}
	// From now on the network is not asked, whatever happens to the branch.
	h.requests()
	h.main = commitB
	if f, err = openHub(t, HubOptions{}); err != nil || f.Commit() != commitA || len(h.requests()) != 0 {
		t.Errorf("opened again: commit %s, %v", f.Commit(), err)
	}
	if f, err = openHub(t, HubOptions{Revision: commitA, Offline: true}); err != nil || f.Commit() != commitA {
		t.Errorf("a pinned commit is not found offline: %v", err)
	}
	// Update moves on, and downloads nothing that it has.
	if f, err = openHub(t, HubOptions{Update: true}); err != nil || f.Commit() != commitB {
		t.Errorf("update: %v", err)
	}
	if asked := h.requests(); len(asked) != 1 {
		t.Errorf("update asked for %q", asked)
	}
}

// TestHubResume breaks every connection after some bytes.
func TestHubResume(t *testing.T) {
	h := newFakeHub(t, tinyFiles...)
	h.breakAt = 4000
	if _, err := openHub(t, HubOptions{}); err != nil {
		t.Fatal(err)
	}
	var ranges []string
	for _, request := range h.requests() {
		if _, r, ok := strings.Cut(request, safetensorsFile); ok {
			ranges = append(ranges, strings.TrimSpace(r))
		}
	}
	if got := strings.Join(ranges, ","); got != ",bytes=4000-,bytes=8000-" {
		t.Errorf("the weights were asked for in ranges %q", got)
	}

	// Another process goes on where one was stopped.
	if err := os.RemoveAll(filepath.Join(os.Getenv("HF_HOME"), "hub")); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err := OpenHub(ctx, "me/tiny", HubOptions{Progress: func(step string, done, _ int64) {
		if strings.HasSuffix(step, safetensorsFile) && done == 4000 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	h.requests()
	h.breakAt = 0
	if _, err := openHub(t, HubOptions{}); err != nil {
		t.Fatal(err)
	}
	if asked := h.requests(); asked[len(asked)-1] != "/me/tiny/resolve/"+commitA+"/"+safetensorsFile+" bytes=4000-" {
		t.Errorf("asked for %q", asked)
	}
}

// TestHubToken sends the token from each place where one can be.
func TestHubToken(t *testing.T) {
	h := newFakeHub(t, tinyFiles...)
	h.token = "hf_secret"
	if _, err := openHub(t, HubOptions{}); err == nil || !strings.Contains(err.Error(), "set HF_TOKEN") {
		t.Errorf("got %v", err)
	}
	try := func(where string, opts HubOptions) {
		opts.CacheDir = t.TempDir()
		if _, err := openHub(t, opts); err != nil {
			t.Errorf("token in %s: %v", where, err)
		}
	}
	try("options", HubOptions{Token: h.token})
	t.Setenv("HF_TOKEN", h.token)
	try("HF_TOKEN", HubOptions{})
	t.Setenv("HF_TOKEN", "")
	write(t, []byte(h.token+"\n"), os.Getenv("HF_HOME"), "token")
	try("HF_HOME/token", HubOptions{})
}

// TestHubOffline uses the cache only, and says what it lacks.
func TestHubOffline(t *testing.T) {
	h := newFakeHub(t, configFile, "vocab.txt", safetensorsFile)
	t.Setenv("HF_HUB_OFFLINE", "1")
	if _, err := openHub(t, HubOptions{}); err == nil || !strings.Contains(err.Error(), "revision main is not in the cache") {
		t.Errorf("got %v", err)
	}
	t.Setenv("HF_HUB_OFFLINE", "0")
	if _, err := openHub(t, HubOptions{}); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HF_HUB_OFFLINE", "true")
	h.requests()
	if _, err := openHub(t, HubOptions{}); err != nil || len(h.requests()) != 0 {
		t.Errorf("the cache holds all there is: %v", err)
	}
	model := filepath.Join(os.Getenv("HF_HOME"), "hub", "models--me--tiny")
	for _, file := range []string{
		filepath.Join(model, "snapshots", commitA, safetensorsFile),
		filepath.Join(model, ".no_exist", commitA, "tokenizer_config.json"),
	} {
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := openHub(t, HubOptions{}); err == nil || !strings.Contains(err.Error(), "lacks tokenizer_config.json, the weights of commit") {
		t.Errorf("got %v", err)
	}
	if asked := h.requests(); len(asked) != 0 {
		t.Errorf("offline, yet asked for %q", asked)
	}
}

// TestHubShards downloads what the index names.
func TestHubShards(t *testing.T) {
	h := newFakeHub(t, tinyFiles...)
	h.files["part.safetensors"] = h.files[safetensorsFile]
	delete(h.files, safetensorsFile)
	index := map[string]string{}
	for name := range mustLoad(t, tiny).Tensors {
		index[name] = "part.safetensors"
	}
	data, err := json.Marshal(map[string]any{"weight_map": index})
	if err != nil {
		t.Fatal(err)
	}
	h.files[safetensorsIndex] = data
	f, err := openHub(t, HubOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Load(context.Background(), nil); err != nil {
		t.Error(err)
	}
	h.files[safetensorsIndex] = []byte(`{"weight_map": {"x": "../../outside"}}`)
	if _, err := openHub(t, HubOptions{Revision: commitB}); err == nil || !strings.Contains(err.Error(), "names a shard") {
		t.Errorf("got %v", err)
	}
}

// TestHubErrors checks that each fault is named with its remedy.
func TestHubErrors(t *testing.T) {
	h := newFakeHub(t, tinyFiles...)
	expect := func(wants, id string, opts HubOptions) {
		t.Helper()
		_, err := OpenHub(context.Background(), id, opts)
		if err == nil || !strings.Contains(err.Error(), wants) {
			t.Errorf("got %v, want %q", err, wants)
		}
	}
	expect("is not the name of a model", "../etc", HubOptions{})
	expect("is not the name of a model", "a/b/c", HubOptions{})
	expect("is not the name of a revision", "me/tiny", HubOptions{Revision: "../../x"})
	expect("no such model or revision (v9)", "me/tiny", HubOptions{Revision: "v9"})
	expect("no such model", "me/other", HubOptions{})
	expect("cannot reach http://127.0.0.1:1", "me/tiny", HubOptions{Endpoint: "http://127.0.0.1:1"})
	h.main = "x"
	expect("no such model or revision (main)", "me/tiny", HubOptions{})
	h.main = commitA
	h.corrupt = true
	expect("config.json: what was downloaded has the hash", "me/tiny", HubOptions{})
	h.corrupt = false
	if _, err := openHub(t, HubOptions{}); err != nil {
		t.Errorf("after a corrupt download: %v", err)
	}
	delete(h.files, safetensorsFile)
	expect("the repository holds no weights", "me/tiny", HubOptions{Revision: commitB})

	full := filepath.Join(t.TempDir(), "cache")
	write(t, nil, full) // a file where the cache should be: nothing can be written
	expect("not a directory", "me/tiny", HubOptions{CacheDir: full})
}
