package backend

import (
	"maps"
	"os"
	"path/filepath"
	"testing"
)

// TestCUDAEnvironment: what the user has said stays, and what was set once is
// not set again, as in a child process.
func TestCUDAEnvironment(t *testing.T) {
	dir := t.TempDir()
	plugin := filepath.Join(dir, "a", "jax_plugins", "xla_cuda13", "xla_cuda_plugin.so")
	alone := filepath.Join(dir, "b", "jax_plugins", "xla_cuda13", "xla_cuda_plugin.so")
	if err := os.MkdirAll(filepath.Join(dir, "a", "nvidia"), 0o755); err != nil {
		t.Fatal(err)
	}
	const off = "--xla_gpu_enable_triton_gemm=false"
	for _, c := range []struct {
		name, plugin string
		is, want     map[string]string
	}{
		{"nothing set", plugin, nil, map[string]string{flagsVar: off, checksVar: "0"}},
		{"libraries elsewhere", alone, nil, map[string]string{flagsVar: off}},
		{
			"other flags", alone,
			map[string]string{flagsVar: " --xla_gpu_autotune_level=0 "},
			map[string]string{flagsVar: "--xla_gpu_autotune_level=0 " + off},
		},
		{"Triton wanted", alone, map[string]string{flagsVar: "--xla_gpu_enable_triton_gemm=true"}, nil},
		{"Triton tuned", alone, map[string]string{flagsVar: "--xla_dump_to=/d --xla_gpu_triton_gemm_any=true"}, nil},
		{"flags in a file", alone, map[string]string{flagsVar: "/etc/xla-flags"}, nil},
		{"checks wanted", plugin, map[string]string{checksVar: "1"}, map[string]string{flagsVar: off}},
	} {
		env := map[string]string{}
		maps.Copy(env, c.is)
		getenv := func(name string) string { return env[name] }
		got := cudaEnvironment(c.plugin, getenv)
		if !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
		maps.Copy(env, got)
		if again := cudaEnvironment(c.plugin, getenv); len(again) > 0 {
			t.Errorf("%s: set again: %v", c.name, again)
		}
	}
}

// TestSetCUDAEnvironment: the process has what was decided.
func TestSetCUDAEnvironment(t *testing.T) {
	t.Setenv(flagsVar, "--xla_dump_to=/d")
	t.Setenv(checksVar, "")
	if err := setCUDAEnvironment(filepath.Join(t.TempDir(), "a", "b", "plugin.so")); err != nil {
		t.Fatal(err)
	}
	if got := os.Getenv(flagsVar); got != "--xla_dump_to=/d --xla_gpu_enable_triton_gemm=false" {
		t.Errorf("%s is %q", flagsVar, got)
	}
	if got := os.Getenv(checksVar); got != "" {
		t.Errorf("%s is %q", checksVar, got)
	}
}
