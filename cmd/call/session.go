package call

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/call"
)

// sessionOptions say how long a session lasts.
type sessionOptions struct {
	length  time.Duration
	command []string
}

func (o *sessionOptions) register(cmd *cobra.Command) {
	cmd.Flags().DurationVar(&o.length, "for", 0, "end the session after `DURATION`, such as 10m (default: when COMMAND exits, or on Ctrl-C)")
	cmd.Flags().Lookup("for").DefValue = "" // which the help would show
}

// check refuses what is for sessions alone.
func (o *sessionOptions) check(cmd *cobra.Command, target call.Target) error {
	switch {
	case o.length <= 0 && cmd.Flags().Changed("for"):
		return cli.Usagef("--for %s: it must be more than 0", duration.Text(o.length))
	case target.Sessions():
		return o.findCommand()
	case o.length != 0:
		return cli.Usagef("--for needs a session: a URL that ends in /session")
	case len(o.command) > 0:
		return cli.Usagef("a command after -- needs a session: a URL that ends in /session")
	}
	return nil
}

// findCommand fails for a command that is not there, before a session is paid.
func (o *sessionOptions) findCommand() error {
	if len(o.command) == 0 {
		return nil
	}
	_, err := exec.LookPath(o.command[0])
	if missing, ok := errors.AsType[*exec.Error](err); ok {
		err = missing.Err // which does not repeat the name
	}
	if err != nil {
		return cli.Usagef("cannot run the command %s: %w", o.command[0], err)
	}
	return nil
}

// commandFailed is the error of a command that failed. Ctrl-C is for the command and for pmctl, in any
// order: one that it interrupted is of the class of what the user cancelled.
func commandFailed(name string, err error) error {
	ended, ok := errors.AsType[*exec.ExitError](err)
	if !ok {
		return fmt.Errorf("cannot run the command %s: %w; the session was stopped", name, err)
	}
	status, ok := ended.Sys().(syscall.WaitStatus)
	if ended.ExitCode() == cli.ExitCancelled || ok && status.Signaled() && status.Signal() == syscall.SIGINT {
		return hint.Kind(wallet.ClassCancelled, fmt.Errorf("the command %s was interrupted; the session was stopped", name))
	}
	return fmt.Errorf("the command %s failed (%w); the session was stopped", name, ended)
}

// run returns what uses a session: the command, nil for none.
func (o *sessionOptions) run(r *cli.Run, out io.Writer, stdinTaken bool) func(context.Context, call.Session) error {
	if len(o.command) == 0 {
		return nil
	}
	return func(ctx context.Context, s call.Session) error {
		const grace = 5 * time.Second // from an interrupt to the end
		command := exec.CommandContext(ctx, o.command[0], o.command[1:]...)
		command.Env = append(os.Environ(), "PMCTL_APP_URL="+s.AppURL, "PMCTL_CONTROL_URL="+s.ControlURL, "PMCTL_SESSION_ID="+s.ID)
		command.Stdout, command.Stderr = out, r.Err
		if !stdinTaken {
			command.Stdin = os.Stdin
		}
		command.WaitDelay = grace
		command.Cancel = func() error {
			if err := command.Process.Signal(os.Interrupt); err != nil {
				return command.Process.Kill() // where the system has no interrupts
			}
			return nil
		}
		if err := command.Run(); err != nil && !errors.Is(err, exec.ErrWaitDelay) { // with which it ended well, and left a child behind
			return commandFailed(o.command[0], err)
		}
		return nil
	}
}
