package kernel

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// GoVariable is the environment variable that tells the go of the kernel's
// PATH where the real one is.
const GoVariable = "GONB_KN_GO"

// WorkerVariable is the environment variable that tells cells which program
// computes for them what they cannot: XLA, and models that stay loaded.
const WorkerVariable = "KN_WORKER"

// ProcessVariable is the environment variable that tells cells the process id
// of their kernel, whose end is also the end of what was started for it.
const ProcessVariable = "KN_KERNEL_PID"

// Environment returns the kernel's environment: base, with
//
//   - our go, our tools and the real go's folder first on the PATH,
//   - GOEXPERIMENT=simd added on amd64,
//   - GOWORK removed, since GoNB makes a go.work of its own, and -mod taken
//     out of GOFLAGS, since no -mod but the default works with a go.work,
//   - GOPLSCACHE in our folder, so that uninstalling takes it away, unless the
//     installation is somebody else's, as on a JupyterHub,
//   - KN_WORKER naming our kn command, unless it is set, be it to nothing,
//   - KN_KERNEL_PID removed, since that of another kernel may be in base.
//
// All other variables, GOPROXY among them, stay as the user has them.
func (p Paths) Environment(base []string) []string {
	path := []string{p.Shim(), p.Bin(), filepath.Dir(p.Go)}
	env := []string{GoVariable + "=" + p.Go}
	var experiment string
	goplsCache, worker := filepath.Join(p.Data, "gopls-cache"), p.Program("kn")
	if cache, err := os.UserCacheDir(); err == nil && isOthers(p.Data) {
		goplsCache = filepath.Join(cache, Name, "gopls-cache")
	}
	for _, v := range base {
		switch name, value, _ := strings.Cut(v, "="); name {
		case "PATH":
			path = append(path, value)
		case "GOEXPERIMENT":
			experiment = value
		case "GOFLAGS":
			env = append(env, "GOFLAGS="+withoutMod(value))
		case "GOPLSCACHE":
			goplsCache = value
		case WorkerVariable:
			worker = value
		case "GOWORK", GoVariable, ProcessVariable:
		default:
			env = append(env, v)
		}
	}
	if experiment = Experiment(runtime.GOARCH, experiment); experiment != "" {
		env = append(env, "GOEXPERIMENT="+experiment)
	}
	env = append(env, "GOPLSCACHE="+goplsCache, WorkerVariable+"="+worker)
	return append(env, "PATH="+strings.Join(path, string(os.PathListSeparator)))
}

// isOthers says whether a folder is there and cannot be written.
func isOthers(dir string) bool {
	_, err := os.Stat(dir)
	return err == nil && unix.Access(dir, unix.W_OK) != nil
}

// withoutMod takes -mod out of the value of GOFLAGS.
func withoutMod(value string) string {
	flags := slices.DeleteFunc(strings.Fields(value), func(flag string) bool {
		return strings.HasPrefix(strings.TrimLeft(flag, "-"), "mod=")
	})
	return strings.Join(flags, " ")
}

// Experiment adds simd to a GOEXPERIMENT value on amd64.
func Experiment(arch, value string) string {
	list := strings.FieldsFunc(value, func(r rune) bool { return r == ',' })
	if arch != "amd64" || slices.Contains(list, "simd") || slices.Contains(list, "nosimd") {
		return value
	}
	return strings.Join(append(list, "simd"), ",")
}
