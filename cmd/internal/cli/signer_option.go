package cli

import (
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/runner"
)

// SignerOption is a remote signer that a command asks, and the token for it.
type SignerOption struct{ url, tokenFile string }

// Register adds the flags to a command; what is what the signer does for it.
func (o *SignerOption) Register(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&o.url, "signer", "", "let the remote signer at `URL` "+what)
	cmd.Flags().StringVar(&o.tokenFile, "signer-token-file", "", "`FILE` with the token for --signer, readable by you alone (default $PMCTL_SIGNER_TOKEN)")
}

// Signer returns the signer, nil where none is named.
func (o *SignerOption) Signer(env *Env) (*runner.Signer, error) {
	if o.url == "" {
		if o.tokenFile != "" {
			return nil, Usagef("--signer-token-file has no effect without --signer URL")
		}
		return nil, nil
	}
	u, err := url.Parse(o.url)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return nil, Usage(WithHint(errors.New("--signer is not the URL of a remote signer"), "write it as https://host:port"))
	}
	signer := &runner.Signer{URL: o.url, Token: env.Getenv("PMCTL_SIGNER_TOKEN"), HTTP: http.DefaultClient}
	if o.tokenFile != "" {
		text, err := ReadSecretFile(env, "--signer-token-file", o.tokenFile)
		if err != nil {
			return nil, err
		}
		signer.Token = strings.TrimSpace(string(text))
	}
	if strings.ContainsFunc(signer.Token, func(r rune) bool { return r <= ' ' || r > '~' }) {
		return nil, Usagef("the signer's token has characters that no HTTP header has")
	}
	return signer, nil
}
