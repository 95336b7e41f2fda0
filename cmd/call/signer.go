package call

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/call"
	"github.com/pmctl/pmctl/wallet/remote/client"
)

// envSignerToken names the variable with the token for a remote signer.
const envSignerToken = "PMCTL_SIGNER_TOKEN"

// signerOptions choose a remote signer.
type signerOptions struct{ url, tokenFile string }

func (o *signerOptions) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.url, "signer", "", "have the remote signer at `URL` pay, instead of an account of this machine")
	cmd.Flags().StringVar(&o.tokenFile, "signer-token-file", "", "`FILE` with the token for the signer, which only you may read (default $"+envSignerToken+")")
	cli.InGroup(cmd, cli.AccountFlags, "signer", "signer-token-file")
	for _, key := range []string{"from", "key-fd", "keystore", "passphrase-file", "passphrase-fd", "store"} {
		cmd.MarkFlagsMutuallyExclusive("signer", key)
	}
}

// caller is what calls for the signer's account.
func (o *signerOptions) caller(r *cli.Run, cmd *cobra.Command, limits *cli.LimitOptions, options wallet.CallOptions) (*call.Caller, func(), error) {
	token := r.Getenv(envSignerToken)
	if o.tokenFile != "" {
		text, err := cli.ReadSecretFile(r.Env, "--signer-token-file", o.tokenFile)
		if err != nil {
			return nil, nil, err
		}
		token = strings.TrimSpace(string(text))
	}
	signer, err := client.New(o.url, token)
	if err != nil {
		return nil, nil, err
	}
	only, err := limits.Named()
	if err != nil {
		return nil, nil, err
	}
	return wallet.NewSignerCaller(cmd.Context(), signer, only, options)
}
