package cmd

import (
	"runtime"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"

	"github.com/spf13/cobra"
)

type versionResult struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func newVersion(r *cli.Run) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Show the version of pmctl",
		Example: `  pmctl version
  pmctl version --jq .data.version`,
		RunE: func(*cobra.Command, []string) error {
			v := versionResult{cli.BuildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH}
			return r.Emit("pmctl.version", v, func(w *page.Page) {
				w.Fields([]page.Field{{"pmctl", v.Version}, {"go", v.Go}, {"platform", v.OS + "/" + v.Arch}})
			})
		},
	}
	return cmd
}
