package agent

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/format"
)

// agentOptions are the options of pmctl agent start.
type agentOptions struct {
	cli.PayerOptions
	idle, lifetime time.Duration
	foreground     bool
	// ready is the descriptor at which the process that started this one waits.
	ready cli.Descriptor
}

func newAgentStart(r *cli.Run) *cobra.Command {
	var o agentOptions
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Start an agent that keeps a key open",
		Long: `Open the key of an account and keep it in the memory of a background process,
the agent. Other commands find the agent at its socket, let it sign, and need no
passphrase. The command returns as soon as the agent answers.

The agent signs tickets, TicketBroker transactions and requests for ticket
params, and nothing else. It applies the limits and budgets with which it was
started: other commands can be stricter, never looser. It follows the chain in
the background, so that creating tickets does not wait for a node.

The agent closes the key when it was unused for --idle-timeout, and after
--lifetime in any case. The socket is $PMCTL_AGENT, else pmctl/agent.sock in
$XDG_RUNTIME_DIR, else in the state folder of pmctl. With PMCTL_AGENT=off a
command does not use an agent.`,
		Example: `  pmctl agent start
  pmctl agent start --from 0x… --idle-timeout 1h --lifetime 24h
  pmctl agent start --foreground --passphrase-file pass`,
		RunE: func(cmd *cobra.Command, _ []string) error { return startAgent(r, cmd, &o) },
	}
	o.PayerOptions.Register(cmd)
	o.Limits.RegisterFees(cmd)
	flags := cmd.Flags()
	flags.DurationVar(&o.idle, "idle-timeout", time.Hour, "close the key after `DURATION` without use; 0 for never")
	flags.DurationVar(&o.lifetime, "lifetime", 12*time.Hour, "close the key after `DURATION`; 0 for never")
	flags.BoolVar(&o.foreground, "foreground", false, "stay in the foreground, for service managers")
	flags.Var(&o.ready, "ready-fd", "report on file descriptor `N` that the agent answers, or why not")
	_ = flags.MarkHidden("ready-fd")
	return cmd
}

func startAgent(r *cli.Run, cmd *cobra.Command, o *agentOptions) error {
	if shorter := min(o.idle, o.lifetime); shorter < 0 {
		return cli.Usagef("--idle-timeout and --lifetime must be at least 0, which is never, not %s", duration.Text(shorter))
	}
	path, err := agentPath(r)
	if err != nil {
		return err
	}
	if o.foreground {
		err := serveAgent(r, cmd, o, path)
		if err != nil && o.ready.Given {
			tellStarter(r, o, err)
		}
		return err
	}
	if err := replaceLocked(cmd.Context(), r, path); err != nil {
		return err
	}
	if err := detachAgent(r, cmd, o); err != nil {
		return err
	}
	client := r.AgentClient(path)
	defer client.Close()
	status, err := client.Status(cmd.Context())
	if err != nil {
		return err
	}
	return r.Emit("pmctl.agent_status", status, agentStatus{status, path, false}.write)
}

// replaceLocked ends an agent that has forgotten its key. It fails with agent.ErrRunning
// for one that has not.
func replaceLocked(ctx context.Context, r *cli.Run, path string) error {
	client := r.AgentClient(path)
	defer client.Close()
	status, err := client.Status(ctx)
	switch {
	case errors.Is(err, agent.ErrNoAgent):
		return nil
	case err != nil:
		return err
	case !status.Locked:
		return cli.WithHint(fmt.Errorf("%w: at %s, for %v", agent.ErrRunning, path, common.Address(status.Account)), "stop it with pmctl agent stop")
	}
	_, err = end(client, ctx)
	return err
}

// serveAgent is the agent: it opens the key, and serves until it is stopped.
func serveAgent(r *cli.Run, cmd *cobra.Command, o *agentOptions, path string) error {
	if !o.ready.Given {
		if err := replaceLocked(cmd.Context(), r, path); err != nil {
			return err
		}
	}
	o.KeyHere = true
	w, err := cli.OpenWallet(r, cmd, &o.PayerOptions)
	if err != nil {
		return err
	}
	socket, err := agent.Listen(path)
	if err != nil {
		w.Close()
		return err
	}
	defer socket.Close() // after the wallet: the one who stops the agent may then move its store
	defer w.Close()
	service, err := wallet.NewAgent(cmd.Context(), w, agent.Config{Idle: o.idle, Lifetime: o.lifetime, Version: cli.BuildVersion()})
	if err != nil {
		return err
	}
	cli.PrepareFor(agent.MaxTickets)
	ctx, stop := context.WithCancel(cmd.Context())
	defer stop()
	ran := make(chan struct{})
	go func() {
		defer close(ran)
		service.Run(ctx)
	}()
	r.Note("the agent signs for %v at %s", w.Account.Address(), path)
	if err := tellStarter(r, o, nil); err != nil {
		stop()
	}
	err = socket.Serve(ctx, agent.Handler(service, describeError, stop))
	stop()
	<-ran
	return err
}

