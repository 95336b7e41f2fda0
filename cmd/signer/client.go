package signer

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"maps"
	"regexp"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
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

// termsOptions say what a client may have signed.
type termsOptions struct {
	limits                      map[string]*string // of the allowances, by their names
	expires                     string
	recipients, apps, maxPrices []string
}

func (o *termsOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	o.limits = make(map[string]*string)
	for _, a := range allowances() {
		o.limits[a.name] = flags.String(a.flag, "", a.usage)
	}
	flags.StringVar(&o.expires, "expires", "", "`TIME` at which the client expires, RFC 3339, or a duration such as 720h")
	flags.StringSliceVar(&o.recipients, "recipient", nil, "`ADDRESS` that may be paid; may be repeated (default any)")
	flags.StringSliceVar(&o.apps, "app", nil, "`APP` that may be paid for; may be repeated (default any)")
	flags.StringSliceVar(&o.maxPrices, "max-price", nil, "highest price, as `'N wei/UNIT'` with the unit second, 720p-pixel-second, call or pixel; may be repeated; other units are then refused")
}

func (o *termsOptions) apply(client *wallet.SignerClient, now time.Time) error {
	for _, a := range allowances() {
		text := *o.limits[a.name]
		if text == "" {
			continue
		}
		limit, err := cli.ParseAmount("--"+a.flag, text)
		if err != nil {
			return err
		}
		*a.of(&client.Terms) = &limit
	}
	if o.expires != "" {
		at, err := time.Parse(time.RFC3339, o.expires)
		if err != nil {
			length, lengthErr := time.ParseDuration(o.expires)
			if lengthErr != nil || length <= 0 {
				return cli.Usagef("--expires %q is neither an RFC 3339 time nor a duration such as 720h", o.expires)
			}
			at = now.Add(length)
		}
		client.ExpiresAt = at.UTC().Truncate(time.Millisecond)
	}
	for _, text := range o.recipients {
		if !common.IsHexAddress(text) {
			return cli.Usagef("--recipient %q is no address", text)
		}
		client.Terms.Recipients = append(client.Terms.Recipients, common.HexToAddress(text))
	}
	client.Terms.Apps = append(client.Terms.Apps, o.apps...)
	prices, err := parsePrices(o.maxPrices)
	if err != nil {
		return err
	}
	if client.Terms.MaxPrices == nil {
		client.Terms.MaxPrices = prices
	}
	maps.Copy(client.Terms.MaxPrices, prices)
	return nil
}

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
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		w, all, err := clients(cmd.Context(), r, &o)
		if err != nil {
			return err
		}
		defer w.Close()
		return run(cmd.Context(), all, args)
	}
	o.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

