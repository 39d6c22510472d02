// Package cache keeps results on disk under the digest of everything that
// determines them, so that a notebook that runs again computes nothing.
package cache

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/adrg/xdg"
	"github.com/google/renameio/v2"
)

// EnvVar names the environment variable that chooses the cache's folder;
// "off" turns the cache off.
const EnvVar = "KN_CACHE"

// format is part of every key: results written by code that computes or
// stores them differently are never read.
const format = 4

// Cache is a folder of results. The zero value keeps nothing. Any number of
// processes may use one folder: entries are written whole or not at all, and
// an entry's content is determined by its key.
type Cache struct{ dir string }

// Default returns the cache in the user's cache folder, or where EnvVar says.
func Default() Cache {
	switch dir := os.Getenv(EnvVar); dir {
	case "off":
		return Cache{}
	case "":
		return Cache{filepath.Join(xdg.CacheHome, "gonb-kn", "results")}
	default:
		return Cache{dir}
	}
}

// At returns the cache in a folder of the caller's choice.
func At(dir string) Cache { return Cache{dir} }

// Key returns the digest of what determines a result: the kind of result,
// and values that marshal to JSON.
func Key(kind string, parts ...any) (string, error) {
	data, err := json.Marshal(append([]any{format, kind}, parts...))
	if err != nil {
		return "", fmt.Errorf("kn: cache key of %s: %w", kind, err)
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:]), nil
}

// Get reads the result stored under key into result. An entry that is
// missing, damaged, or of another shape counts as absent.
func (c Cache) Get(key string, result any) bool {
	if c.dir == "" {
		return false
	}
	data, err := os.ReadFile(c.path(key))
	if err != nil {
		return false
	}
	sum, body, ok := bytes.Cut(data, []byte("\n"))
	if !ok || string(sum) != checksum(body) {
		return false
	}
	return json.Unmarshal(body, result) == nil
}

// Put stores a result under key. It is written to a temporary file first, so
// that no other process ever sees half of it.
func (c Cache) Put(key string, result any) error {
	if c.dir == "" {
		return nil
	}
	body, err := json.Marshal(result)
	if err != nil {
		return fmt.Errorf("kn: caching a result: %w", err)
	}
	path := c.path(key)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("kn: caching a result: %w; set %s to a folder that can be written, or to \"off\"", err, EnvVar)
	}
	data := append([]byte(checksum(body)+"\n"), body...)
	if err := renameio.WriteFile(path, data, 0o644); err != nil {
		return fmt.Errorf("kn: caching a result in %s: %w; free some space, or set %s", c.dir, err, EnvVar)
	}
	return nil
}

// File returns the path of a file of bytes under key, which write makes if it
// is not there. With the cache off the path is "".
func (c Cache) File(key string, write func(w io.Writer) error) (path string, err error) {
	if c.dir == "" {
		return "", nil
	}
	path = strings.TrimSuffix(c.path(key), ".json") + ".bin"
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return "", fmt.Errorf("kn: caching a file: %w; set %s to a folder that can be written, or to \"off\"", err, EnvVar)
	}
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o644))
	if err != nil {
		return "", fmt.Errorf("kn: caching a file: %w; set %s to a folder that can be written, or to \"off\"", err, EnvVar)
	}
	defer func() { err = errors.Join(err, file.Cleanup()) }() // does nothing after it was put in place
	if err := write(file); err != nil {
		return "", err
	}
	if err := file.CloseAtomicallyReplace(); err != nil {
		return "", fmt.Errorf("kn: caching a file in %s: %w; free some space, or set %s", c.dir, err, EnvVar)
	}
	return path, nil
}

// entry is the path of an entry in the cache's folder, as path and File make it.
var entry = regexp.MustCompile(`^([0-9a-f]{2})/([0-9a-f]{64})\.(json|bin)$`)

// Clear removes all entries and returns how many bytes they took. Other files
// in the folder are left alone.
func (c Cache) Clear() (freed int64, err error) {
	if c.dir == "" {
		return 0, nil
	}
	err = fs.WalkDir(os.DirFS(c.dir), ".", func(name string, file fs.DirEntry, err error) error {
		if err != nil || file.IsDir() {
			return err
		}
		match := entry.FindStringSubmatch(name)
		if match == nil || match[1] != match[2][:2] {
			return nil
		}
		if info, err := file.Info(); err == nil {
			freed += info.Size()
		}
		if err := os.Remove(filepath.Join(c.dir, name)); !errors.Is(err, fs.ErrNotExist) { // another process may clear, too
			return err
		}
		return nil
	})
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return freed, err
}

// path spreads entries over 256 folders.
func (c Cache) path(key string) string { return filepath.Join(c.dir, key[:2], key+".json") }

func checksum(body []byte) string {
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}
