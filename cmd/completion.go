package cmd

import (
	"io"
	"slices"
	"strings"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"

	"github.com/spf13/cobra"
)

func newCompletion(r *cli.Run) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	cmd := &cobra.Command{
		Use:   "completion " + strings.Join(shells, "|"),
		Short: "Print the completion script for a shell",
		Long: `Print a script for your shell, after which TAB completes commands, flags, the
accounts of your keystore, networks, the recipients that you paid, and the
transactions of your store. Completion asks no node and opens no key. In bash it
needs the package bash-completion.`,
		Example: `  source <(pmctl completion bash)
  pmctl completion bash > /etc/bash_completion.d/pmctl
  pmctl completion zsh > "${fpath[1]}/_pmctl"
  pmctl completion fish > ~/.config/fish/completions/pmctl.fish
  pmctl completion powershell | Out-String | Invoke-Expression`,
		ValidArgs:             shells,
		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(shells, args[0]) {
				return cli.WithHint(cli.Usagef("unknown shell %q: must be one of %s", args[0], strings.Join(shells, ", ")), "see pmctl completion --help")
			}
			var script strings.Builder
			if err := writeCompletion(&script, cmd.Root(), args[0]); err != nil {
				return err
			}
			result := completionResult{args[0], script.String()}
			return r.Emit("pmctl.completion", result, func(w *page.Page) { w.Print(result.Script) })
		},
	}
	r.OutputFlag(cmd, cli.OutputScript, cli.OutputJSON)
	return cmd
}

// completionResult is what pmctl completion answers.
type completionResult struct {
	Shell  string `json:"shell"`
	Script string `json:"script"`
}

func writeCompletion(w io.Writer, root *cobra.Command, shell string) error {
	switch shell {
	case "bash":
		return root.GenBashCompletionV2(w, true)
	case "zsh":
		return root.GenZshCompletion(w)
	case "fish":
		return root.GenFishCompletion(w, true)
	}
	return root.GenPowerShellCompletionWithDesc(w)
}
