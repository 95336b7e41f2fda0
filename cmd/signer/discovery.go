package signer

import (
	"context"
	"log/slog"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/runner"
)

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
	flags.DurationVar(&o.every, "discovery-interval", 5*time.Minute, "ask orchestrators for their offers every `DURATION`")
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
	case o.orchestrators == "":
		return nil, nil
	case o.orchestrators != fromChain:
		discovery.Candidates = runner.File(o.orchestrators)
		if _, err := discovery.Candidates(ctx); err != nil { // later its mistakes would only be logged
			return nil, cli.Usagef("--orchestrators: %w", err)
		}
	}
	return discovery, nil
}