func newClientAdd(r *cli.Run) *cobra.Command {
	var terms termsOptions
	var credentials credentialOptions
	cmd := clientCommand(r, &cobra.Command{
		Use:   "add NAME",
		Short: "Add a client, and show its token",
		Long: `Add adds a client with what it may have signed, and shows its bearer token.
The token is shown this once: the store keeps a hash of it. Allowances are
counted by payments as they are recorded, over all replicas of the signer, and a
payment that exceeds one is refused with status 483 before anything is signed.

With --certificate, --jwt or --auth-id the client is also recognized by the
common name of its TLS certificate, by a claim of its JSON Web Token, or by the
auth id that a trusted proxy sets.`,
		Example: `  pmctl signer client add studio --ev-per-day 0.01eth --expires 720h
  pmctl signer client add sdk --sdk-token https://signer.example:8935
  pmctl signer client add batch --recipient 0x… --max-price '500 wei/second'`,
	}, func(ctx context.Context, all *wallet.SignerClients, args []string) error {
		if !regexp.MustCompile(clientName).MatchString(args[0]) {
			return cli.Usagef("client name %q: use at most 64 letters, digits, dots, dashes and underscores, and begin with a letter or digit", args[0])
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
	terms.register(cmd)
	credentials.register(cmd)
	return cmd
}

// credentialOptions say what a client is recognized by.
type credentialOptions struct {
	certificate, jwt, authID string
	sdk                      string
}

func (o *credentialOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.certificate, "certificate", "", "common `NAME` of the client's TLS certificate")
	flags.StringVar(&o.jwt, "jwt", "", "`VALUE` of the claim that names the client in its JSON Web Tokens")
	flags.StringVar(&o.authID, "auth-id", "", "`ID` that a trusted proxy sends for the client, before a colon")
	flags.StringVar(&o.sdk, "sdk-token", "", "also show the token of the Python SDK for the signer at this `URL`")
}

func (o *credentialOptions) with(token string) []wallet.SignerCredential {
	all := []wallet.SignerCredential{{Kind: string(identity.KindToken), Value: identity.TokenHash(token)}}
	for kind, value := range map[identity.Kind]string{identity.KindCertificate: o.certificate, identity.KindJWT: o.jwt, identity.KindProxy: o.authID} {
		if value != "" {
			all = append(all, wallet.SignerCredential{Kind: string(kind), Value: value})
		}
	}
	return all
}

// emit shows a client with its new token.
func (o *credentialOptions) emit(r *cli.Run, d clientDocument, token string) error {
	d.Token = token
	if o.sdk != "" {
		sdk, err := json.Marshal(struct {
			Signer  string            `json:"signer"`
			Headers map[string]string `json:"signer_headers"`
		}{o.sdk, map[string]string{"Authorization": "Bearer " + token}})
		if err != nil {
			return err
		}
		d.SDKToken = base64.StdEncoding.EncodeToString(sdk)
	}
	return r.Emit("pmctl.signer_client", d, d.write)
}

func newClientRotate(r *cli.Run) *cobra.Command {
	var credentials credentialOptions
	cmd := clientCommand(r, &cobra.Command{
		Use:     "rotate NAME",
		Short:   "Replace a client's token",
		Long:    "Rotate replaces a client's bearer token and shows the new one, this once. The\nold one is refused from now on.",
		Example: "  pmctl signer client rotate studio",
	}, func(ctx context.Context, all *wallet.SignerClients, args []string) error {
		token := identity.Token()
		if err := all.Replace(ctx, args[0], string(identity.KindToken), identity.TokenHash(token)); err != nil {
			return err
		}
		client, err := all.Named(ctx, args[0])
		if err != nil {
			return err
		}
		return credentials.emit(r, documentOf(client), token)
	})
	cmd.Flags().StringVar(&credentials.sdk, "sdk-token", "", "also show the token of the Python SDK for the signer at this `URL`")
	return cmd
}

func newClientSet(r *cli.Run) *cobra.Command {
	var terms termsOptions
	cmd := clientCommand(r, &cobra.Command{
		Use:     "set NAME",
		Short:   "Change what a client may have signed",
		Long:    "Set changes the terms that its flags name; the others stay as they are. A list\nreplaces the client's list. Payments that are recorded from now on are held to\nthe new terms.",
		Example: "  pmctl signer client set studio --ev-per-day 0.02eth",
	}, func(ctx context.Context, all *wallet.SignerClients, args []string) error {
		return change(ctx, r, all, args[0], func(client *wallet.SignerClient) error {
			if len(terms.recipients) > 0 {
				client.Terms.Recipients = nil
			}
			if len(terms.apps) > 0 {
				client.Terms.Apps = nil
			}
			return terms.apply(client, r.Now())
		})
	})
	terms.register(cmd)
	return cmd
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
	var d clientDocument
	err := all.Change(ctx, name, func(client *wallet.SignerClient) error {
		if err := how(client); err != nil {
			return err
		}
		d = documentOf(client)
		return nil
	})
	if err != nil {
		return err
	}
	return r.Emit("pmctl.signer_client", d, d.write)
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
		return r.Emit("pmctl.signer_client", d, d.write)
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
		}{documents}, func(p *cli.Page) error { return writeClients(p, documents) })
	})
}
