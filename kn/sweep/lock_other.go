//go:build !unix

package sweep

import (
	"fmt"
	"os"
	"runtime"
)

func lock(*os.File) error       { return errNoLocks }
func lockShared(*os.File) error { return errNoLocks }

var errNoLocks = fmt.Errorf("sweep: sweeps need the file locks of Unix; %s has none", runtime.GOOS)
