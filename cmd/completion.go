package cmd

import (
	"strings"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/spf13/cobra"
)

func newCompletion(*cli.Run) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
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
			root, out := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			case "powershell":
				return root.GenPowerShellCompletionWithDesc(out)
			}
			return cli.WithHint(cli.Usagef("unknown shell %q: must be one of %s", args[0], strings.Join(shells, ", ")), "see pmctl completion --help")
		},
	}
}
