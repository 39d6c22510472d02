//go:build linux || darwin

package worker

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestFolderIsPrivate(t *testing.T) {
	dir := t.TempDir()
	loose, file, link := filepath.Join(dir, "loose"), filepath.Join(dir, "file"), filepath.Join(dir, "link")
	must(t, os.Mkdir(loose, 0o755))
	must(t, os.WriteFile(file, nil, 0o600))
	must(t, os.Symlink(loose, link))

	must(t, private(loose))
	must(t, private(filepath.Join(dir, "new")))
	for _, path := range []string{loose, filepath.Join(dir, "new")} {
		info, err := os.Stat(path)
		must(t, err)
		if info.Mode().Perm() != 0o700 {
			t.Errorf("%s: %v", path, info.Mode())
		}
	}
	contains(t, private(file), "not a folder of this user")
	contains(t, private(link), "not a folder of this user") // another user could turn it elsewhere
	if os.Getuid() == 0 {
		must(t, os.Chown(loose, 12345, 12345))
		contains(t, private(loose), "not a folder of this user")
	}
}

func TestSocketPathsAreShort(t *testing.T) {
	long := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	must(t, os.MkdirAll(long, 0o700))
	program, err := os.Executable()
	must(t, err)
	for _, runtime := range []string{"", long, "relative", "/nowhere/at/all"} {
		for _, temporary := range []string{"/tmp", long} {
			t.Setenv("XDG_RUNTIME_DIR", runtime)
			t.Setenv("TMPDIR", temporary)
			_, socket, err := place(&Spec{Program: program, Key: strings.Repeat("key", 100), Kernel: 4194303})
			if err != nil && runtime != "/nowhere/at/all" {
				t.Error(err)
			}
			if len(socket) > maxSocket {
				t.Errorf("%d bytes: %s", len(socket), socket)
			}
		}
	}
}

func TestAnotherBuildIsAnotherWorker(t *testing.T) {
	spec := setUp(t)
	spec.Program = script(t, spec.Program)
	older := pid(t, dial(t, spec))
	must(t, os.Chtimes(spec.Program, time.Time{}, time.Now().Add(time.Hour)))
	newer := pid(t, dial(t, spec))
	if newer == older {
		t.Error("the older build's worker answered")
	}
	ends(t, older)

	// A worker that is busy is left alone.
	file := filepath.Join(t.TempDir(), "file")
	busy := dial(t, spec)
	ctx, cancel := context.WithCancel(timeout(t))
	defer cancel()
	returned := make(chan error)
	go func() { returned <- busy.Call(ctx, "block", file, Events{}) }()
	appears(t, file, "started")
	must(t, os.Chtimes(spec.Program, time.Time{}, time.Now().Add(2*time.Hour)))
	if pid(t, dial(t, spec)) == newer || !alive(newer) {
		t.Error("the busy worker has left, or answered")
	}
	cancel()
	if err := <-returned; !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// script is a program that becomes another.
func script(t *testing.T, program string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kn")
	must(t, os.WriteFile(path, []byte(fmt.Sprintf("#!/bin/sh\nexec %q \"$@\"\n", program)), 0o700))
	return path
}

// TestProgramsSideBySide: notebooks that use programs of their own do not
// throw each other's workers out.
func TestProgramsSideBySide(t *testing.T) {
	spec := setUp(t)
	other := spec
	other.Program, other.Kernel = script(t, spec.Program), startKernel(t).Process.Pid
	first, second := pid(t, dial(t, spec)), pid(t, dial(t, other))
	if first == second || pid(t, dial(t, spec)) != first || pid(t, dial(t, other)) != second || started() != 2 {
		t.Errorf("workers %d and %d, %d started", first, second, started())
	}
}

func TestAnotherProtocolIsRefused(t *testing.T) {
	spec := setUp(t)
	_, socket, err := place(&spec)
	must(t, err)
	for hello, want := range map[string]string{
		fmt.Sprintf(helloFormat, protocol+1, 1): fmt.Sprintf("speaks version %d", protocol+1),
		"HTTP/1.1 400 Bad Request\n":            "does not answer",
		strings.Repeat("x", 2*helloSize):        "does not answer",
	} {
		listener, err := net.Listen("unix", socket)
		must(t, err)
		go func() {
			conn, err := listener.Accept()
			if err == nil {
				conn.Write([]byte(hello))
				conn.Close()
			}
		}()
		_, err = Dial(timeout(t), spec)
		contains(t, err, want)
		if !errors.Is(err, ErrUnavailable) {
			t.Errorf("%v is not ErrUnavailable", err)
		}
		listener.Close()
	}
}

// TestSweep: what killed workers left is removed, whatever the protocol; what
// is served or being started is not, nor other files.
func TestSweep(t *testing.T) {
	spec := setUp(t)
	dir, err := folder()
	must(t, err)
	const key, build = "0123456789abcdef-", "0123456789abcde"
	path := func(name string) string { return filepath.Join(dir, name) }
	left, kept := []string{}, []string{path("notes.log"), path("1-2.sock")}
	for i, name := range []string{key + build + "0", "123-" + key + build + "1"} {
		listener, err := net.Listen("unix", path(name+".sock"))
		must(t, err)
		listener.(*net.UnixListener).SetUnlinkOnClose(false)
		must(t, listener.Close())
		left = append(left, path(name+".sock"), path(name+".log"), path(name+".lock"), path(fmt.Sprintf("%s%s%d.log", key, build, 2+i)))
	}
	serving := path(key + build + "4.sock")
	listener, err := net.Listen("unix", serving)
	must(t, err)
	defer listener.Close()
	starting, err := tryLock(path(key + build + "5.lock"))
	must(t, err)
	kept = append(kept, logPath(serving), starting.Name(), path(key+build+"5.log"))
	for _, file := range append(left, kept...) {
		if !strings.HasSuffix(file, ".sock") {
			appendLine(file, "")
		}
	}
	appendLine(path("1-2.sock"), "")
	dial(t, spec)
	for _, file := range left {
		if _, err := os.Lstat(file); !os.IsNotExist(err) {
			t.Errorf("%s of a dead worker is still there", filepath.Base(file))
		}
	}
	for _, file := range append(kept, serving) {
		if _, err := os.Lstat(file); err != nil {
			t.Errorf("%s was removed", filepath.Base(file))
		}
	}
}

func TestLockExcludes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lock")
	first, err := tryLock(path)
	must(t, err)
	second, err := tryLock(path)
	must(t, err)
	if first == nil || second != nil {
		t.Fatalf("%v, %v", first, second)
	}
	unlock(first)
	third, err := tryLock(path)
	must(t, err)
	if third == nil {
		t.Fatal("not free after unlock")
	}
	unlock(third)
}
