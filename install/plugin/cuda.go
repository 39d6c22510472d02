package plugin

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"github.com/knowledge-neurons/gonb-kn/kernel"
	"github.com/knowledge-neurons/gonb-kn/kn/xla"
)

// cudaVersion is of the same XLA as the CPU's plug-in.
const cudaVersion = "0.11.2"

// cudaRequirements are the plug-in and what jax-cuda13-plugin's extra
// "with-cuda" asks for beside it: NVIDIA's libraries for CUDA 13. The
// plug-in's own search path has all that it loads but NVSHMEM, which is for
// several GPUs.
var cudaRequirements = []string{
	"jax-cuda13-pjrt==" + cudaVersion,
	"nvidia-cublas>=13.0.0.19,<14",
	"nvidia-cuda-cupti>=13.0.48,<14",
	"nvidia-cuda-nvcc>=13.0.48,<14",
	"nvidia-cuda-nvrtc>=13.0.48,<14",
	"nvidia-cuda-runtime>=13.0.48,<14",
	"nvidia-cudnn-cu13>=9.12.0.46,<10",
	"nvidia-cufft>=12.0.0.15,<13",
	"nvidia-cusolver>=12.0.3.29,<13",
	"nvidia-cusparse>=12.6.2.49,<13",
	"nvidia-nccl-cu13>=2.27.7,<3",
	"nvidia-nvjitlink>=13.0.39,<14",
	"nvidia-nvshmem-cu13>=3.3.20,<4",
	"nvidia-nvvm>=13.0.48,<14",
}

// cudaFile is the plug-in among the files that pip installs. It looks for
// NVIDIA's libraries in ../../nvidia, so all stay together.
const cudaFile = "jax_plugins/xla_cuda13/xla_cuda_plugin.so"

// InstallCUDA puts the plug-in for NVIDIA GPUs and NVIDIA's libraries (2.5 GB
// to download, 4 GB on disk) into a folder below dir, and a link to it into dir.
// They come from PyPI, as jax has them there. It needs a driver for CUDA 13
// (580 or later). The plug-in with such libraries was tried on an H200; the
// installation itself was run on a machine without a GPU, where all
// that the plug-in loads is found from it but the driver.
func InstallCUDA(ctx context.Context, p kernel.Paths, dir string, progress func(string)) error {
	if err := onlyLinuxAMD64(cudaRequirements[0]); err != nil {
		return fmt.Errorf("plugin: %w", err)
	}
	return installCUDA(ctx, dir, progress, func(ctx context.Context, scratch, target string) error {
		return pipCUDA(ctx, p, scratch, target)
	})
}

// pipCUDA lets pip put all packages into a folder, where they find each other.
func pipCUDA(ctx context.Context, p kernel.Paths, scratch, target string) error {
	args := []string{"install", "--quiet", "--no-deps", "--only-binary=:all:", "--no-compile", "--target=" + target}
	return p.Pip(ctx, scratch, append(args, cudaRequirements...)...)
}

// installCUDA fills a folder by pip and moves it into place.
func installCUDA(ctx context.Context, dir string, progress func(string), pip func(ctx context.Context, scratch, target string) error) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("plugin: %w; set XDG_DATA_HOME to a folder that can be written", err)
	}
	unlock, err := lock(ctx, dir, progress)
	if err != nil {
		return err
	}
	defer unlock()
	final, link := filepath.Join(dir, "cuda13-"+cudaVersion), filepath.Join(dir, xla.FileName(xla.CUDA))
	installed := xla.Plugin{Name: xla.CUDA, Path: filepath.Join(final, cudaFile)}
	if (xla.Plugin{Name: xla.CUDA, Path: link}).Check() == nil {
		return nil
	}
	progress("from PyPI")
	staging, err := os.MkdirTemp(dir, stagingName)
	if err != nil {
		return err
	}
	defer os.RemoveAll(staging)
	files := filepath.Join(staging, "files")
	if err := pip(ctx, staging, files); err != nil {
		return errors.Join(fmt.Errorf("plugin: the plug-in %q could not be installed: %w", xla.CUDA, err), ctx.Err())
	}
	if err := (xla.Plugin{Name: xla.CUDA, Path: filepath.Join(files, cudaFile)}).Check(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	// What is there is not whole, or the check above would have ended this.
	if err := errors.Join(os.RemoveAll(final), os.Rename(files, final)); err != nil {
		return err
	}
	// The link comes last: it is what plug-ins are found by.
	rel, err := filepath.Rel(dir, installed.Path)
	if err != nil {
		return err
	}
	return renameio.Symlink(rel, link)
}
