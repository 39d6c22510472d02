package backend

import (
	"os"
	"path/filepath"
	"strings"
)

const (
	// flagsVar holds XLA's flags, or the name of a file of them.
	flagsVar = "XLA_FLAGS"
	// checksVar switches off go-xla's search for NVIDIA's libraries.
	checksVar = "GOPJRT_CUDA_CHECKS"
)

// setCUDAEnvironment prepares the process for opening a plug-in for NVIDIA
// GPUs. XLA is C++ and reads the environment of C: os.Setenv changes that one
// too, since the runtime of a program with cgo, which XLA needs, calls C's
// setenv for it. XLA reads its flags once, after the plug-in is loaded.
func setCUDAEnvironment(plugin string) error {
	for name, value := range cudaEnvironment(plugin, os.Getenv) {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	return nil
}

// cudaEnvironment returns the variables to set before a plug-in for NVIDIA
// GPUs is opened. What is set already, by the user, by an earlier opening or
// by the process that started this one, stays as it is.
//
// Triton's matrix products are switched off, since XLA tries many forms of each
// when it compiles. On an H200 the first attribution of one prompt at BERT-base
// size took 141 s with them and 15 s without, each later one 0.08 to 0.11 s and
// 0.11 to 0.13 s: they pay only after thousands of calls in one process.
// "--xla_gpu_enable_triton_gemm=true" in XLA_FLAGS brings them back. A child
// process may open the CPU's plug-in with these flags: it knows this one too,
// whereas XLA aborts at flags that it does not know.
//
// go-xla looks for NVIDIA's libraries in ../nvidia and warns that nothing will
// work if they are not there. The plug-in itself looks in ../../nvidia too,
// which is where pip puts them: there the warning is wrong.
func cudaEnvironment(plugin string, getenv func(string) string) map[string]string {
	set := map[string]string{}
	// XLA takes what does not begin with a dash for a file's name.
	flags := strings.TrimSpace(getenv(flagsVar))
	if (flags == "" || strings.HasPrefix(flags, "-")) && !strings.Contains(flags, "triton_gemm") {
		set[flagsVar] = strings.TrimSpace(flags + " --xla_gpu_enable_triton_gemm=false")
	}
	libraries := filepath.Join(filepath.Dir(plugin), "..", "..", "nvidia")
	if info, err := os.Stat(libraries); err == nil && info.IsDir() && getenv(checksVar) == "" {
		set[checksVar] = "0"
	}
	return set
}
