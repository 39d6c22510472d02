package kernel

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// GoplsVersion is the gopls that is built for completion and inspection. It
// needs another version of golang.org/x/tools than the tools in go.mod, so it
// cannot be one of them.
const GoplsVersion = "v0.23.0"

// toolPackages are built from go.mod's versions.
var toolPackages = []string{
	"golang.org/x/tools/cmd/goimports",
	Module + "/kernel/cmd/gonb-kn",
}

// knPackage is the kn command.
const knPackage = Module + "/kn/cmd/kn"

// BuildTools builds the kernel's programs, at the versions of go.mod (GoNB with
// the edits of gonbsource.go), and the
// kn command, which computes on XLA too if withXLA says so. That needs a C
// compiler: see [Paths.CheckCompiler].
func (p Paths) BuildTools(ctx context.Context, withXLA bool) error {
	for _, dir := range []string{p.Bin(), p.Shim()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("kernel: %w; set XDG_DATA_HOME to a folder that can be written", err)
		}
	}
	modFile, err := p.editedGoNB(ctx)
	if err != nil {
		return err
	}
	into, env := []string{"build", "-o", p.Bin() + string(filepath.Separator)}, p.Environment(os.Environ())
	gonb := append(into, "-modfile="+modFile, gonbPackage)
	builds := [][]string{gonb, append(into, append(toolPackages, knPackage)...)}
	if withXLA {
		builds = [][]string{gonb, append(into, toolPackages...), append(into, "-tags=xla", knPackage)}
		env = append(env, "CGO_ENABLED=1")
	}
	for _, args := range builds {
		if _, err := command(ctx, p.Root, env, p.Go, args...); err != nil {
			return fmt.Errorf("kernel: building the tools: %w", err)
		}
	}
	for _, name := range []string{"go", "gopls"} {
		if err := replaceCopy(p.Program(Name), filepath.Join(p.Shim(), name)); err != nil {
			return err
		}
	}
	return nil
}

// InstallGopls builds gopls. The kernel works without it.
func (p Paths) InstallGopls(ctx context.Context) error {
	env := append(p.Environment(os.Environ()), "GOBIN="+p.Bin())
	_, err := command(ctx, p.Data, env, p.Go, "install", "golang.org/x/tools/gopls@"+GoplsVersion)
	return err
}

// replaceCopy copies a program over another one, which may be running.
func replaceCopy(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	temporary := to + ".new"
	target, err := os.OpenFile(temporary, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	if _, err := io.Copy(target, source); err != nil {
		target.Close()
		return err
	}
	if err := target.Close(); err != nil {
		return err
	}
	return os.Rename(temporary, to)
}

// warmPackages are what cells import; building them once makes the first
// cell quick.
var warmPackages = []string{Module + "/kn/...", Module + "/plots/...", Module + "/kernel/cells"}

// WarmCache builds what cells import, as the kernel builds it.
func (p Paths) WarmCache(ctx context.Context) error {
	_, err := command(ctx, p.Root, p.Environment(os.Environ()), p.Go, append([]string{"build"}, warmPackages...)...)
	if err != nil {
		return fmt.Errorf("kernel: warming the build cache: %w", err)
	}
	return nil
}
