package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/big"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Exit codes, a part of pmctl's.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// streams are what the program reads and writes.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// options are the program's flags.
type options struct {
	config           devnet.Config
	state            string
	l1Numbers        string
	economy          recipient.Economy
	json             bool
	untilStdinCloses bool
}

// amount is a flag whose value is an amount with its unit.
type amount struct{ target **big.Int }

func (a amount) Type() string { return "amount" }

func (a amount) String() string {
	if a.target == nil {
		return ""
	}
	return wei.Format(new(big.Rat).SetInt(*a.target))
}

func (a amount) Set(text string) error {
	parsed, err := wei.Parse(text)
	if err == nil {
		*a.target = parsed.Big()
	}
	return err
}

// usageError marks what the caller of the program got wrong.
type usageError struct{ error }

// run is the program. It serves until ctx ends, and returns the exit code.
func run(ctx context.Context, s streams, getenv func(string) string, args []string) int {
	command := newCommand(s, getenv)
	command.SetArgs(args)
	err := command.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(s.err, "pmctl-devnet: %v\n", err)
	if usage := (usageError{}); errors.As(err, &usage) || errors.Is(err, devnet.ErrConfig) {
		fmt.Fprintln(s.err, "pmctl-devnet --help lists the flags")
		return exitUsage
	}
	return exitFailed
}

func newCommand(s streams, getenv func(string) string) *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:   "pmctl-devnet",
		Short: "Serve a local network to try pmctl on",
		Long: `pmctl-devnet serves a local network: a chain in memory with the contracts that
pmctl talks to, funded accounts, and recipients that take payments and redeem the
tickets that win. pmctl finds it with --network devnet.

It listens on 127.0.0.1 only and runs until it is interrupted (SIGINT or SIGTERM).
Everything is gone then, and the exit code is 0. The keys that it makes up are no
secrets: never send real money to them.`,
		Example: `  pmctl-devnet
  pmctl-devnet --recipients 2 --round-length 60 --unlock-period 1
  pmctl-devnet --arbitrum --state /tmp/devnet.json --json`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unexpected argument %q", args[0])}
			}
			return nil
		},
		RunE: func(command *cobra.Command, _ []string) error {
			if command.Flags().Changed("l1-number-as") && !o.config.Arbitrum {
				return usageError{errors.New("--l1-number-as goes with --arbitrum: a plain chain has no L1 numbers")}
			}
			return serve(command.Context(), s, getenv, o)
		},
	}
	command.SetIn(s.in)
	command.SetOut(s.out)
	command.SetErr(s.err)
	command.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	command.CompletionOptions.DisableDefaultCmd = true
	command.SetHelpCommand(&cobra.Command{Hidden: true})

	c := &o.config
	flags := command.Flags()
	flags.IntVar(&c.Port, "port", 0, "port of JSON-RPC over HTTP and WebSocket (0 = any free one)")
	flags.IntVar(&c.ControlPort, "control-port", 0, "port of the control API (0 = any free one)")
	flags.IntVar(&c.Accounts, "accounts", devnet.DefaultAccounts, "number of funded accounts")
	flags.StringVar(&c.Seed, "seed", "", "derive all keys from this text instead of at random")
	flags.IntVar(&c.Recipients, "recipients", 1, "number of recipients")
	o.economy = recipient.DefaultEconomy()
	flags.Var(amount{&o.economy.Tickets.EV}, "ticket-ev", "what the recipients' tickets are worth on average")
	flags.Var(amount{&o.economy.GasPrice}, "redemption-gas-price", "gas price that the recipients reckon with: a face value is 400000 times that, the rarer to win")
	flags.Uint64Var(&c.RoundLength, "round-length", devnet.DefaultRoundLength,
		"length of a round in L1 blocks (params live 40: with much less than that, winners expire unredeemed)")
	flags.Uint64Var(&c.UnlockPeriod, "unlock-period", devnet.DefaultUnlockPeriod, "rounds between unlock and withdrawal")
	flags.BoolVar(&c.ManualRounds, "manual-rounds", false, "leave it to others to initialize rounds")
	flags.DurationVar(&c.BlockTime, "block-time", 0, "mine a block each period, not one at each transaction")
	flags.BoolVar(&c.Arbitrum, "arbitrum", false, "let blocks tell an L1 block number of their own, as on Arbitrum")
	flags.StringVar(&o.l1Numbers, "l1-number-as", string(devnet.L1Hex), `how --arbitrum writes l1BlockNumber: "hex" or "number"`)
	command.PersistentFlags().StringVar(&o.state, "state", "", "file that tells others where the network is (default $PMCTL_DEVNET_STATE, else $XDG_STATE_HOME/pmctl/devnet.json)")
	flags.BoolVar(&o.json, "json", false, "print the state as JSON on stdout when the network is ready")
	flags.BoolVar(&o.untilStdinCloses, "until-stdin-closes", false, "end also when stdin ends, so that no script leaves a network behind")
	command.AddCommand(remote{s, func() (string, error) { return o.statePath(getenv) }}.commands()...)
	return command
}

