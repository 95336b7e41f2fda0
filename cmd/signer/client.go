package signer

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/remote/identity"
)

func newClient(r *cli.Run) *cobra.Command {
	return cli.Group("client", "Add, change and revoke the clients of a remote signer",
		newClientAdd(r),
		newClientList(r),
		newClientShow(r),
		newClientSet(r),
		newClientRotate(r),
		newClientRevoke(r),
	)
}

// clientName is what a client may be called: it stands before the colon of an auth id.
const clientName = `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`

// clients opens the clients of the store that the options choose.
func clients(ctx context.Context, r *cli.Run, o *cli.StoreOptions) (*wallet.Wallet, *wallet.SignerClients, error) {
	config, err := cli.StoreConfig(r, o)
	if err != nil {
		return nil, nil, err
	}
	w, err := wallet.Open(ctx, config)
	if err != nil {
		return nil, nil, err
	}
	all, err := w.SignerClients()
	if err != nil {
		w.Close()
	}
	return w, all, err
}

// clientCommand is a command about the clients. Its first argument, if it has one, is a client's
// name.
func clientCommand(r *cli.Run, cmd *cobra.Command, run func(context.Context, *wallet.SignerClients, []string) error) *cobra.Command {
	var o cli.StoreOptions
	o.Register(cmd)
	return withClients(r, cmd, &o, run)
}

// termsCommand is a command that sets terms, and compares allowances with what the account's
// deposit and reserve can pay.
func termsCommand(r *cli.Run, cmd *cobra.Command, terms *termsOptions, run func(context.Context, *wallet.SignerClients, []string) error) *cobra.Command {
	var o cli.ReaderOptions
	o.Register(cmd)
	terms.register(cmd)
	return withClients(r, cmd, &o.Store, func(ctx context.Context, all *wallet.SignerClients, args []string) error {
		if !terms.overcommit {
			all.Backing = func(ctx context.Context) (*wallet.Backing, error) {
				reader, err := o.Open(ctx, r, nil)
				if err != nil {
					return nil, err
				}
				defer reader.Close()
				return reader.Backing(ctx)
			}
		}
		return run(ctx, all, args)
	})
}

func withClients(r *cli.Run, cmd *cobra.Command, o *cli.StoreOptions, run func(context.Context, *wallet.SignerClients, []string) error) *cobra.Command {
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		w, all, err := clients(cmd.Context(), r, o)
		if err != nil {
			return err
		}
		defer w.Close()
		return run(cmd.Context(), all, args)
	}
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

func newClientAdd(r *cli.Run) *cobra.Command {
	var terms termsOptions
	var credentials credentialOptions
	cmd := termsCommand(r, &cobra.Command{
		Use:   "add NAME",
		Short: "Add a client, and show its token",
		Long: `Add adds a client with what it may have signed, and shows its bearer token.
The token is shown this once: the store keeps a hash of it. Allowances are
counted by payments as they are recorded, over all replicas of the signer, and a
payment that exceeds one is refused with status 483 before anything is signed.

With --certificate, --jwt or --auth-id the client is also recognized by the
common name of its TLS certificate, by a claim of its JSON Web Token, or by the
auth id that a trusted proxy sets.

The allowances of all clients together must be within the account's deposit and
reserve, or --overcommit accepts that they are not: each client counts with the
smallest of its allowances, those of a day in full.`,
		Example: `  pmctl signer client add studio --ev-per-day 0.01eth --expires 720h
  pmctl signer client add sdk --sdk-token https://signer.example:8935
  pmctl signer client add batch --recipient 0x… --max-price '500 wei/second'`,
	}, &terms, func(ctx context.Context, all *wallet.SignerClients, args []string) error {
		if !regexp.MustCompile(clientName).MatchString(args[0]) {
			return cli.Usagef("client name %q: use at most 64 letters, digits, dots, dashes and underscores, and begin with a letter or digit", args[0])
		}
		if err := credentials.check(); err != nil {
			return err
		}
		client := wallet.SignerClient{Name: args[0]}
		if err := terms.apply(&client, r.Now()); err != nil {
			return err
		}
		token := identity.Token()
		added, err := all.Add(ctx, client, credentials.with(token)...)
		if err != nil {
			return err
		}
		return credentials.emit(r, documentOf(added), token)
	})
	credentials.register(cmd)
	return cmd
}

