package cmd

import (
	"slices"
	"strings"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/spf13/cobra"
)

func newCompletion(*cli.Run) *cobra.Command {
	shells := []string{"bash", "zsh", "fish", "powershell"}
	return &cobra.Command{
		Use:   "completion " + strings.Join(shells, "|"),
		Short: "Print the script that completes pmctl in your shell",
		Long: `Completion prints a script. Once your shell has read it, TAB completes commands
and flags, the accounts of your keystore, networks, recipients that you paid,
and the transactions of your store. Completing asks no node and nobody else, and
opens no key. In bash it needs the package bash-completion.`,
		Example: `  source <(pmctl completion bash)
  pmctl completion bash > /etc/bash_completion.d/pmctl
  pmctl completion zsh > "${fpath[1]}/_pmctl"
  pmctl completion fish > ~/.config/fish/completions/pmctl.fish
  pmctl completion powershell | Out-String | Invoke-Expression`,
		ValidArgs:             shells,
		DisableFlagsInUseLine: true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(shells, args[0]) {
				return cli.Usagef("say one shell: %s", strings.Join(shells, ", "))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			root, out := cmd.Root(), cmd.OutOrStdout()
			switch args[0] {
			case "bash":
				return root.GenBashCompletionV2(out, true)
			case "zsh":
				return root.GenZshCompletion(out)
			case "fish":
				return root.GenFishCompletion(out, true)
			}
			return root.GenPowerShellCompletionWithDesc(out)
		},
	}
}
