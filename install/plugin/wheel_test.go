package plugin

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kernel"
	"github.com/knowledge-neurons/gonb-kn/kn/xla"
)

// standIn stands for a Python with pip: "pip download" copies the wheel that
// a variable names, and writes down what it was asked and told.
const standIn = `#!/bin/sh
case "$1 $2 $3" in
"-m pip download")
	echo "$@" "$TMPDIR" > "$STAND_IN/asked"
	for a; do case "$a" in --dest=*) dest="${a#--dest=}";; esac; done
	mkdir -p "$dest" && cp "$STAND_IN/wheel" "$dest/a-1-py3-none-any.whl" ;;
esac
`

// standInPython puts a stand-in before everything on the PATH.
func standInPython(t *testing.T, script string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "python3"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+os.Getenv("PATH"))
	t.Setenv("STAND_IN", dir)
	return dir
}

// zipped makes a zip with one file.
func zipped(t *testing.T, name string, content []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create(name)
	if err == nil {
		_, err = f.Write(content)
	}
	if err == nil {
		err = z.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestFetchWheel(t *testing.T) {
	dir := standInPython(t, standIn)
	good := zipped(t, cpuWheel.file, sound)
	half := good[:len(good)/2]
	digest := func(b []byte) string { return fmt.Sprintf("%x", sha256.Sum256(b)) }
	for _, c := range []struct {
		name, sha256 string
		content      []byte
		fault        string
	}{
		{"good", digest(good), good, ""},
		{"another file under the name", cpuWheel.sha256, good, "has SHA-256 " + digest(good) + ", not " + cpuWheel.sha256},
		{"no plug-in inside", digest(zipped(t, "other", nil)), zipped(t, "other", nil), "pjrt_c_api_cpu_plugin.so"},
		{"no zip", digest(half), half, "a-1-py3-none-any.whl: zip"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, "wheel"), c.content, 0o644); err != nil {
				t.Fatal(err)
			}
			w, staging := cpuWheel, t.TempDir()
			w.sha256 = c.sha256
			file, err := fetchWheel(context.Background(), kernel.Paths{Data: dir}, w, staging)
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			got, err := os.ReadFile(file)
			if err != nil || !bytes.Equal(got, sound) {
				t.Errorf("unpacked %d bytes of %d (%v)", len(got), len(sound), err)
			}
			if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o500 != 0o500 {
				t.Errorf("it cannot be loaded: %v", info.Mode())
			}
			asked, err := os.ReadFile(filepath.Join(dir, "asked"))
			for _, want := range []string{cpuWheel.requirement, "--no-deps", cpuWheel.platform, " " + staging + "\n"} {
				if err != nil || !strings.Contains(string(asked), want) {
					t.Errorf("pip was not told %q: %s", want, asked)
				}
			}
		})
	}
}

// TestFetchWheelWithoutNetwork: pip's own words are in the error.
func TestFetchWheelWithoutNetwork(t *testing.T) {
	dir := standInPython(t, "#!/bin/sh\nif [ \"$3\" = download ]; then echo 'ERROR: could not connect to proxy'; exit 1; fi\n")
	_, err := fetchWheel(context.Background(), kernel.Paths{Data: dir}, cpuWheel, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "could not connect to proxy") || !strings.Contains(err.Error(), "pip's settings") {
		t.Errorf("%v", err)
	}
}

// TestUnzipStops: a cancelled context ends unpacking.
func TestUnzipStops(t *testing.T) {
	dir := t.TempDir()
	archive := filepath.Join(dir, "a.whl")
	if err := os.WriteFile(archive, zipped(t, "file", sound), 0o644); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := unzip(ctx, archive, "file", filepath.Join(dir, "out")); err != context.Canceled {
		t.Errorf("%v", err)
	}
}

// TestGoMLXUnreachable: where GitHub cannot be reached that is said at once.
func TestGoMLXUnreachable(t *testing.T) {
	p, err := kernel.Locate()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOPROXY", "off") // nothing is needed to build it
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	t.Setenv("NO_PROXY", "")
	_, err = fetchGoMLX(context.Background(), p, t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "GitHub cannot be reached") {
		t.Errorf("%v", err)
	}
}

// TestFileNameIsTheWheels: what is unpacked is found under the name it has.
func TestFileNameIsTheWheels(t *testing.T) {
	if filepath.Base(cpuWheel.file) != xla.FileName(xla.CPU) {
		t.Errorf("%s against %s", cpuWheel.file, xla.FileName(xla.CPU))
	}
}
