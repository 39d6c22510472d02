package backend

import (
	"strings"
	"testing"

	"github.com/knowledge-neurons/gonb-kn/kn/xla"
)

func TestChoose(t *testing.T) {
	both, cpu := []string{xla.CUDA, xla.CPU}, []string{xla.CPU}
	for _, c := range []struct {
		name      string
		choice    choice
		want, why string
	}{
		{"nothing known", choice{}, Default, "fewer than 20 million"},
		{"large, not linked", choice{parameters: LargeModel, plugins: cpu}, Default, "not linked"},
		{"large, no plug-in", choice{parameters: LargeModel, linked: true}, Default, "no XLA plug-in"},
		{"large, CPU", choice{parameters: LargeModel, linked: true, plugins: cpu}, "xla:cpu", "large"},
		{"large, GPU", choice{parameters: 110_000_000, linked: true, plugins: both}, "xla:cuda", "GPU"},
		{"just too small", choice{parameters: LargeModel - 1, linked: true, plugins: both}, Default, "fewer"},
		{"variable, small model", choice{env: "xla:cpu", linked: true, plugins: both}, "xla:cpu", EnvVar},
		{"variable, large model", choice{env: "go:custom", parameters: LargeModel, linked: true, plugins: both}, "go:custom", EnvVar},
		{"variable, not linked", choice{env: "xla:cuda"}, "xla:cuda", EnvVar},
		{"option over variable", choice{option: "xla:cuda", env: "go"}, "xla:cuda", "asked for"},
		{"option over size", choice{option: "go", parameters: LargeModel, linked: true, plugins: both}, "go", "asked for"},
	} {
		config, why := c.choice.choose()
		if config != c.want || !strings.Contains(why, c.why) {
			t.Errorf("%s: %q because %q, want %q because of %q", c.name, config, why, c.want, c.why)
		}
	}
}

// TestChooseReadsEnvironment: the exported functions see the variable.
func TestChooseReadsEnvironment(t *testing.T) {
	t.Setenv(EnvVar, "xla:other")
	if config, why := Choose("", LargeModel); config != "xla:other" || !strings.Contains(why, EnvVar) {
		t.Errorf("%q because %q", config, why)
	}
	if config, _ := Choose("go", LargeModel); config != "go" {
		t.Errorf("the option gave %q", config)
	}
	if Name() != "xla:other" {
		t.Errorf("Name is %q", Name())
	}
	t.Setenv(EnvVar, "")
	if Name() != Default {
		t.Errorf("Name is %q", Name())
	}
	// A large model is on XLA if and only if this program has it.
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	t.Setenv(xla.EnvVar, "")
	if config, why := Choose("", LargeModel); config != Default || strings.Contains(why, "not linked") == Linked() {
		t.Errorf("%q because %q", config, why)
	}
}

func TestOpen(t *testing.T) {
	b, err := Open("")
	if err != nil {
		t.Fatal(err)
	}
	// "go" alone means the configuration that cannot deadlock.
	for _, config := range []string{"go", "go:", Default} {
		if same, err := Open(config); err != nil || same != b {
			t.Errorf("%q opened another backend (%v)", config, err)
		}
	}
	t.Setenv(EnvVar, "")
	if same, err := Get(); err != nil || same != b {
		t.Errorf("Get opened another backend (%v)", err)
	}
	t.Setenv(EnvVar, "nonsense:1")
	if _, err := Get(); err == nil || !strings.Contains(err.Error(), "nonsense") || !strings.Contains(err.Error(), "unset "+EnvVar) {
		t.Errorf("an unknown backend: %v", err)
	}
	if _, err := Open("go:nonsense"); err == nil || !strings.Contains(err.Error(), "nonsense") {
		t.Errorf("unknown details: %v", err)
	}
}

func TestMisleadingPaths(t *testing.T) {
	for path, bad := range map[string]string{
		"/data/pjrt/pjrt_c_api_cpu_plugin.so":        "",
		"/data,1/pjrt_c_api_cpu_plugin.so":           `","`,
		"/home/nvidia/pjrt/pjrt_c_api_cpu_plugin.so": `"nvidia"`,
	} {
		err := misleading(xla.Plugin{Name: xla.CPU, Path: path})
		if (err != nil) != (bad != "") || err != nil && !strings.Contains(err.Error(), bad) {
			t.Errorf("%s: %v", path, err)
		}
	}
	if err := misleading(xla.Plugin{Name: xla.CUDA, Path: "/cpu/xla_cuda_plugin.so"}); err == nil {
		t.Error("a GPU's plug-in would be taken for a CPU's")
	}
}
