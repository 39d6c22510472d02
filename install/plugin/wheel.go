package plugin

import (
	"archive/zip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/knowledge-neurons/gonb-kn/kernel"
)

// wheel is a package on PyPI with a plug-in in it.
type wheel struct {
	requirement string // as pip understands it
	platform    string
	sha256      string // of the wheel
	file        string // the plug-in inside
}

// cpuWheel is XLA of jaxlib 0.11.2, Apache-2.0.
var cpuWheel = wheel{
	requirement: "lammps-jax-pjrt-cpu==0.11.2",
	platform:    "manylinux_2_27_x86_64",
	sha256:      "1319390d948b39f69f7dade496b7c385149d9ca6097a6b62114da113216d9ad1",
	file:        "lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so",
}

// fetchWheel lets pip download a wheel, compares its digest and unpacks the
// plug-in.
func fetchWheel(ctx context.Context, p kernel.Paths, w wheel, staging string) (string, error) {
	dir := filepath.Join(staging, "wheel")
	err := p.Pip(ctx, staging, "download", "--quiet", "--no-deps", "--only-binary=:all:", "--platform="+w.platform, "--dest="+dir, w.requirement)
	if err != nil {
		return "", err
	}
	path, err := oneFile(filepath.Join(dir, "*.whl"))
	if err != nil {
		return "", err
	}
	if err := checkDigest(path, w.sha256); err != nil {
		return "", err
	}
	file := filepath.Join(staging, filepath.Base(w.file))
	return file, unzip(ctx, path, w.file, file)
}

// checkDigest compares a file's SHA-256.
func checkDigest(path, want string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return err
	}
	if got := fmt.Sprintf("%x", hash.Sum(nil)); got != want {
		return fmt.Errorf("%s has SHA-256 %s, not %s: pip's index has another file under this name; it was not used", filepath.Base(path), got, want)
	}
	return nil
}

// unzip unpacks one file of a zip, and has it on the disk when it returns.
func unzip(ctx context.Context, archive, name, target string) error {
	z, err := zip.OpenReader(archive)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(archive), err)
	}
	defer z.Close()
	in, err := z.Open(name)
	if err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(archive), err)
	}
	defer in.Close()
	out, err := os.OpenFile(target, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, untilDone{ctx, in})
	if err == nil {
		err = out.Sync()
	}
	if e := out.Close(); err == nil {
		err = e
	}
	return err
}

// untilDone is a reader that fails when its context is done.
type untilDone struct {
	ctx context.Context
	io.Reader
}

func (r untilDone) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.Reader.Read(b)
}
