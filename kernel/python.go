package kernel

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// leastPython is the oldest Python that our JupyterLab runs on.
const leastPython = "3.10"

// pythons are the names by which a Python may be on the PATH: python3 may be
// older than one that was installed beside it.
var pythons = []string{"python3", "python3.14", "python3.13", "python3.12", "python3.11", "python3.10", "python"}

// findPython finds a Python that is new enough.
func findPython(ctx context.Context) (string, error) {
	ask := "import sys; sys.exit(sys.version_info < (" + strings.ReplaceAll(leastPython, ".", ", ") + "))"
	found := ""
	for _, name := range pythons {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		if _, err = command(ctx, "", nil, path, "-c", ask); err == nil {
			return path, nil
		}
		found = ": " + path + " is older"
	}
	return "", fmt.Errorf("kernel: there is no Python %s or later on the PATH%s; install it (on Debian and Ubuntu: apt install python3 python3-venv), or a Jupyter with JupyterLab", leastPython, found)
}
