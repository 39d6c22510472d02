package cache

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
)

type result struct{ Values []float64 }

func key(t *testing.T, parts ...any) string {
	t.Helper()
	k, err := Key("test", parts...)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestGetReturnsWhatPutStored(t *testing.T) {
	c, want := At(t.TempDir()), result{[]float64{1, 0.1, 1e-300}}
	k := key(t, "a", 1)
	var got result
	if c.Get(k, &got) {
		t.Error("an empty cache has an entry")
	}
	if err := c.Put(k, want); err != nil {
		t.Fatal(err)
	}
	if !c.Get(k, &got) || !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if c.Get(key(t, "a", 2), &got) {
		t.Error("another key has the entry")
	}
}

// TestDamagedEntriesCountAsAbsent truncates and alters an entry at every byte.
func TestDamagedEntriesCountAsAbsent(t *testing.T) {
	c, k := At(t.TempDir()), key(t)
	if err := c.Put(k, result{[]float64{1, 2}}); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(c.path(k))
	if err != nil {
		t.Fatal(err)
	}
	var got result
	for i := range good {
		if err := os.WriteFile(c.path(k), good[:i], 0o644); err != nil {
			t.Fatal(err)
		}
		if c.Get(k, &got) {
			t.Fatalf("an entry cut at byte %d is taken for whole", i)
		}
		bad := append([]byte{}, good...)
		bad[i] ^= 1
		if err := os.WriteFile(c.path(k), bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if c.Get(k, &got) {
			t.Fatalf("an entry with byte %d altered is taken for good", i)
		}
	}
	if err := c.Put(k, result{[]float64{3}}); err != nil {
		t.Fatal(err)
	}
	if !c.Get(k, &got) {
		t.Error("a damaged entry cannot be replaced")
	}
}

func TestManyWritersOneFolder(t *testing.T) {
	dir, k := t.TempDir(), key(t)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 50 {
				c := At(dir)
				if err := c.Put(k, result{[]float64{7}}); err != nil {
					t.Error(err)
				}
				var got result
				if !c.Get(k, &got) || got.Values[0] != 7 {
					t.Error("an entry is seen half written")
				}
			}
		})
	}
	group.Wait()
}

func TestFolderThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := At(file).Put(key(t), result{}); err == nil {
		t.Error("no error although the folder is a file")
	}
}

func TestZeroCacheKeepsNothing(t *testing.T) {
	var c Cache
	if err := c.Put(key(t), result{}); err != nil {
		t.Fatal(err)
	}
	if c.Get(key(t), &result{}) {
		t.Error("the zero cache has an entry")
	}
}

func TestClear(t *testing.T) {
	c := At(t.TempDir())
	if err := c.Put(key(t), result{[]float64{1}}); err != nil {
		t.Fatal(err)
	}
	if freed, err := c.Clear(); err != nil || freed == 0 {
		t.Errorf("freed %d bytes, error %v", freed, err)
	}
	if c.Get(key(t), &result{}) {
		t.Error("an entry outlived Clear")
	}
}

// TestClearLeavesOtherFiles: the cache's folder may be one that holds more.
func TestClearLeavesOtherFiles(t *testing.T) {
	dir := t.TempDir()
	if err := At(dir).Put(key(t), result{[]float64{1}}); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("0123456789abcdef", 4) + ".json"
	others := []string{"notes.json", filepath.Join("work", "results.json"), filepath.Join("ff", "x.json"), filepath.Join("ff", long), filepath.Join("a", key(t)[:2], key(t)+".json")}
	for _, name := range others {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("{}"), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := At(dir).Clear(); err != nil {
		t.Fatal(err)
	}
	for _, name := range others {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Errorf("%s was removed: %v", name, err)
		}
	}
}

// TestFile makes a file once, keeps nothing of one that could not be written,
// and clears it.
func TestFile(t *testing.T) {
	c, k := At(t.TempDir()), key(t, "file")
	failed := errors.New("out of ink")
	if _, err := c.File(k, func(w io.Writer) error { _, _ = w.Write([]byte("half")); return failed }); !errors.Is(err, failed) {
		t.Fatalf("got %v", err)
	}
	made := 0
	for range 2 {
		path, err := c.File(k, func(w io.Writer) error { made++; _, err := w.Write([]byte("whole")); return err })
		if err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(path); err != nil || string(data) != "whole" {
			t.Errorf("%q, %v", data, err)
		}
	}
	if made != 1 {
		t.Errorf("made %d times", made)
	}
	if freed, err := c.Clear(); freed != 5 || err != nil {
		t.Errorf("freed %d, %v", freed, err)
	}
	if path, err := (Cache{}).File(k, nil); path != "" || err != nil {
		t.Errorf("a cache that is off: %q, %v", path, err)
	}
}
