package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// startGopls becomes the real gopls, which ends with GoNB however that ends.
func startGopls(args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	endWithParent()
	real := filepath.Join(filepath.Dir(filepath.Dir(self)), "bin", "gopls")
	err = syscall.Exec(real, append([]string{"gopls"}, args...), os.Environ())
	return fmt.Errorf("%s cannot be started: %w", real, err)
}
