// Package agent has the commands about the process that keeps a key open.
package agent

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/format"
)

// NewAgent is pmctl agent.
func NewAgent(r *cli.Run) *cobra.Command {
	return cli.Group("agent", "Keep a key open, so that commands need no passphrase",
		newAgentStart(r),
		newAgentVerb(r, "status", "Show the agent's account, limits and state", `Show whose key the agent has, how long it stays open, what the agent signed, and
how recent its view of the chain is. The exit code is 6 if no agent answers.`, (*agent.Client).Status),
		newAgentVerb(r, "lock", "Close the agent's key", `Overwrite the key in the agent's memory, after a signature in progress. The agent
then refuses to sign, and still answers pmctl agent status. pmctl agent start
replaces it.`, (*agent.Client).Lock),
		newAgentVerb(r, "stop", "Stop the agent", `Overwrite the key in the agent's memory, complete the requests in progress, and
end the agent. The command returns when the agent has ended.`, end),
	)
}

// newAgentVerb is a command that asks the agent for something.
func newAgentVerb(r *cli.Run, name, short, long string, do func(*agent.Client, context.Context) (*agent.Status, error)) *cobra.Command {
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Long:  long,
		Example: fmt.Sprintf(`  pmctl agent %[1]s
  PMCTL_AGENT=/run/pmctl/agent.sock pmctl agent %[1]s -o json`, name),
		RunE: func(cmd *cobra.Command, _ []string) error {
			path, err := agentPath(r)
			if err != nil {
				return err
			}
			client := r.AgentClient(path)
			defer client.Close()
			status, err := do(client, cmd.Context())
			if _, explained := hint.Of(err); explained {
				return err
			} else if err != nil {
				return cli.WithHint(err, "start one with pmctl agent start; %s is the path of its socket", cli.EnvAgent)
			}
			if status == nil {
				r.Note("the agent at %s, of another version of pmctl, has ended", path)
				return nil
			}
			return r.Emit("pmctl.agent_status", status, agentStatus{status, path, name == "stop"}.write)
		},
	}
	return cmd
}

// agentPath is where the agent of pmctl agent is.
func agentPath(r *cli.Run) (string, error) {
	path, _, err := r.AgentSocket()
	if err == nil && path == "" {
		err = cli.Usagef("%s=%s turns the agent off; unset it", cli.EnvAgent, cli.AgentOff)
	}
	return path, err
}

// end stops an agent, and waits until it has ended.
func end(client *agent.Client, ctx context.Context) (*agent.Status, error) {
	status, err := client.Stop(ctx)
	if other := new(agent.OtherVersionError); err != nil && !errors.As(err, &other) {
		return nil, err
	}
	return status, agent.AwaitEnd(client.Path())
}

// agentStatus is an agent's status for a person.
type agentStatus struct {
	*agent.Status
	path  string
	ended bool
}

func (s agentStatus) write(w *page.Page) {
	state, closes, idle, memory, seen := w.Green("open"), "never", "stays open", "may be swapped to disk", "never"
	if s.Until != nil {
		closes = "at " + s.Until.Format(time.RFC3339)
	}
	if s.IdleUntil != nil {
		idle = "closes at " + s.IdleUntil.Format(time.RFC3339)
	}
	if s.MemoryLocked {
		memory = "kept off the swap"
	}
	if s.Locked {
		state = w.Yellow("locked") + ": " + s.LockedBy
	}
	if s.ended {
		state = "ended"
	}
	if s.Locked || s.ended {
		closes, idle, memory = "it is closed", "it is closed", "overwritten"
	}
	if s.HeadAge != nil && s.L1Block != nil {
		seen = fmt.Sprintf("%s ago, L1 block %d", duration.Text(time.Duration(*s.HeadAge)*time.Millisecond), *s.L1Block)
	}
	w.Fields([]page.Field{
		{"agent", state},
		{"socket", s.path},
		{"process", fmt.Sprint(s.PID)},
		{"account", common.Address(s.Account).Hex()},
		{"network", fmt.Sprintf("%s (chain ID %d)", format.PlainText(s.Network), s.ChainID)},
		{"since", s.Since.Format(time.RFC3339)},
		{"closes", closes},
		{"if not used", idle},
		{"key in memory", memory},
		{"chain seen", seen},
		{"signed", fmt.Sprintf("%s in %s, %s", words.Count(int64(s.Counts.Tickets), "ticket"), words.Count(int64(s.Counts.Batches), "batch"),
			words.Count(int64(s.Counts.Transactions), "transaction"))},
		{"refused", fmt.Sprint(int64(s.Counts.Refused))},
		{"newest look", format.PlainText(s.HeadError)},
	})
}
