// Package backend chooses and opens the GoMLX backend that everything in this
// module computes on, and turns GoMLX's panics into errors.
//
// The Go backend is always there. XLA is there in programs built with
// -tags xla, which needs cgo, on machines where a plug-in is installed; see
// package xla. Nothing here installs anything or asks the network.
package backend

import (
	"fmt"
	"reflect"
	"strings"
	"sync"

	"github.com/gomlx/compute"
	// The Go backend runs everywhere and needs nothing installed.
	_ "github.com/gomlx/compute/gobackend"

	"github.com/knowledge-neurons/gonb-kn/kn/xla"
)

// Default is the backend that computes unless there is a reason for another
// one. Operations run one after another, each on all cores: running them side
// by side can deadlock, since an operation that holds a worker waits for
// another one.
const Default = "go:ops_sequential"

// linked says whether XLA is part of this program; xla.go sets it.
var linked bool

// Linked reports whether this program was built with -tags xla.
func Linked() bool { return linked }

var (
	opening sync.Mutex
	opened  = map[string]compute.Backend{}
)

// Open returns the backend of a configuration, "name:details": "go",
// "xla:cpu", "xla:cuda", or "xla" for the faster of these two; the details may
// be what GoMLX understands besides. "" is [Default]. Each is opened once in
// a process; that a failure is not remembered lets a plug-in be installed
// meanwhile.
func Open(config string) (compute.Backend, error) {
	full, err := expand(config)
	if err != nil {
		return nil, fmt.Errorf("kn: backend %q cannot be opened: %w", config, err)
	}
	opening.Lock()
	defer opening.Unlock()
	if b, ok := opened[full]; ok {
		return b, nil
	}
	var b compute.Backend
	if e := Try(func() error { b, err = compute.NewWithConfig(full); return nil }); e != nil {
		err = e // an unknown name is a panic
	}
	if err != nil {
		return nil, fmt.Errorf("kn: backend %q cannot be opened: %w; unset %s to use %q", config, err, EnvVar, Default)
	}
	if full == Default {
		unbound(b)
	}
	opened[full] = b
	return b, nil
}

// pool is the Go backend's of workers.
type pool interface {
	SetMaxParallelism(int)
	IsUnlimited() bool
}

// workers finds the pool of a Go backend, whose type GoMLX does not export.
func workers(b compute.Backend) (pool, bool) {
	v := reflect.Indirect(reflect.ValueOf(b))
	if v.Kind() != reflect.Struct {
		return nil, false
	}
	field := v.FieldByName("Workers")
	if !field.IsValid() || !field.CanInterface() {
		return nil, false
	}
	p, ok := field.Interface().(pool)
	return p, ok
}

// unbound lets every product of matrices of a Go backend start its workers, one
// a core, at once. By default all products share two workers a core, which
// each takes whole, however small it is: graphs side by side then wait for each
// other, and two trainings of kn-mini keep less than one core busy instead of
// two. GoMLX's own option for this, parallelism=-1, prints to standard output.
func unbound(b compute.Backend) {
	if p, ok := workers(b); ok {
		p.SetMaxParallelism(-1)
	}
}

// Get returns the backend that the environment names, or else [Default].
func Get() (compute.Backend, error) { return Open(Name()) }

// expand turns a configuration into what GoMLX is to be told.
func expand(config string) (string, error) {
	name, details, _ := strings.Cut(config, ":")
	switch name {
	case "", "go":
		if details == "" {
			return Default, nil
		}
		return config, nil
	case "xla", "stablehlo", "shlo", "hlo", "pjrt":
		return expandXLA(details)
	}
	return config, nil
}

// expandXLA turns the plug-in's name into its path. GoMLX opens a path as it
// is; for a name it would read PJRT_PLUGIN_LIBRARY_PATH, as it was when the
// process started, and load every plug-in in every folder of the system.
func expandXLA(details string) (string, error) {
	if !linked {
		return "", fmt.Errorf("XLA is not linked into this program: use the kn command that \"go run ./install -xla\" builds, or build with -tags xla")
	}
	name, options, _ := strings.Cut(details, ",")
	if name == "" {
		name = xla.CPU
		if usable := xla.Usable(); len(usable) > 0 {
			name = usable[0]
		}
	}
	plugin := xla.Plugin{Name: name, Path: name}
	if !strings.HasPrefix(name, "/") {
		var err error
		if plugin, err = xla.Find(name); err != nil {
			return "", err
		}
	}
	if err := plugin.Check(); err != nil {
		return "", err
	}
	if name == xla.CUDA && !xla.HasGPU() {
		return "", fmt.Errorf("this machine has no NVIDIA GPU, or no driver for it: nvidia-smi says more")
	}
	if err := misleading(plugin); err != nil {
		return "", err
	}
	full := "xla:" + plugin.Path
	if name == xla.CUDA {
		if err := setCUDAEnvironment(plugin.Path); err != nil {
			return "", err
		}
		if !strings.Contains(options, "tf32") {
			// TF32 multiplies with 10 bits; results are promised to
			// agree with float32.
			full += ",tf32=false"
		}
	}
	if options != "" {
		full += "," + options
	}
	return full, nil
}

// misleading says what in a plug-in's path GoMLX would misunderstand: it
// takes what follows a comma for options, and what kind of device a plug-in is
// for from words anywhere in its path.
func misleading(p xla.Plugin) error {
	path := strings.ToLower(p.Path)
	words := map[string][]string{xla.CPU: {",", "cuda", "nvidia"}, xla.CUDA: {",", "cpu"}}[p.Name]
	for _, word := range words {
		if strings.Contains(path, word) {
			return fmt.Errorf("GoMLX would misread %q in the plug-in's path %s: move it to another folder and name that in %s", word, p.Path, xla.EnvVar)
		}
	}
	return nil
}

// Try runs fn and returns what it panicked with as an error. GoMLX reports
// mistakes in building a graph by panicking; this is the one place where
// they are caught.
func Try(fn func() error) (err error) {
	defer func() {
		switch p := recover().(type) {
		case nil:
		case error:
			err = fmt.Errorf("kn: building or running a graph: %w", p)
		default:
			err = fmt.Errorf("kn: building or running a graph: %v", p)
		}
	}()
	return fn()
}
