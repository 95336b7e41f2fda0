package signer

import (
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/delivery"
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
	flags.StringVar(&o.runwayBelow, "runway-below", "3d", "notify the server if the deposit lasts less than `DURATION`, such as 12h or 3d")
	flags.DurationVar(&o.retention, "usage-retention", 0, "remove acknowledged payments after `DURATION`, at least 24h; 0 for never")
}

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
