package checkpoint

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/adrg/xdg"
	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kn/tokenizer"
)

// Digest is the SHA-256, in hex, over the contents of the files that the model
// is read from: configuration, tokenizer and weights. The hash of a large
// file on disk is remembered in the user's cache folder under its path, size
// and time of change, so that weights are hashed once.
func (f *Folder) Digest() (string, error) { return f.digest() }

func (f *Folder) computeDigest() (string, error) {
	weights, index, _, err := f.weightFiles()
	if err != nil {
		return "", err
	}
	files := []string{configFile}
	if f.has(tokenizer.TokenizerFile) {
		files = append(files, tokenizer.TokenizerFile)
	} else {
		files = append(files, f.tok.VocabularyFiles()...)
	}
	for _, file := range []string{tokenizer.ConfigFile, index} {
		if file != "" && f.has(file) {
			files = append(files, file)
		}
	}
	sum := sha256.New()
	for _, file := range append(files, weights...) {
		digest, err := f.fileDigest(file)
		if err != nil {
			return "", f.errorf("cannot read %s: %w", file, err)
		}
		fmt.Fprintf(sum, "%s %s\n", digest, file)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// remembered is a file's hash as it lies in the cache folder.
type remembered struct {
	Path    string `json:"path"`
	Size    int64  `json:"size"`
	ModTime int64  `json:"mod_time"` // nanoseconds since 1970
	SHA256  string `json:"sha256"`
}

// fileDigest hashes a file, or remembers its hash.
func (f *Folder) fileDigest(name string) (string, error) {
	if f.dir == "" {
		return f.hash(name)
	}
	path, err := filepath.EvalSymlinks(filepath.Join(f.dir, name))
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	if err != nil {
		return "", err
	}
	if info.Size() < 1<<20 {
		return f.hash(name)
	}
	now := remembered{Path: path, Size: info.Size(), ModTime: info.ModTime().UnixNano()}
	key := sha256.Sum256([]byte(path))
	memo := filepath.Join(xdg.CacheHome, "gonb-kn", "digests", hex.EncodeToString(key[:16])+".json")
	if before, ok := recall(memo); ok {
		now.SHA256 = before.SHA256
		if before == now {
			return before.SHA256, nil
		}
	}
	if now.SHA256, err = f.hash(name); err != nil {
		return "", err
	}
	// A file that is just being written may change again within the clock's
	// tick: only older ones are remembered. Failing to remember costs time only.
	if time.Since(info.ModTime()) > 2*time.Second {
		remember(memo, now)
	}
	return now.SHA256, nil
}

func recall(memo string) (remembered, bool) {
	var r remembered
	data, err := os.ReadFile(memo)
	if err != nil || json.Unmarshal(data, &r) != nil || len(r.SHA256) != 2*sha256.Size {
		return r, false
	}
	return r, true
}

func remember(memo string, r remembered) {
	data, err := json.Marshal(r)
	if err == nil && os.MkdirAll(filepath.Dir(memo), 0o755) == nil {
		_ = renameio.WriteFile(memo, data, 0o644) // see above: not remembered is not wrong
	}
}

func (f *Folder) hash(name string) (string, error) {
	file, err := f.fsys.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	sum := sha256.New()
	if _, err := io.CopyBuffer(sum, file, make([]byte, 1<<20)); err != nil {
		return "", err
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}
