package main

import (
	"bytes"
	"cmp"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/knowledge-neurons/gonb-kn/kn"
	"github.com/knowledge-neurons/gonb-kn/kn/cmd/internal/cli"
	"github.com/knowledge-neurons/gonb-kn/kn/internal/backend"
)

type versionResult struct {
	Version  string `json:"version"`
	Revision string `json:"revision"` // of the source, when known
	Go       string `json:"go"`
	Platform string `json:"platform"`
	Backend  string `json:"backend"`
}

func (a *app) version() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Show this program's version and what it computes on",
		Example: "  kn version\n  kn version --json",
		Args:    cobra.NoArgs,
		RunE: cli.Checked(func(*cobra.Command, []string) error {
			v := versionResult{
				Version: kn.Version, Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
				Backend: backend.Name(),
			}
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						v.Revision = s.Value
					}
				}
			}
			return a.print(v, func(w *bytes.Buffer) {
				fmt.Fprintf(w, "kn %s\n  revision  %s\n  Go        %s %s\n  backend   %s\n",
					v.Version, cmp.Or(v.Revision, "not recorded"), v.Go, v.Platform, v.Backend)
			})
		}),
	}
	a.jsonFlag(cmd)
	return cmd
}
