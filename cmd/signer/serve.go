// Package signer has the commands of the remote signer: the server, its clients.
package signer

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/plainjson"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/remote/service"
)

// NewSigner is pmctl signer.
func NewSigner(r *cli.Run) *cobra.Command {
	return cli.Group("signer", "Sign payments for gateways and SDKs that hold no key",
		newServe(r),
		newClient(r),
		newUsage(r),
	)
}

// serveOptions are the options of pmctl signer serve.
type serveOptions struct {
	cli.PayerOptions
	listen           string
	tlsCert, tlsKey  string
	clientCA         string
	jwt              identity.JWT
	jwtKeys          string
	proxies          []string
	webhookFile      string
	discovery        discoveryOptions
	noAuth           bool
	maxPrices        []string
	perSecond, burst int
	logFormat        string
	drain            time.Duration
	admin            adminOptions
	usage            usageOptions

	// issuer has the keys of --jwt-keys URL, which stay through reloads; nil for none.
	issuer *identity.WebTokens
}

func newServe(r *cli.Run) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Annotations: map[string]string{cli.NoResult: "true"},

		Use:   "serve",
		Short: "Answer the requests of gateways and SDKs",
		Long: `Open the account's key and sign payments for gateways and SDKs that have no key.
The signer speaks go-livepeer's remote signer protocol: POST
/sign-orchestrator-info, POST /generate-live-payment and, with --orchestrators,
GET /discover-orchestrators. It cannot fund, unlock, withdraw or send a
transaction.

The store has the sessions, nonces, allowances and usage records. The signer
checks the client and the limits and records the nonces in one transaction,
before it signs. If a client sends the same state again, it gets the same
answer, byte for byte.

Clients authenticate with a bearer token (pmctl signer client add), a TLS
certificate (--client-ca), a JSON Web Token (--jwt-issuer), or through a proxy
that sets Signer-Auth-Id (--trusted-proxy). On an address that is not loopback,
the signer requires authentication, and TLS unless you name a trusted proxy.

With --admin-listen, operators and monitors get a separate address with a status
page, GET /healthz, /readyz and /metrics, and POST /reload. POST /reload and
SIGHUP make the signer read the limits of the config files, the certificates,
the keys and the auth webhook again; it applies all of them or, if one is not
valid, none. The signer stops if the terminal with its log is closed.`,
		Example: `  pmctl signer serve --no-auth
  pmctl signer serve --listen 0.0.0.0:8935 --tls-cert cert.pem --tls-key key.pem
  pmctl signer serve --webhook-file webhook-url --log json
  pmctl signer serve --no-auth --orchestrators chain`,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(r, cmd, &o) },
	}
	o.PayerOptions.Register(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8935", "`ADDRESS` to listen on, as host:port")
	flags.StringVar(&o.tlsCert, "tls-cert", "", "`FILE` with the server's certificate chain, in PEM")
	flags.StringVar(&o.tlsKey, "tls-key", "", "`FILE` with the certificate's key, in PEM")
	flags.StringVar(&o.clientCA, "client-ca", "", "`FILE` with the certificates that sign clients' certificates, in PEM")
	flags.StringVar(&o.jwt.Issuer, "jwt-issuer", "", "accept JSON Web Tokens of the issuer with this `URL`")
	flags.StringVar(&o.jwt.Audience, "jwt-audience", "", "require `NAME` as the audience of JSON Web Tokens")
	flags.StringVar(&o.jwtKeys, "jwt-keys", "", "issuer's public keys: the `URL` of its JWKS document, or a file with keys in PEM")
	flags.StringVar(&o.jwt.Client, "jwt-client", "sub", "`CLAIM` that identifies the client")
	flags.StringVar(&o.jwt.Subject, "jwt-subject", "", "`CLAIM` that identifies the client's user, for usage records")
	flags.StringSliceVar(&o.proxies, "trusted-proxy", nil, "`ADDRESS` or prefix of a proxy that may set Signer-Auth-Id; repeatable")
	flags.StringVar(&o.webhookFile, "webhook-file", "", "`FILE` with the URL of an auth webhook that must approve each payment; further lines are HTTP headers")
	o.discovery.register(cmd)
	flags.BoolVar(&o.noAuth, "no-auth", false, "accept requests without credentials from programs on this machine; for loopback addresses only")
	flags.StringSliceVar(&o.maxPrices, "max-price", nil, "refuse prices above `'N wei/UNIT'`, and all other units; UNIT is second, 720p-pixel-second, call or pixel; repeatable")
	flags.IntVar(&o.perSecond, "rate", 100, "limit each client, and each address without one, to `N` requests a second; 0 for no limit")
	flags.IntVar(&o.burst, "burst", 100, "limit each client to `N` requests at once")
	flags.StringVar(&o.logFormat, "log", "text", "`FORMAT` of the log on stderr: text or json")
	o.admin.register(cmd)
	o.usage.register(cmd)
	flags.DurationVar(&o.drain, "drain", 30*time.Second, "after a stop, finish requests in progress for at most `DURATION`")
	return cmd
}

