package cli

import (
	"net/http"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/remote/client"
)

// SignerOption is a remote signer that a command asks, and the token for it.
type SignerOption struct{ url, tokenFile string }

// Register adds the flags to a command; what is what the signer does for it.
func (o *SignerOption) Register(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&o.url, "signer", "", "let the remote signer at `URL` "+what)
	cmd.Flags().StringVar(&o.tokenFile, "signer-token-file", "", "`FILE` with the token for --signer, readable by you alone (default the token in $PMCTL_SIGNER_TOKEN)")
}

// Client returns a client of the signer, nil where none is named.
func (o *SignerOption) Client(env *Env) (*client.Client, error) {
	if o.url == "" {
		if o.tokenFile != "" {
			return nil, Usagef("--signer-token-file has no effect without --signer URL")
		}
		return nil, nil
	}
	token := env.Getenv("PMCTL_SIGNER_TOKEN")
	if o.tokenFile != "" {
		var err error
		if token, err = ReadToken(env, "--signer-token-file", o.tokenFile); err != nil {
			return nil, err
		}
	}
	signer, err := client.New(o.url, token)
	if err != nil {
		return nil, err
	}
	signer.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return wallet.Observe(next, wallet.ToSigner, "", env.OnRequest)
	})
	return signer, nil
}
