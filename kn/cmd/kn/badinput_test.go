package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
)

// damaged is a copy of the small model with one file replaced.
func damaged(t *testing.T, file string, change func([]byte) []byte) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(small(t))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, file)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, change(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// written is a file with the text.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prompts.txt")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

const prompt = "The capital of france is [MASK] ."

// TestFailures: exit status 1, nothing on standard output although JSON was
// asked for, and one line on standard error that names culprit and remedy.
func TestFailures(t *testing.T) {
	model := small(t)
	replace := func(from, to string) func([]byte) []byte {
		return func(data []byte) []byte { return bytes.Replace(data, []byte(from), []byte(to), 1) }
	}
	truncated := damaged(t, "model.safetensors", func(data []byte) []byte { return data[:len(data)/2] })
	garbage := damaged(t, "model.safetensors", func([]byte) []byte { return []byte("not tensors") })
	nan := damaged(t, "model.safetensors", func(data []byte) []byte {
		copy(data[len(data)-4:], "\x00\x00\xc0\x7f")
		return data
	})
	gpt := damaged(t, "config.json", replace(`"bert"`, `"t5"`))
	misfit := damaged(t, "config.json", replace(`"vocab_size": 268`, `"vocab_size": 30522`))
	layers := damaged(t, "config.json", replace(`"num_hidden_layers": 2`, `"num_hidden_layers": 3`))
	torn := damaged(t, "config.json", func(data []byte) []byte { return data[:100] })
	predict := func(model, prompt string, more ...string) []string {
		return append([]string{"predict", "--model", model, "--prompt", prompt, "--json"}, more...)
	}
	neurons := func(file string) []string {
		return []string{"neurons", "--model", model, "--prompts", file, "--answer", "Paris", "--json"}
	}
	full := filepath.Dir(written(t, "mine"))
	for name, c := range map[string]struct {
		args  []string
		words []string
	}{
		"missing folder":     {predict("./no/such/folder", prompt), []string{"./no/such/folder"}},
		"missing hub model":  {predict("no-such-owner/no-such-model", prompt), []string{"no-such-owner/no-such-model", "HF_HUB_OFFLINE", "no folder"}},
		"unknown name":       {predict("maxi", prompt), []string{"maxi"}},
		"file":               {predict(filepath.Join(model, "config.json"), prompt), []string{"config.json", "folder"}},
		"folder, no model":   {predict(t.TempDir(), prompt), []string{"config.json"}},
		"truncated weights":  {predict(truncated, prompt), []string{truncated, "model.safetensors"}},
		"garbage weights":    {predict(garbage, prompt), []string{garbage, "model.safetensors"}},
		"NaN weights":        {predict(nan, prompt), []string{nan, "NaN"}},
		"other architecture": {predict(gpt, prompt), []string{gpt, "t5"}},
		"vocabulary misfit":  {predict(misfit, prompt), []string{misfit, "30522", "268"}},
		"missing tensors":    {predict(layers, prompt), []string{layers, "layer.2."}},
		"torn config":        {predict(torn, prompt), []string{torn, "config.json"}},
		"no mask":            {predict(model, "Paris is in france"), []string{"no mask", "Paris is in france"}},
		"two masks":          {predict(model, "[MASK] is in [MASK]"), []string{"more than one mask"}},
		"too long":           {predict(model, "[MASK]"+strings.Repeat(" a", 100)), []string{"103 tokens of at most 64"}},
		"unspellable":        {predict(model, prompt, "--answer", "日"), []string{"日"}},
		"empty answer": {
			[]string{"attribute", "--model", model, "--prompt", prompt, "--answer", "", "--json"}, []string{"no answer"},
		},
		"neuron out of range": {
			[]string{"scale", "--model", model, "--prompt", prompt, "--answer", "Paris", "--neurons", "0:1,2:0", "--json"},
			[]string{"2:0", "0 to 1", "0 to 31"},
		},
		"too few nodes": {
			[]string{"attribute", "--model", model, "--prompt", prompt, "--answer", "Paris", "--rule", "trapezoid", "--nodes", "1"},
			[]string{"at least 2"},
		},
		"too few nodes to adapt": {
			[]string{"attribute", "--model", model, "--prompt", prompt, "--answer", "Paris", "--nodes", "3"},
			[]string{"at least 9"},
		},
		"missing prompts":   {neurons("./no-such.txt"), []string{"./no-such.txt", "one prompt a line"}},
		"folder of prompts": {neurons(model), []string{model}},
		"blank prompts":     {neurons(written(t, "\n \r\n")), []string{"prompts.txt", "[MASK]"}},
		"bad line":          {neurons(written(t, prompt+"\n\nno mask\n")), []string{"prompts.txt:3", "no mask"}},
		"Latin-1":           {neurons(written(t, prompt+"\nM\xfcnchen is [MASK]\n")), []string{"prompts.txt:2", "UTF-8"}},
		"no facts":          {[]string{"facts", "--model", model, "--json"}, []string{model, "no facts"}},
		"folder in use":     {[]string{"export", "--model", model, "--out", full}, []string{full, "--force"}},
		"missing edits":     {[]string{"edit", "--model", model, "--edits", "./no-such.json", "--prompt", prompt, "--json"}, []string{"./no-such.json", "kn edit --out"}},
		"edits of a larger model": {
			[]string{"edit", "--model", model, "--edits", written(t, `{"edits": [{"op": "erase", "neurons": [[7, 0]]}]}`), "--prompt", prompt},
			[]string{"prompts.txt", "7:0", "0 to 1"},
		},
		"edits at [MASK] in weights": {
			[]string{"export", "--model", model, "--edits", written(t, `{"edits": [{"op": "scale", "neurons": [[0, 1]], "value": 0}]}`), "--out", filepath.Join(t.TempDir(), "new")},
			[]string{"[MASK] alone", "all positions"},
		},
		"no facts to edit":     {[]string{"edit", "--model", model, "--op", "erase", "--relation", "P36"}, []string{model, "--facts"}},
		"edits where none fit": {[]string{"edit", "--model", model, "--op", "erase", "--neurons", "0:1", "--out", filepath.Join(full, "no", "such.json"), "--json"}, []string{"such.json"}},
		"export to a file":     {[]string{"export", "--model", model, "--out", filepath.Join(full, "prompts.txt")}, []string{"prompts.txt", "folder"}},
	} {
		o := finished(t, command(t, c.args...))
		if o.code != cli.ExitFailure || o.stdout != "" || !isOneLine(o.stderr) {
			t.Errorf("%s: exit status %d, stdout %q, stderr %q", name, o.code, o.stdout, o.stderr)
		}
		for _, w := range c.words {
			if !strings.Contains(o.stderr, w) {
				t.Errorf("%s: %q does not say %q", name, o.stderr, w)
			}
		}
	}
}

// TestFullDiskForTheResult: a result that cannot be written is a failure.
func TestFullDiskForTheResult(t *testing.T) {
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer full.Close()
	var stderr bytes.Buffer
	cmd := command(t, "tokenize", "--model", small(t), "--json", "Paris")
	cmd.Stdout, cmd.Stderr = full, &stderr
	if err := cmd.Run(); err == nil || !strings.Contains(stderr.String(), "no space left") {
		t.Errorf("error %v, stderr %q", err, &stderr)
	}
}
