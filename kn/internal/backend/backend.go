// Package backend opens the GoMLX backend that everything in this module
// computes on, and turns GoMLX's panics into errors.
package backend

import (
	"fmt"
	"os"
	"sync"

	"github.com/gomlx/compute"
	// The Go backend runs everywhere and needs nothing installed.
	_ "github.com/gomlx/compute/gobackend"
)

// EnvVar names the environment variable that chooses the backend, as
// "name:configuration".
const EnvVar = "KN_BACKEND"

// Default is the backend used when EnvVar is unset. Operations run one after
// another, each on all cores: running them side by side can deadlock, since
// an operation that holds a worker waits for another one.
const Default = "go:ops_sequential"

// Get returns the process's backend, opened on the first call.
var Get = sync.OnceValues(func() (compute.Backend, error) {
	config := Name()
	b, err := compute.NewWithConfig(config)
	if err != nil {
		return nil, fmt.Errorf("kn: backend %q cannot be opened: %w; unset %s to use %q", config, err, EnvVar, Default)
	}
	return b, nil
})

// Name returns the configuration that [Get] opens.
func Name() string {
	if config := os.Getenv(EnvVar); config != "" {
		return config
	}
	return Default
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