func serve(r *cli.Run, cmd *cobra.Command, o *serveOptions) error {
	hangups := make(chan os.Signal, 1)
	signal.Reset(syscall.SIGHUP) // which ends every other command
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	files, err := r.Settings()
	if err != nil {
		return err
	}
	sockets, err := o.take(r, cmd)
	if err != nil {
		return err
	}
	defer sockets.close()
	encrypted, authorities, err := o.tls()
	if err != nil {
		return err
	}
	options, err := o.signer(cmd.Context(), r, authorities)
	if err != nil {
		return err
	}
	if err := checkExposure("--listen", o.listen, !o.noAuth, encrypted != nil || len(o.proxies) > 0); err != nil {
		return err
	}
	watched, err := o.admin.watched(r.Env, encrypted != nil)
	if err != nil {
		return err
	}
	if watched != nil {
		options.Observe, options.Forecast = watched.Recorder.Observe, true
	}
	o.KeyHere = true
	o.Noted = func(text string) { options.Log.Warn(text) }
	w, err := cli.OpenWallet(r, cmd, &o.PayerOptions)
	if err != nil {
		return err
	}
	defer w.Close()
	signer, err := wallet.NewRemoteSigner(cmd.Context(), w, *options)
	if err != nil {
		return err
	}
	defer signer.Close()
	listener, err := listen(cmd.Context(), sockets.signer, o.listen)
	if err != nil {
		return err
	}
	if watched != nil {
		if watched.Listener, err = listen(cmd.Context(), sockets.admin, o.admin.address()); err != nil {
			_ = listener.Close()
			return err
		}
	}
	cli.FailBrokenPipes() // payments go on after the reader of the log has ended
	again := &reloading{run: r, cmd: cmd, options: o, service: signer, signer: options, files: files, began: w.Config}
	return service.Serve(cmd.Context(), service.Config{
		Signer: signer, Listener: listener, TLS: encrypted, Drain: o.drain, Admin: watched,
		Reload: again.apply, Hangups: hangups, Getenv: r.Getenv, Log: options.Log,
		Deserted: func() bool { return r.ErrTerminal && !term.IsTerminal(int(os.Stderr.Fd())) },
		About:    []any{"account", w.Account.Address().Hex(), "network", w.Network.Name},
	})
}

// signer is what the options say of the signer.
func (o *serveOptions) signer(ctx context.Context, r *cli.Run, authorities []*x509.Certificate) (*wallet.RemoteSignerOptions, error) {
	host, err := os.Hostname()
	if err != nil {
		return nil, err
	}
	options := &wallet.RemoteSignerOptions{Host: host, Version: cli.BuildVersion(), Rate: remote.Rate{PerSecond: float64(o.perSecond), Burst: o.burst}}
	switch {
	case o.perSecond < 0:
		return nil, cli.Usagef("--rate %d: it must be at least 0", o.perSecond)
	case o.burst < 1:
		return nil, cli.Usagef("--burst %d: it must be at least 1", o.burst)
	case o.drain < 0:
		return nil, cli.Usagef("--drain %s: it must be at least 0", duration.Text(o.drain))
	}
	if options.MaxPrices, err = parsePrices(o.maxPrices); err != nil {
		return nil, err
	}
	if options.Log, err = newLog(r.Err, o.logFormat); err != nil {
		return nil, err
	}
	if options.Discovery, err = o.discovery.options(ctx, r.Env, options.Log); err != nil {
		return nil, err
	}
	if err := o.usage.apply(r.Env, options); err != nil {
		return nil, err
	}
	return options, o.authenticate(ctx, r.Env, authorities, options)
}

// authenticate reads the files that say who may ask. It changes nothing where one is not valid.
func (o *serveOptions) authenticate(ctx context.Context, env *cli.Env, authorities []*x509.Certificate, options *wallet.RemoteSignerOptions) error {
	webhook, err := readWebhook(env, "--webhook-file", o.webhookFile)
	if err != nil {
		return err
	}
	identify, err := o.identify(ctx, authorities, webhook != nil, options.Log)
	if err != nil {
		return err
	}
	options.Webhook, options.Identify = webhook, identify
	return nil
}

func newLog(to io.Writer, format string) (*slog.Logger, error) {
	switch format {
	case "text":
		return slog.New(slog.NewTextHandler(to, nil)), nil
	case "json":
		return slog.New(slog.NewJSONHandler(plainjson.Writer{Writer: to}, nil)), nil
	}
	return nil, cli.Usagef("--log %q: it must be text or json", format)
}

