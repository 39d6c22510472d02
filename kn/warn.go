package kn

import (
	"fmt"
	"os"
	"sync"
)

var warned sync.Map

// warn prints a warning to standard error, each text once a process.
func warn(err error) {
	if _, before := warned.LoadOrStore(err.Error(), true); !before {
		fmt.Fprintln(os.Stderr, "warning:", err)
	}
}