// describeError is an error as the agent reports it.
func describeError(err error) format.Error {
	e := cli.Failure(err)
	if changed, ok := errors.AsType[*wallet.ContractsError](err); ok && !changed.BuiltIn {
		e.Hint = "use another node: --rpc-url URL; the agent accepts other contracts when it is started with --accept-contracts"
	}
	return e
}

// readyWord is what an agent says that answers.
const readyWord = "ready\n"

// tellStarter reports to the process that started the agent that it is ready, or why not.
func tellStarter(r *cli.Run, o *agentOptions, failed error) error {
	if !o.ready.Given {
		return nil
	}
	if err := o.ready.Check(); err != nil {
		return err
	}
	out := os.NewFile(uintptr(o.ready.N), "starter")
	defer out.Close()
	if failed != nil {
		return format.WriteError(out, describeError(failed))
	}
	_, err := io.WriteString(out, readyWord)
	return err
}

// detachAgent runs this command again as a process of its own, and waits until it
// answers. A person's passphrase goes through a pipe; whatever else opens the key is
// handed on unread.
func detachAgent(r *cli.Run, cmd *cobra.Command, o *agentOptions) error {
	args := []string{"agent", "start", "--foreground"}
	cmd.Flags().Visit(func(f *pflag.Flag) {
		switch f.Name {
		case "foreground", "output", "jq", "template", "key-fd", "passphrase-fd", "from":
		default:
			args = append(args, "--"+f.Name+"="+f.Value.String())
		}
	})
	var secret *os.File
	keys := &o.Account.Keys
	if err := cmp.Or(keys.FD.Check(), keys.Passphrase.FD.Check()); err != nil {
		return err
	}
	switch {
	case keys.FD.Given:
		secret = os.NewFile(uintptr(keys.FD.N), "key")
		args = append(args, "--key-fd=3")
	case keys.Passphrase.FD.Given:
		secret = os.NewFile(uintptr(keys.Passphrase.FD.N), "passphrase")
		args = append(args, "--passphrase-fd=3")
	}
	if o.Account.From != "" {
		args = append(args, "--from="+o.Account.From)
	}
	if secret == nil && keys.Passphrase.File == "" && r.Getenv("ETH_PASSWORD") == "" {
		typed, from, err := typePassphrase(r, cmd, o)
		if err != nil {
			return err
		}
		defer typed.Close()
		secret, args = typed, append(args, "--passphrase-fd=3", "--from="+from.Hex())
	}
	told, tell, err := os.Pipe()
	if err != nil {
		return err
	}
	defer told.Close()
	args = append(args, "--ready-fd=4")
	err = r.Detach(args, []*os.File{secret, tell})
	tell.Close()
	if err != nil {
		return err
	}
	stop := context.AfterFunc(cmd.Context(), func() { told.Close() })
	defer stop()
	word, err := input.ReadAll(told, 64<<10)
	switch {
	case cmd.Context().Err() != nil:
		return cmd.Context().Err()
	case err != nil:
		return err
	case string(word) == readyWord:
		return nil
	}
	return notReady(word)
}

// errNotReady is returned when an agent ended without a word.
var errNotReady = cli.WithHint(errors.New("the agent stopped before it was ready"), "pmctl agent start --foreground shows why")

// notReady reads why an agent did not start.
func notReady(word []byte) error {
	var said struct {
		Error format.Error `json:"error"`
	}
	if len(bytes.TrimSpace(word)) == 0 || json.Unmarshal(word, &said) != nil || said.Error.Message == "" {
		return errNotReady
	}
	return &agent.RemoteError{Said: said.Error}
}

// typePassphrase asks for the account's passphrase, and returns the end of a pipe that
// gives it.
func typePassphrase(r *cli.Run, cmd *cobra.Command, o *agentOptions) (*os.File, common.Address, error) {
	var none common.Address
	found, err := o.Account.Account(cmd.Context(), r.Env, 0)
	if err != nil {
		return nil, none, err
	}
	defer found.Close()
	passphrase, err := o.Account.Keys.Passphrase.Source(r.Env)(cmd.Context(), "Passphrase of "+found.Address().Hex())
	if err != nil {
		return nil, none, err
	}
	defer clear(passphrase)
	out, in, err := os.Pipe()
	if err != nil {
		return nil, none, err
	}
	defer in.Close()
	// A pipe has room for any passphrase before it is read.
	if _, err := in.Write(append(passphrase, '\n')); err != nil {
		out.Close()
		return nil, none, err
	}
	return out, found.Address(), nil
}