// credentialOptions say what a client is recognized by.
type credentialOptions struct {
	certificate, jwt, authID string
	sdk                      string
	discovery                bool
}

func (o *credentialOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.certificate, "certificate", "", "common `NAME` of the client's TLS certificate")
	flags.StringVar(&o.jwt, "jwt", "", "`VALUE` of the claim that names the client in its JSON Web Tokens")
	flags.StringVar(&o.authID, "auth-id", "", "`ID` that a trusted proxy sends for the client, before a colon")
	o.registerSDK(cmd)
}

func (o *credentialOptions) registerSDK(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.sdk, "sdk-token", "", "also show the token of the Python SDK for the signer at this `URL`")
	cmd.Flags().BoolVar(&o.discovery, "sdk-discovery", false, "with --sdk-token: the SDK finds orchestrators through the signer, which runs with --orchestrators")
}

func (o *credentialOptions) check() error {
	if o.discovery && o.sdk == "" {
		return cli.Usagef("--sdk-discovery needs --sdk-token URL")
	}
	return nil
}

func tokenCredential(token string) wallet.SignerCredential {
	return wallet.SignerCredential{Kind: string(identity.KindToken), Value: identity.TokenHash(token)}
}

func (o *credentialOptions) with(token string) []wallet.SignerCredential {
	all := []wallet.SignerCredential{tokenCredential(token)}
	for kind, value := range map[identity.Kind]string{identity.KindCertificate: o.certificate, identity.KindJWT: o.jwt, identity.KindProxy: o.authID} {
		if value != "" {
			all = append(all, wallet.SignerCredential{Kind: string(kind), Value: value})
		}
	}
	return all
}

// sdkToken is what the Python SDK's parse_token() reads, in base64.
type sdkToken struct {
	Signer           string            `json:"signer"`
	Discovery        string            `json:"discovery,omitempty"`
	SignerHeaders    map[string]string `json:"signer_headers"`
	DiscoveryHeaders map[string]string `json:"discovery_headers,omitempty"`
}

// emit shows a client with its new token.
func (o *credentialOptions) emit(r *cli.Run, d clientDocument, token string) error {
	d.Token = token
	if o.sdk != "" {
		sdk := sdkToken{Signer: o.sdk, SignerHeaders: map[string]string{"Authorization": "Bearer " + token}}
		if o.discovery {
			sdk.Discovery, sdk.DiscoveryHeaders = strings.TrimSuffix(o.sdk, "/")+"/discover-orchestrators", sdk.SignerHeaders
		}
		text, err := json.Marshal(sdk)
		if err != nil {
			return err
		}
		d.SDKToken = base64.StdEncoding.EncodeToString(text)
	}
	return r.Emit("pmctl.signer_client", d, func(p *page.Page) error { return d.write(p, r.Now()) })
}

func newClientRotate(r *cli.Run) *cobra.Command {
	var credentials credentialOptions
	var overlap time.Duration
	cmd := clientCommand(r, &cobra.Command{
		Use:   "rotate NAME",
		Short: "Replace a client's token",
		Long: `Rotate replaces a client's bearer token and shows the new one, this once. The old
one is refused from now on, or after --overlap, in which both are accepted.`,
		Example: `  pmctl signer client rotate studio
  pmctl signer client rotate studio --overlap 1h`,
	}, func(ctx context.Context, all *wallet.SignerClients, args []string) error {
		if overlap < 0 {
			return cli.Usagef("--overlap is %v; it must be at least 0", overlap)
		}
		if err := credentials.check(); err != nil {
			return err
		}
		var until time.Time
		if overlap > 0 {
			until = r.Now().Add(overlap)
		}
		token := identity.Token()
		if err := all.Rotate(ctx, args[0], tokenCredential(token), until); err != nil {
			return err
		}
		client, err := all.Named(ctx, args[0])
		if err != nil {
			return err
		}
		return credentials.emit(r, documentOf(client), token)
	})
	credentials.registerSDK(cmd)
	cmd.Flags().DurationVar(&overlap, "overlap", 0, "`DURATION` for which the old token is accepted beside the new one")
	return cmd
}

