package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
)

// stamps remembers with which inputs each step was done.
type stamps struct {
	path string
	done map[string]string
}

// readStamps reads the stamps of an earlier run. A damaged file counts as none.
func readStamps(data string) stamps {
	s := stamps{filepath.Join(data, "install.json"), map[string]string{}}
	content, err := os.ReadFile(s.path)
	if err != nil {
		return s
	}
	done := map[string]string{}
	if json.Unmarshal(content, &done) == nil {
		maps.Copy(s.done, done)
	}
	return s
}

func (s stamps) has(step, stamp string) bool { return s.done[step] == digest(stamp) }

func (s stamps) add(step, stamp string) error {
	s.done[step] = digest(stamp)
	content, err := json.MarshalIndent(s.done, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(s.path), 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(s.path, content, 0o644)
}

func digest(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// moduleDigest digests everything that decides what the kernel, the library
// and the quickstart do: the module's sources, embedded files and notebook,
// and where the module is.
func moduleDigest(root string) (string, error) {
	hash := sha256.New()
	fmt.Fprintln(hash, root)
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, "_test.go") || filepath.Base(filepath.Dir(path)) == "notebooks" && name != "quickstart.ipynb" {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if info.Size() > 1<<20 {
			// The embedded model: its size and time tell enough.
			fmt.Fprintln(hash, path, info.Size(), info.ModTime().UnixNano())
			return nil
		}
		content, err := os.ReadFile(path)
		fmt.Fprintln(hash, path, len(content))
		hash.Write(content)
		return err
	})
	return fmt.Sprintf("%x", hash.Sum(nil)), err
}
