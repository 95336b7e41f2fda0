package funds

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/clock"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/remote/delivery"
)

// notifyOptions say who learns of top-ups, and of those that cannot be.
type notifyOptions struct {
	eventsFile string
	command    string
}

func (o *notifyOptions) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.eventsFile, "events-file", "", "`FILE` with the URL of a server to notify of top-ups and of what prevents them; further lines are HTTP headers")
	flags.StringVar(&o.command, "notify-command", "", "absolute `PATH` of a program to run for the same reports, with the JSON document on stdin, and PMCTL_OUTCOME and PMCTL_REASON set")
}

// notifier reports looks, each kind at most once a day.
type notifier struct {
	endpoint *delivery.Endpoint
	command  string
	env      []string

	last string
	at   time.Time
}

const (
	// repeatAfter is when the same outcome is reported again.
	repeatAfter = 24 * time.Hour
	// longestCommand bounds what a notification's command may take.
	longestCommand = time.Minute
)

func (o *notifyOptions) notifier(env *cli.Env) (*notifier, error) {
	n := &notifier{command: o.command}
	if o.command != "" && !filepath.IsAbs(o.command) {
		return nil, cli.Usagef("--notify-command %s: pass the absolute path of a program, without arguments", o.command)
	}
	if o.command != "" {
		// A mistyped name would be found out only when there is something to report.
		if _, err := exec.LookPath(o.command); err != nil {
			if missing, ok := errors.AsType[*exec.Error](err); ok {
				err = missing.Err // which does not repeat the name
			}
			return nil, cli.Usagef("--notify-command: cannot run %s: %w", o.command, err)
		}
	}
	// Nothing else: the environment may have passwords in it.
	for _, name := range []string{"PATH", "HOME", "LANG", "TZ"} {
		if value := env.Getenv(name); value != "" {
			n.env = append(n.env, name+"="+value)
		}
	}
	var err error
	n.endpoint, err = cli.SpeakTo(env, "--events-file", o.eventsFile, delivery.NewEndpoint)
	return n, err
}

// fresh reports whether a look is worth a report: a top-up, or a reason that was not reported since a
// day.
func (n *notifier) fresh(t wallet.TopUp, now time.Time) bool {
	kind := t.Outcome + " " + t.Reason
	if kind == n.last && t.Outcome != wallet.TopUpFunded && (t.Outcome == wallet.TopUpEnough || clock.Within(now, n.at, repeatAfter)) {
		return false
	}
	n.last, n.at = kind, now
	return true
}

// send notifies the server and runs the command, and returns what failed. Funds that are enough are
// no news.
func (n *notifier) send(ctx context.Context, t wallet.TopUp) (failed []format.Warning) {
	if t.Outcome == wallet.TopUpEnough || t.Outcome == wallet.TopUpPlanned {
		return nil
	}
	if n.endpoint != nil {
		event, err := t.Event()
		if err == nil {
			err = n.endpoint.Post(ctx, event)
		}
		if err != nil {
			failed = append(failed, format.Warning{Code: "event_not_sent", Message: fmt.Sprintf("the server of --events-file was not notified: %v", err)})
		}
	}
	if n.command != "" {
		if err := n.runCommand(ctx, t); err != nil {
			failed = append(failed, format.Warning{Code: "command_failed", Message: fmt.Sprintf("--notify-command: %v", err)})
		}
	}
	return failed
}

func (n *notifier) runCommand(ctx context.Context, t wallet.TopUp) error {
	var document bytes.Buffer
	if err := format.WriteLine(&document, "pmctl.fund_auto", t); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, longestCommand)
	defer cancel()
	command := exec.CommandContext(ctx, n.command)
	command.Stdin, command.WaitDelay = &document, time.Second
	command.Env = append(n.env[:len(n.env):len(n.env)], "PMCTL_OUTCOME="+t.Outcome, "PMCTL_REASON="+t.Reason)
	err := command.Run()
	if ctx.Err() == context.DeadlineExceeded {
		err = fmt.Errorf("%s did not end within %s, and was killed", n.command, duration.Text(longestCommand))
	}
	return err
}