// identify is how clients are recognized.
func (o *serveOptions) identify(ctx context.Context, authorities []*x509.Certificate, webhook bool, log *slog.Logger) (identity.Any, error) {
	proxies, err := identity.ParseProxies(o.proxies)
	if err != nil {
		return nil, cli.Usagef("--trusted-proxy %w", err)
	}
	all := identity.Any{proxies.Strangers(), identity.Tokens{}}
	switch {
	case o.issuer != nil:
		all = append(all, o.issuer)
	case o.jwt.Issuer+o.jwt.Audience+o.jwt.Subject+o.jwtKeys != "" || o.jwt.Client != "sub":
		accepted, err := o.webTokens()
		if err != nil {
			return nil, err
		}
		accepted.Log = log
		tokens, err := accepted.Tokens(ctx)
		if err != nil {
			return nil, cli.Usage(cli.WithHint(err, "pass --jwt-issuer, --jwt-audience and --jwt-keys"))
		}
		if all = append(all, tokens); accepted.KeysURL != "" {
			o.issuer = tokens
		}
	}
	all = append(all, proxies)
	if len(authorities) > 0 { // a connection's certificate is the proxy's where there is one
		all = append(all, identity.Certificates{Authorities: authorities})
	}
	switch {
	case webhook: // which authenticates by itself
		all = append(all, identity.None{})
	case o.noAuth:
		all = append(all, identity.Local{})
	}
	return all, nil
}

// webTokens are the JSON Web Tokens that are accepted, with where their keys come from.
func (o *serveOptions) webTokens() (identity.JWT, error) {
	tokens := o.jwt
	if o.jwtKeys == "" || strings.HasPrefix(o.jwtKeys, "https://") || strings.HasPrefix(o.jwtKeys, "http://") {
		tokens.KeysURL = o.jwtKeys
		return tokens, nil
	}
	text, err := os.ReadFile(o.jwtKeys)
	if err != nil {
		return tokens, fmt.Errorf("--jwt-keys: %w", err)
	}
	tokens.Keys, err = identity.ParseKeys(text)
	if errors.Is(err, identity.ErrNoKey) {
		return tokens, cli.Usagef("%s has no public key in PEM", o.jwtKeys)
	}
	if other, ok := errors.AsType[*identity.KeyTypeError](err); ok {
		command := "openssl pkey -in %s -pubout"
		if other.Type == "CERTIFICATE" {
			command = "openssl x509 -in %s -noout -pubkey"
		}
		return tokens, cli.Usage(cli.WithHint(fmt.Errorf("%s has a %w", o.jwtKeys, other), command+" prints the public key", o.jwtKeys))
	}
	return tokens, cli.WithSource(o.jwtKeys, err)
}

// tls returns nil where no certificate was given. The authorities are those of clients' certificates, read once:
// the listener and what recognizes clients accept the same ones.
func (o *serveOptions) tls() (config *tls.Config, authorities []*x509.Certificate, err error) {
	if (o.tlsCert == "") != (o.tlsKey == "") {
		return nil, nil, cli.Usagef("--tls-cert and --tls-key belong together")
	}
	if o.tlsCert == "" {
		if o.clientCA != "" {
			return nil, nil, cli.Usagef("--client-ca needs --tls-cert and --tls-key")
		}
		return nil, nil, nil
	}
	if o.clientCA != "" {
		if authorities, err = service.LoadAuthorities(o.clientCA); err != nil {
			return nil, nil, fmt.Errorf("--client-ca: %w", err)
		}
	}
	config, err = service.LoadTLS(o.tlsCert, o.tlsKey, authorities)
	return config, authorities, err
}

// checkExposure refuses a listener that others could pay through, or read along.
func checkExposure(flag, address string, authenticated, encrypted bool) error {
	if !strings.HasPrefix(address, service.Socket) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return cli.Usagef("%s %q is not host:port", flag, address)
		}
		// Listening would find that out after the passphrase was asked for.
		if _, err := net.LookupPort("tcp", port); err != nil {
			return cli.Usagef("%s %q: %q is not a port; ports are numbers up to 65535", flag, address, port)
		}
	}
	err := service.CheckExposure(address, authenticated, encrypted)
	switch {
	case err == nil:
		return nil
	case flag == "--admin-listen" && errors.Is(err, service.ErrNoAuthentication):
		err = cli.WithHint(err, "pass --admin-token-file FILE, or listen on 127.0.0.1")
	case flag == "--admin-listen":
		err = cli.WithHint(err, "pass --tls-cert and --tls-key, or listen on 127.0.0.1")
	case errors.Is(err, service.ErrNoAuthentication):
		err = cli.WithHint(err, "leave --no-auth out, and add clients with pmctl signer client add")
	default:
		err = cli.WithHint(err, "pass --tls-cert and --tls-key, or listen on 127.0.0.1 behind a proxy")
	}
	return cli.Usage(err)
}
