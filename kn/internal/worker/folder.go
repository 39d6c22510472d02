//go:build linux || darwin

package worker

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// A worker's files are in one folder:
//
//	<digest of key and program>-<digest of protocol and build>.sock
//
// and the same with .lock (held while a worker is started) and .log (what
// the worker prints). Workers that differ in the last part alone are of
// different builds of one program. Protocol 1 had <process id of the kernel>-
// in front, and the program was in the last part.

// maxSocket is the longest path of a socket that every system takes, in bytes.
const maxSocket = 100

// nameSize is the length of a socket's name in the folder: two digests.
const nameSize = len("/0123456789abcdef-0123456789abcdef.sock")

// fileName matches the names of workers' files, of any protocol.
var fileName = regexp.MustCompile(`^((?:[0-9]+-)?[0-9a-f]{16}-[0-9a-f]{16})\.(?:sock|lock|log)$`)

// place finds the program's absolute path and the worker's socket.
func place(spec *Spec) (program, socket string, err error) {
	program, err = exec.LookPath(spec.Program)
	if err == nil {
		program, err = filepath.Abs(program)
	}
	var info fs.FileInfo
	if err == nil {
		info, err = os.Stat(program)
	}
	if err != nil {
		return "", "", unavailablef("the program to start: %w", err)
	}
	dir, err := folder()
	if err != nil {
		return "", "", unavailablef("%w", err)
	}
	build := fmt.Sprint(protocol, info.Size(), info.ModTime().UnixNano())
	name := fmt.Sprintf("%s-%s.sock", digest(spec.Key+"\x00"+program), digest(build))
	return program, filepath.Join(dir, name), nil
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}

// folder returns the user's private folder for sockets, and makes it.
func folder() (string, error) {
	var err error
	if dir := os.Getenv("XDG_RUNTIME_DIR"); filepath.IsAbs(dir) {
		dir = filepath.Join(dir, "gonb-kn")
		if len(dir)+nameSize <= maxSocket {
			if err = private(dir); err == nil {
				return dir, nil
			}
		}
	}
	name := "gonb-kn-" + strconv.Itoa(os.Getuid())
	dir := filepath.Join(os.TempDir(), name)
	if len(dir)+nameSize > maxSocket {
		dir = filepath.Join("/tmp", name)
	}
	return dir, errors.Join(private(dir), err)
}

// private makes a folder that only this user may enter, or makes sure that
// an existing one is. In a folder that all may write to, another user could
// have made it first.
func private(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := os.Lstat(dir)
	if err != nil {
		return err
	}
	owner := info.Sys().(*syscall.Stat_t).Uid
	if !info.IsDir() || int(owner) != os.Getuid() {
		return fmt.Errorf("%s is not a folder of this user: remove it, or set XDG_RUNTIME_DIR to a private folder", dir)
	}
	if info.Mode().Perm() != 0o700 {
		return os.Chmod(dir, 0o700)
	}
	return nil
}

func lockPath(socket string) string { return strings.TrimSuffix(socket, ".sock") + ".lock" }
func logPath(socket string) string  { return strings.TrimSuffix(socket, ".sock") + ".log" }

// tryLock returns the locked file, or nil if another process has locked it.
// The file is removed when it is unlocked, so a lock counts only while the
// path still names the locked file.
func tryLock(path string) (*os.File, error) {
	for {
		file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
		if err != nil {
			return nil, err
		}
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil && isFile(file, path) {
			return file, nil
		}
		file.Close()
		switch err {
		case nil, syscall.EINTR: // removed meanwhile: try again
		case syscall.EWOULDBLOCK:
			return nil, nil
		default:
			return nil, fmt.Errorf("locking %s: %w", path, err)
		}
	}
}

func unlock(file *os.File) {
	os.Remove(file.Name())
	file.Close()
}

// isFile reports whether the path still names the open file.
func isFile(file *os.File, path string) bool {
	here, err := file.Stat()
	if err != nil {
		return false
	}
	there, err := os.Stat(path)
	return err == nil && os.SameFile(here, there)
}

// sockets returns the sockets of all workers, without one.
func sockets(without string) []string {
	found, _ := filepath.Glob(filepath.Join(filepath.Dir(without), "*.sock"))
	return slices.DeleteFunc(found, func(s string) bool { return s == without })
}

// sweep removes what other workers have left behind that were killed and could
// not do it themselves: nobody is starting them, and nobody listens.
func sweep(without string) {
	dir := filepath.Dir(without)
	entries, _ := os.ReadDir(dir)
	seen := map[string]bool{without: true}
	for _, entry := range entries {
		name := fileName.FindStringSubmatch(entry.Name())
		if name == nil {
			continue
		}
		socket := filepath.Join(dir, name[1]+".sock")
		if seen[socket] {
			continue
		}
		seen[socket] = true
		lock, err := tryLock(lockPath(socket))
		if err != nil || lock == nil {
			continue
		}
		if !listening(socket) {
			os.Remove(logPath(socket))
			os.Remove(socket)
		}
		unlock(lock)
	}
}

// listening reports whether a process listens at a socket.
func listening(socket string) bool {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return !errors.Is(err, os.ErrNotExist) && !errors.Is(err, syscall.ECONNREFUSED)
	}
	conn.Close()
	return true
}

// alive reports whether a process exists; one that may not be signalled does.
func alive(pid int) bool { return syscall.Kill(pid, 0) != syscall.ESRCH }
