//go:build xla

package backend

// XLA needs cgo, and at run time a plug-in of 200 MB, so it is not part of
// every build.
import goxla "github.com/gomlx/go-xla/compute/xla"

func init() {
	linked = true
	// Its installer is not linked; should something else link it, it is
	// still not asked.
	goxla.EnableAutoInstall(false)
}
