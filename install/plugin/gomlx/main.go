// Gomlx installs XLA's CPU plug-in into a folder by GoMLX's own installer,
// which takes it from GitHub. It is a program of its own because that
// installer cannot be interrupted, and a process can. It is built only when
// it is run, so the installer of this module stays small.
//
//	gomlx FOLDER
package main

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/gomlx/go-xla/installer"
)

// releases is the page that GoMLX's installer asks first.
const releases = "https://api.github.com/repos/" + installer.BinaryCPUReleasesRepo + "/releases"

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gomlx FOLDER")
		os.Exit(2)
	}
	if err := install(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gomlx:", err)
		os.Exit(1)
	}
}

func install(dir string) error {
	// Theirs waits for a network that is not there as long as it takes.
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, releases, http.NoBody)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("GitHub cannot be reached: %w", err)
	}
	response.Body.Close()
	if response.StatusCode >= 400 {
		return fmt.Errorf("GitHub answers %s", response.Status)
	}
	return installer.CPUAutoInstall(dir, false, installer.Quiet)
}
