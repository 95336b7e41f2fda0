package cmd

import (
	"io"
	"runtime"

	"github.com/spf13/cobra"
)

type versionResult struct {
	Version string `json:"version"`
	Go      string `json:"go"`
	OS      string `json:"os"`
	Arch    string `json:"arch"`
}

func newVersion(r *run) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print pmctl's version",
		Example: `  pmctl version
  pmctl version --output json | jq -r .data.version`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			v := versionResult{buildVersion(), runtime.Version(), runtime.GOOS, runtime.GOARCH}
			return r.emit("pmctl.version", v, func(w io.Writer) error {
				return writeFields(w, []field{{"pmctl", v.Version}, {"go", v.Go}, {"platform", v.OS + "/" + v.Arch}})
			})
		},
	}
	r.outputFlag(cmd, outputTable, outputJSON)
	return cmd
}