// serve runs a network until ctx ends.
func serve(ctx context.Context, s streams, getenv func(string) string, o options) error {
	config, err := o.complete(getenv)
	if err != nil {
		return err
	}
	if o.untilStdinCloses {
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		defer cancel()
		// This ends with stdin, or else with the program: a read cannot be called off.
		go func() {
			defer cancel()
			_, _ = io.Copy(io.Discard, s.in)
		}()
	}

	network, err := devnet.Start(ctx, config)
	if err != nil {
		if ctx.Err() != nil {
			return nil // asked to stop before it was up
		}
		return err
	}
	err = report(s, network, config, o.json)
	if err == nil {
		<-ctx.Done()
	}
	return errors.Join(err, network.Close())
}

// complete makes a network's configuration of the flags.
func (o options) complete(getenv func(string) string) (devnet.Config, error) {
	config := o.config
	if config.Accounts < 0 {
		return config, usageError{fmt.Errorf("--accounts %d: the number cannot be negative", config.Accounts)}
	}
	if config.Accounts == 0 {
		config.Accounts = -1 // none; 0 would mean the default
	}
	if config.RoundLength == 0 || config.UnlockPeriod == 0 {
		return config, usageError{errors.New("--round-length and --unlock-period are at least 1")}
	}
	if config.Arbitrum {
		config.L1Numbers = devnet.L1NumberFormat(o.l1Numbers)
	}
	config.StartRecipient = devnet.OwnRecipient(devnet.RecipientConfig{Economy: o.economy})
	var err error
	config.StatePath, err = o.statePath(getenv)
	return config, err
}

// statePath is the file that tells others where the network is.
func (o options) statePath(getenv func(string) string) (string, error) {
	if o.state != "" {
		return o.state, nil
	}
	if path := getenv("PMCTL_DEVNET_STATE"); path != "" {
		return path, nil
	}
	folder := getenv("XDG_STATE_HOME")
	if !filepath.IsAbs(folder) {
		home := getenv("HOME")
		if home == "" {
			return "", usageError{errors.New("no HOME to keep the state file in: name one with --state")}
		}
		folder = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(folder, "pmctl", "devnet.json"), nil
}

// report tells that the network is ready: people on stderr, programs on stdout.
func report(s streams, network *devnet.Devnet, config devnet.Config, asJSON bool) error {
	state := network.State()
	mode := "plain"
	if state.Arbitrum {
		mode = "arbitrum"
	}
	fmt.Fprintf(s.err, "local network is ready (chain id %d, %s)\n", state.ChainID, mode)
	line := func(name, value string) { fmt.Fprintf(s.err, "  %-11s %s\n", name, value) }
	line("rpc", state.RPCURL)
	line("websocket", state.WSURL)
	line("control", state.ControlURL)
	line("controller", state.Controller.Hex())
	for _, recipient := range state.Recipients {
		line("recipient", fmt.Sprintf("%s %s", recipient.Address.Hex(), recipient.URL))
	}
	line("accounts", fmt.Sprintf("%d with %s each, keys in the state file", len(state.Accounts), network.Balance()))
	line("rounds", fmt.Sprintf("of %d L1 blocks, unlocking takes %d", config.RoundLength, config.UnlockPeriod))
	line("state", config.StatePath)
	fmt.Fprintln(s.err, "Ctrl-C ends it")
	if !asJSON {
		return nil
	}
	encoder := json.NewEncoder(s.out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(state)
}
