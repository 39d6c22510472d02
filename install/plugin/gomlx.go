package plugin

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/knowledge-neurons/gonb-kn/kernel"
	"github.com/knowledge-neurons/gonb-kn/kn/xla"
)

// gomlxPatience is how long GoMLX's installer may take for its 60 MB.
const gomlxPatience = 10 * time.Minute

// fetchGoMLX runs GoMLX's installer, which takes the version of the plug-in
// that it was made for.
func fetchGoMLX(ctx context.Context, p kernel.Paths, staging string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, gomlxPatience)
	defer cancel()
	program := filepath.Join(staging, "gomlx")
	build := exec.CommandContext(ctx, p.Go, "build", "-o", program, "./install/plugin/gomlx")
	build.Dir = p.Root
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building its installer: %w\n%s", err, out)
	}
	dir := filepath.Join(staging, "gomlx-files")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	run := exec.CommandContext(ctx, program, dir)
	run.Env = append(os.Environ(), "TMPDIR="+staging)
	if out, err := run.CombinedOutput(); err != nil {
		return "", fmt.Errorf("%w: %s", err, strings.TrimSpace(string(out)))
	}
	return oneFile(filepath.Join(dir, xla.FileName(xla.CPU)))
}
