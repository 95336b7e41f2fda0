package past

import (
	"io"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/outfile"
)

// plotOptions say which file a picture is written to.
type plotOptions struct {
	path  string
	force bool
}

func (o *plotOptions) register(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&o.path, "plot", "", "draw "+what+" into the SVG `FILE`")
	cmd.Flags().BoolVar(&o.force, "force", false, "overwrite the file of --plot")
}

// begin begins the file, if one was asked for, so that a path that cannot be written fails
// before the chain is read. It is nil if none was.
func (o *plotOptions) begin(r *cli.Run, cmd *cobra.Command) (*outfile.File, error) {
	if !cmd.Flags().Changed("plot") {
		if o.force {
			return nil, cli.Usagef("--force has no effect without --plot FILE")
		}
		return nil, nil
	}
	if extension := filepath.Ext(o.path); !strings.EqualFold(extension, ".svg") {
		found := "has no extension"
		if extension != "" {
			found = "ends in " + extension
		}
		return nil, cli.Usagef("--plot %s: the name %s, but plots are SVG files; pass --plot %s", o.path, found, strings.TrimSuffix(o.path, extension)+".svg")
	}
	if o.force {
		return outfile.Replace(r.Files, "--plot", o.path)
	}
	file, err := outfile.Create(r.Files, "--plot", o.path)
	return file, outfile.ForceHint(err)
}

// finish draws the picture, unless file is nil, and says where it is.
func finish(p interface{ Write(io.Writer) error }, r *cli.Run, file *outfile.File) error {
	if file == nil {
		return nil
	}
	err := p.Write(file)
	if err == nil {
		err = outfile.ForceHint(file.Commit())
	}
	if err == nil {
		r.Note("plot written to %s", file.Path())
	}
	return err
}
