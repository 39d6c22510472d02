package backend

import (
	"fmt"
	"os"
	"slices"

	"github.com/knowledge-neurons/gonb-kn/kn/xla"
)

// EnvVar names the environment variable that chooses the backend, in the form
// that [Open] takes.
const EnvVar = "KN_BACKEND"

// LargeModel is the number of parameters from which XLA is worth the seconds
// that it takes to load and to compile graphs.
const LargeModel = 20_000_000

// Large says whether a model of so many parameters has [LargeModel] or more.
func Large(parameters int) bool { return parameters >= LargeModel }

// Name returns what EnvVar asks for, or else [Default].
func Name() string {
	config, _ := choice{env: os.Getenv(EnvVar)}.choose()
	return config
}

// Choose decides what a model is to be computed on, and says why. option is
// what the caller of the library asks for; it counts more than the
// environment variable KN_BACKEND. When neither says anything, models of
// [LargeModel] parameters or more are computed on XLA where it is linked and a
// plug-in is installed, on a GPU if there is one, and all others on the Go
// backend. What option or variable asks for may turn out not to be there:
// [Open] says so.
func Choose(option string, parameters int) (config, why string) {
	c := choice{option: option, env: os.Getenv(EnvVar), parameters: parameters, linked: linked}
	if c.linked {
		c.plugins = xla.Usable()
	}
	return c.choose()
}

// choice is all that a choice depends on.
type choice struct {
	option, env string
	parameters  int
	linked      bool
	plugins     []string // that can be used here, fastest first
}

func (c choice) choose() (config, why string) {
	switch {
	case c.option != "":
		return c.option, "it was asked for"
	case c.env != "":
		return c.env, EnvVar + " asks for it"
	case !Large(c.parameters):
		return Default, fmt.Sprintf("the model has fewer than %d million parameters", LargeModel/1_000_000)
	case !c.linked:
		return Default, "XLA is not linked into this program"
	case slices.Contains(c.plugins, xla.CUDA):
		return "xla:" + xla.CUDA, "the model is large, and there is a GPU"
	case slices.Contains(c.plugins, xla.CPU):
		return "xla:" + xla.CPU, "the model is large, and XLA's plug-in is installed"
	}
	return Default, "no XLA plug-in is installed"
}