func newClientSet(r *cli.Run) *cobra.Command {
	var terms termsOptions
	return termsCommand(r, &cobra.Command{
		Use:   "set NAME",
		Short: "Change what a client may have signed",
		Long: `Set changes the terms that its flags name; the others stay as they are. A list
replaces the client's list, and "none" removes a term: an allowance, a list or
the time at which the client expires. Payments that are recorded from now on are
held to the new terms. A raised allowance must be within deposit and reserve as for
client add.`,
		Example: `  pmctl signer client set studio --ev-per-day 0.02eth
  pmctl signer client set studio --expires none`,
	}, &terms, func(ctx context.Context, all *wallet.SignerClients, args []string) error {
		return change(ctx, r, all, args[0], func(client *wallet.SignerClient) error {
			return terms.apply(client, r.Now())
		})
	})
}

func newClientRevoke(r *cli.Run) *cobra.Command {
	return clientCommand(r, &cobra.Command{
		Use:     "revoke NAME",
		Short:   "Sign nothing more for a client",
		Long:    "Revoke has every request of the client refused from now on, in all replicas of\nthe signer. What was signed stays recorded. It cannot be undone.",
		Example: "  pmctl signer client revoke studio",
	}, func(ctx context.Context, all *wallet.SignerClients, args []string) error {
		return change(ctx, r, all, args[0], func(client *wallet.SignerClient) error {
			if client.RevokedAt.IsZero() {
				client.RevokedAt = r.Now().UTC().Truncate(time.Millisecond)
			}
			return nil
		})
	})
}

// change changes a client, and shows it.
func change(ctx context.Context, r *cli.Run, all *wallet.SignerClients, name string, how func(*wallet.SignerClient) error) error {
	var changed *wallet.SignerClient
	err := all.Change(ctx, name, func(client *wallet.SignerClient) error {
		changed = client
		return how(client)
	})
	if err != nil {
		return err
	}
	d := documentOf(changed)
	return r.Emit("pmctl.signer_client", d, func(p *page.Page) error { return d.write(p, r.Now()) })
}

func newClientShow(r *cli.Run) *cobra.Command {
	return clientCommand(r, &cobra.Command{
		Use:     "show NAME",
		Short:   "Show a client",
		Long:    "Show shows what a client may have signed. Its token is not shown: the store does\nnot have it.",
		Example: "  pmctl signer client show studio",
	}, func(ctx context.Context, all *wallet.SignerClients, args []string) error {
		client, err := all.Named(ctx, args[0])
		if err != nil {
			return err
		}
		d := documentOf(client)
		return r.Emit("pmctl.signer_client", d, func(p *page.Page) error { return d.write(p, r.Now()) })
	})
}

func newClientList(r *cli.Run) *cobra.Command {
	return clientCommand(r, &cobra.Command{
		Use:     "list",
		Short:   "List the clients",
		Long:    "List shows the clients of the remote signers that use the store.",
		Example: "  pmctl signer client list",
	}, func(ctx context.Context, all *wallet.SignerClients, _ []string) error {
		found, err := all.All(ctx)
		if err != nil {
			return err
		}
		documents := make([]clientDocument, len(found))
		for i, client := range found {
			documents[i] = documentOf(client)
		}
		return r.Emit("pmctl.signer_clients", struct {
			Clients []clientDocument `json:"clients"`
		}{documents}, func(p *page.Page) error { return writeClients(p, documents, r.Now()) })
	})
}
