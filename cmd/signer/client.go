package signer

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/duration"
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
	var o cli.WalletOptions
	o.RegisterLooking(cmd)
	terms.register(cmd)
	return withClients(r, cmd, &o.Store, func(ctx context.Context, all *wallet.SignerClients, args []string) error {
		if !terms.overcommit {
			all.Backing = func(ctx context.Context) (*wallet.Backing, error) {
				reader, err := o.OpenReader(ctx, r, nil)
				if err != nil {
					return nil, cli.WithItsHint(err)
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
		config, err := cli.StoreConfig(r, o)
		if err != nil {
			return err
		}
		w, err := wallet.Open(cmd.Context(), config)
		if err != nil {
			return err
		}
		defer w.Close()
		all, err := w.SignerClients()
		if err != nil {
			return err
		}
		return run(cmd.Context(), all, args)
	}
	return cmd
}

func newClientAdd(r *cli.Run) *cobra.Command {
	var terms termsOptions
	var credentials credentialOptions
	cmd := termsCommand(r, &cobra.Command{
		Use:   "add NAME",
		Short: "Add a client and show its token",
		Long: `Add a client with its allowances, and show its bearer token. pmctl shows the
token only once: the store has only its hash. The payments that all replicas of
the signer record count against an allowance. The signer refuses a payment that
exceeds one with status 483, and signs nothing.

With --certificate, --jwt or --auth-id, the signer also recognizes the client by
the common name of its TLS certificate, by a claim of its JSON Web Token, or by
the auth ID that a trusted proxy sets.

The allowances of all clients together must not exceed the account's deposit and
reserve, unless you pass --overcommit. Of each client its smallest allowance
counts; a daily allowance counts in full.`,
		Example: `  pmctl signer client add studio --ev-per-day 0.01eth --expires 720h
  pmctl signer client add sdk --sdk-token https://signer.example:8935
  pmctl signer client add batch --recipient 0x… --max-price '500 wei/second'`,
	}, &terms, func(ctx context.Context, all *wallet.SignerClients, args []string) error {
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
	flags.StringVar(&o.jwt, "jwt", "", "`VALUE` of the claim that identifies the client in its JSON Web Tokens")
	flags.StringVar(&o.authID, "auth-id", "", "`ID` that a trusted proxy sends for the client: the part before the colon")
	o.registerSDK(cmd)
}

func (o *credentialOptions) registerSDK(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.sdk, "sdk-token", "", "also show a token for the Python SDK, for the signer at `URL`")
	cmd.Flags().BoolVar(&o.discovery, "sdk-discovery", false, "with --sdk-token: let the SDK get its orchestrators from the signer, which must run with --orchestrators")
}

func (o *credentialOptions) check() error {
	if strings.Contains(o.authID, ":") {
		return cli.Usagef("--auth-id %q: pass the part before the colon; what follows names a user of the client's", o.authID)
	}
	if u, err := url.Parse(o.sdk); o.sdk != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return cli.Usagef("--sdk-token %q is not the signer's URL, such as https://signer.example:8935", o.sdk)
	}
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
	err := r.EmitDone(fmt.Sprintf("client %q has a new token", d.Name), clientKind, d, func(p *page.Page) { d.write(p, r.Now()) })
	return cli.WithHint(err, "pmctl signer client rotate %s replaces the token, and shows the new one", d.Name)
}

const clientKind = "pmctl.signer_client"

func emitClient(r *cli.Run, d clientDocument) error {
	return r.Emit(clientKind, d, func(p *page.Page) { d.write(p, r.Now()) })
}

func newClientRotate(r *cli.Run) *cobra.Command {
	var credentials credentialOptions
	var overlap time.Duration
	cmd := clientCommand(r, &cobra.Command{
		Use:   "rotate NAME",
		Short: "Replace a client's token",
		Long: `Replace a client's bearer token and show the new one, only once. The signer
refuses the old token at once; with --overlap it accepts both for that time.`,
		Example: `  pmctl signer client rotate studio
  pmctl signer client rotate studio --overlap 1h`,
	}, func(ctx context.Context, all *wallet.SignerClients, args []string) error {
		if overlap < 0 {
			return cli.Usagef("--overlap is %s; it must be at least 0", duration.Text(overlap))
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
	cmd.Flags().DurationVar(&overlap, "overlap", 0, "keep accepting the old token for `DURATION`")
	return cmd
}

func newClientSet(r *cli.Run) *cobra.Command {
	var terms termsOptions
	return termsCommand(r, &cobra.Command{
		Use:   "set NAME",
		Short: "Change a client's allowances and other terms",
		Long: `Change the terms that you pass as flags; the others stay unchanged. A list
replaces the client's list. The value none removes an allowance, a list or the
expiry. The new terms apply to the next payment. If you raise an allowance,
pmctl compares it with deposit and reserve, as client add does.`,
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
		Short:   "Refuse all further requests of a client",
		Long:    "Revoke a client: all replicas of the signer refuse its requests from now on. The\nrecords of its payments stay in the store. You cannot undo this.",
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
	return emitClient(r, documentOf(changed))
}

func newClientShow(r *cli.Run) *cobra.Command {
	return clientCommand(r, &cobra.Command{
		Use:     "show NAME",
		Short:   "Show a client's allowances and other terms",
		Long:    "Show the terms of a client. pmctl cannot show its token: the store has only its\nhash.",
		Example: "  pmctl signer client show studio",
	}, func(ctx context.Context, all *wallet.SignerClients, args []string) error {
		client, err := all.Named(ctx, args[0])
		if err != nil {
			return err
		}
		return emitClient(r, documentOf(client))
	})
}

func newClientList(r *cli.Run) *cobra.Command {
	return clientCommand(r, &cobra.Command{
		Use:     "list",
		Short:   "List the clients",
		Long:    "List the clients of the remote signers that use the store.",
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
		return cli.EmitList(r, "pmctl.signer_clients", struct {
			Clients []clientDocument `json:"clients"`
		}{documents}, func(p *page.Page) { writeClients(p, documents, r.Now()) })
	})
}
