package cli

import (
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/remote/client"
)

// RequestOption names what is asked for, so that a retry is no second request.
type RequestOption struct{ ID string }

// Register adds the flags to a command.
func (o *RequestOption) Register(cmd *cobra.Command, what string) {
	cmd.Flags().StringVar(&o.ID, "request-id", "", "`ID` that makes a retry safe: the same ID never creates "+what+" twice")
}

// Check fails for an ID that was given and that no request can have.
func (o *RequestOption) Check(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("request-id") {
		return nil
	}
	return wallet.CheckRequestID(o.ID)
}

// WorkOptions choose what a recipient is paid for.
type WorkOptions struct{ names []string }

// Register adds the flags to a command.
func (o *WorkOptions) Register(cmd *cobra.Command) {
	cmd.Flags().StringSliceVar(&o.names, "capabilities", nil, "pay the price of AI `WORK`, as PIPELINE/MODEL; repeatable")
}

// Works returns what was chosen, in an order that does not depend on the command line.
func (o *WorkOptions) Works() ([]wire.Work, error) {
	var works []wire.Work
	for _, name := range o.names {
		work, err := wire.ParseWork(name)
		if err != nil {
			return nil, WithHint(Usagef("--capabilities: %w", err), "pmctl params fetch URL shows the works of a recipient with their prices")
		}
		if !slices.Contains(works, work) {
			works = append(works, work)
		}
	}
	slices.SortFunc(works, func(a, b wire.Work) int { return strings.Compare(a.String(), b.String()) })
	return works, nil
}

// PipelinePrefixes are how works begin.
func PipelinePrefixes() []string {
	prefixes := wire.Pipelines()
	for i := range prefixes {
		prefixes[i] += "/"
	}
	return prefixes
}

// HeaderOption is how large the HTTP header of a payment may be.
type HeaderOption struct{ max string }

// Register adds the flags to a command.
func (o *HeaderOption) Register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.max, "max-header", "", "deliver in parts if the payment header exceeds `BYTES` (default: what the recipient accepted before, or "+strconv.Itoa(pay.DefaultMaxHeader)+")")
}

// Limits are the limits by recipient, with what earlier runs have learnt.
func (o *HeaderOption) Limits(env *Env) (*pay.HeaderLimits, error) {
	limits := new(pay.HeaderLimits)
	if o.max != "" {
		asked, err := strconv.ParseUint(o.max, 10, 31)
		if err != nil || asked < pay.MinMaxHeader {
			return nil, Usagef("--max-header: %q is not a whole number from %d", o.max, pay.MinMaxHeader)
		}
		limits.Asked = int(asked)
	}
	// Without a home folder there is no cache.
	if folder, err := env.cacheDir(); err == nil {
		limits.File = filepath.Join(folder, "headers.json")
	}
	return limits, nil
}

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
