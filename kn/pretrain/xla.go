//go:build xla

package pretrain

// XLA's CPU plug-in trains three times as fast as the Go backend. It is a
// file of 200 MB that must be installed, so it is not part of every build.
import _ "github.com/gomlx/go-xla/compute/xla"
