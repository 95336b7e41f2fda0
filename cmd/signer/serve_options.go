package signer

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/admin"
	"github.com/pmctl/pmctl/wallet/remote/delivery"
	"github.com/pmctl/pmctl/wallet/remote/service"
	"github.com/pmctl/pmctl/wallet/runner"
)

// usageOptions say where usage events and the operator's own events go.
type usageOptions struct {
	usageFile   string
	retention   time.Duration
	eventsFile  string
	runwayBelow string
}

func (o *usageOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.usageFile, "usage-file", "", "`FILE` with the URL of a collector of usage events; further lines are HTTP headers")
	flags.StringVar(&o.eventsFile, "events-file", "", "`FILE` with the URL of a server to notify of budgets, runway, unlocks and refused recipients; further lines are HTTP headers")
	flags.StringVar(&o.runwayBelow, "runway-below", runwayBelow, "notify the server if the deposit lasts less than `DURATION`, such as 12h or 3d")
	flags.DurationVar(&o.retention, "usage-retention", 0, "remove acknowledged payments after `DURATION`, at least 24h; 0 for never")
}

// The values of --runway-below and --discovery-interval where they are not given.
const (
	runwayBelow       = "3d"
	discoveryInterval = 5 * time.Minute
)

// minRetention is longer than a client keeps a state or a key to repeat a request with.
const minRetention = 24 * time.Hour

func (o *usageOptions) apply(env *cli.Env, to *wallet.RemoteSignerOptions) error {
	if o.retention != 0 && o.retention < minRetention {
		return cli.Usagef("--usage-retention %s: it must be at least 24h, or 0 for never", duration.Text(o.retention))
	}
	to.Retention = o.retention
	var err error
	if to.RunwayBelow, err = cli.ParseDuration("--runway-below", o.runwayBelow); err != nil {
		return err
	}
	if o.eventsFile == "" && o.runwayBelow != runwayBelow {
		return cli.Usagef("--runway-below has no effect without --events-file FILE")
	}
	if to.Collector, err = cli.SpeakTo(env, "--usage-file", o.usageFile, delivery.NewEndpoint); err != nil {
		return err
	}
	to.Events, err = cli.SpeakTo(env, "--events-file", o.eventsFile, delivery.NewEndpoint)
	return err
}

func readWebhook(env *cli.Env, flag, path string) (*remote.Webhook, error) {
	return cli.SpeakTo(env, flag, path, func(url string, headers http.Header) *remote.Webhook {
		return &remote.Webhook{URL: url, Headers: headers}
	})
}

// adminOptions say where operators and monitors ask, and with which token.
type adminOptions struct {
	listen, tokenFile string
}

func (o *adminOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "admin-listen", "", "listen on `ADDRESS` for operators and monitors; without a host: on 127.0.0.1 (default: do not listen)")
	flags.StringVar(&o.tokenFile, "admin-token-file", "", "`FILE` with the token that operators and monitors must send, readable by you alone")
}

// minAdminToken is how long a token must be, in bytes.
const minAdminToken = 16

// watched is what the options say of the admin listener, which is not open yet; nil without one.
func (o *adminOptions) watched(env *cli.Env, encrypted bool) (*service.Admin, error) {
	if o.listen == "" {
		if o.tokenFile != "" {
			return nil, cli.Usagef("--admin-token-file has no effect without --admin-listen ADDRESS")
		}
		return nil, nil
	}
	if err := checkExposure("--admin-listen", o.address(), o.tokenFile != "", encrypted); err != nil {
		return nil, err
	}
	token, err := o.token(env)
	return &service.Admin{Recorder: admin.NewRecorder(), Token: token}, err
}

// token is "" without a file.
func (o *adminOptions) token(env *cli.Env) (string, error) {
	if o.tokenFile == "" {
		return "", nil
	}
	token, err := cli.ReadToken(env, "--admin-token-file", o.tokenFile)
	if err == nil && len(token) < minAdminToken {
		err = cli.Usagef("--admin-token-file %s has a token of %d characters, at least %d are required", o.tokenFile, len(token), minAdminToken)
	}
	return token, err
}

// address is where to listen: an address without a host is on this machine alone.
func (o *adminOptions) address() string {
	if !strings.Contains(o.listen, ":") {
		return "127.0.0.1:" + o.listen
	}
	if strings.HasPrefix(o.listen, ":") {
		return "127.0.0.1" + o.listen
	}
	return o.listen
}

// fromChain is the value of --orchestrators for those in the registries.
const fromChain = "chain"

// discoveryOptions say which orchestrators GET /discover-orchestrators lists.
type discoveryOptions struct {
	orchestrators string
	webhookFile   string
	every         time.Duration
}

func (o *discoveryOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.orchestrators, "orchestrators", "", "list orchestrators to clients; `SOURCE` is chain for the registries, or a file with one URL per line")
	flags.StringVar(&o.webhookFile, "orchestrators-webhook-file", "", "list the orchestrators of a webhook: `FILE` with its URL; further lines are HTTP headers")
	flags.DurationVar(&o.every, "discovery-interval", discoveryInterval, "ask orchestrators for their offers every `DURATION`")
}

// options returns nil where nothing is listed.
func (o *discoveryOptions) options(ctx context.Context, env *cli.Env, log *slog.Logger) (*wallet.DiscoveryOptions, error) {
	discovery := &wallet.DiscoveryOptions{Every: o.every, Ended: func(answered, asked int, err error) {
		level, fields := slog.LevelInfo, []slog.Attr{slog.Int("answered", answered), slog.Int("asked", asked)}
		if err != nil {
			fields = append(fields, slog.String("error", err.Error()))
		}
		if answered == 0 {
			level = slog.LevelWarn
		}
		log.LogAttrs(ctx, level, "discovery", fields...)
	}}
	hook, err := readWebhook(env, "--orchestrators-webhook-file", o.webhookFile)
	switch {
	case err != nil:
		return nil, err
	case o.every < time.Second:
		return nil, cli.Usagef("--discovery-interval is %s; it must be at least 1s", duration.Text(o.every))
	case hook != nil && o.orchestrators != "":
		return nil, cli.Usagef("--orchestrators and --orchestrators-webhook-file exclude each other")
	case hook != nil:
		discovery.Candidates = runner.Webhook(hook.URL, hook.Headers, nil)
	case o.orchestrators == "" && o.every != discoveryInterval:
		return nil, cli.Usagef("--discovery-interval has no effect without --orchestrators SOURCE")
	case o.orchestrators == "":
		return nil, nil
	case o.orchestrators != fromChain:
		discovery.Candidates = runner.File(o.orchestrators)
		if _, err := discovery.Candidates(ctx); ctx.Err() != nil {
			return nil, err
		} else if err != nil { // later its mistakes would only be logged
			return nil, cli.Usagef("--orchestrators: %w", err)
		}
	}
	return discovery, nil
}
