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

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
	"github.com/pmctl/pmctl/wallet/wei"
)

// options are the program's flags.
type options struct {
	config           devnet.Config
	state            string
	l1Numbers        string
	economy          recipient.Economy
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

// run is the program. It serves until ctx ends, and returns the exit code.
func run(ctx context.Context, env *cli.Env, args []string) int {
	r := cli.NewRun(env)
	r.Program = "pmctl-devnet"
	return cli.Execute(ctx, r, newRoot(r), args, func(err error) error { return err })
}

func newRoot(r *cli.Run) *cobra.Command {
	var o options
	command := &cobra.Command{
		Use:   "pmctl-devnet",
		Short: "Serve a local network to try pmctl on",
		Long: `pmctl-devnet serves a local network: a chain in memory with the contracts that
pmctl talks to, funded accounts, and recipients that take payments and redeem the
tickets that win. pmctl finds it with --network devnet.

It listens on 127.0.0.1 only and runs until SIGINT or SIGTERM, then exits with
code 0. The generated keys are no secrets: never send real money to them.

The chain is not saved, but pmctl's store is: its tickets for an earlier network
count as those of the next one in budgets, history and runway. For a network that
begins without any, set PMCTL_STORE to a new file.

With --output json, stdout has one JSON object, the content of the state file, as
soon as the network is ready.`,
		Example: `  pmctl-devnet
  pmctl-devnet --recipients 2 --round-length 60 --unlock-period 1
  pmctl-devnet --arbitrum --state /tmp/devnet.json -o json`,
		SilenceErrors:      true,
		SilenceUsage:       true,
		DisableSuggestions: true, // cli has its own
		PersistentPreRunE:  func(cmd *cobra.Command, _ []string) error { return cli.Start(r, cmd) },
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("l1-number-as") && !o.config.Arbitrum {
				return cli.WithHint(cli.Usagef("--l1-number-as requires --arbitrum: a plain chain has no L1 numbers"), "see %s --help", cmd.CommandPath())
			}
			return serve(cmd.Context(), r, o)
		},
	}
	command.Version = cli.BuildVersion()
	command.CompletionOptions.DisableDefaultCmd = true
	command.SetHelpCommand(&cobra.Command{Hidden: true})
	cli.RegisterScreenFlags(r, command.PersistentFlags())
	r.OutputFlag(command, cli.OutputTable, cli.OutputJSON)

	c := &o.config
	flags := command.Flags()
	flags.IntVar(&c.Port, "port", 0, "serve JSON-RPC over HTTP and WebSocket on `PORT` (default any free port)")
	flags.IntVar(&c.ControlPort, "control-port", 0, "serve the control API on `PORT` (default any free port)")
	flags.IntVar(&c.Accounts, "accounts", devnet.DefaultAccounts, "create `N` funded accounts")
	flags.StringVar(&c.Seed, "seed", "", "derive all keys from `TEXT` (default random keys)")
	flags.IntVar(&c.Recipients, "recipients", 1, "start `N` recipients")
	o.economy = recipient.DefaultEconomy()
	flags.Var(amount{&o.economy.Tickets.EV}, "ticket-ev", "the recipients' tickets have an expected value of `AMOUNT`")
	flags.Var(amount{&o.economy.GasPrice}, "redemption-gas-price", "the recipients set face values of 400000 times `AMOUNT`: the higher, the more seldom a ticket wins")
	flags.Uint64Var(&c.RoundLength, "round-length", devnet.DefaultRoundLength,
		"a round has `N` L1 blocks; params expire after 40, so with far fewer than that, winners expire before redemption")
	flags.Uint64Var(&c.UnlockPeriod, "unlock-period", devnet.DefaultUnlockPeriod, "withdraw is possible `N` rounds after unlock")
	flags.BoolVar(&c.ManualRounds, "manual-rounds", false, "do not initialize rounds")
	flags.DurationVar(&c.BlockTime, "block-time", 0, "mine a block every `DURATION` (default one per transaction)")
	flags.Lookup("block-time").DefValue = "" // its text says what 0 means
	flags.BoolVar(&c.Arbitrum, "arbitrum", false, "report separate L1 block numbers, as Arbitrum does")
	flags.StringVar(&o.l1Numbers, "l1-number-as", string(devnet.L1Hex), "with --arbitrum, write l1BlockNumber in `FORMAT`: hex or number")
	command.PersistentFlags().StringVar(&o.state, "state", "", "state `FILE` with which pmctl finds the network (default $PMCTL_DEVNET_STATE, else $XDG_STATE_HOME/pmctl/devnet.json)")
	flags.BoolVar(&o.untilStdinCloses, "until-stdin-closes", false, "also end when stdin is closed, so that no script leaves a network running")
	command.AddCommand(remote{r, func() (string, error) { return o.statePath(r.Getenv) }}.commands()...)
	dialect.InstallHelp(command, func() *page.Page { return cli.OutPage(r) }, "")
	return command
}

// serve runs a network until ctx ends.
func serve(ctx context.Context, r *cli.Run, o options) error {
	config, err := o.complete(r.Getenv)
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
			_, _ = io.Copy(io.Discard, r.In)
		}()
	}

	network, err := devnet.Start(ctx, config)
	if err != nil {
		if ctx.Err() != nil {
			return nil // asked to stop before it was up
		}
		if errors.Is(err, devnet.ErrConfig) {
			return cli.WithHint(cli.Usage(err), "pmctl-devnet --help lists the flags")
		}
		return err
	}
	err = report(r, network, config)
	if err == nil {
		<-ctx.Done()
	}
	return errors.Join(err, network.Close())
}

// complete makes a network's configuration of the flags.
func (o options) complete(getenv func(string) string) (devnet.Config, error) {
	config := o.config
	if config.Accounts < 0 {
		return config, cli.Usagef("--accounts %d: must be at least 0", config.Accounts)
	}
	if config.Accounts == 0 {
		config.Accounts = -1 // none; 0 would mean the default
	}
	if config.RoundLength == 0 || config.UnlockPeriod == 0 {
		return config, cli.Usagef("--round-length and --unlock-period must be at least 1")
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
			return "", cli.WithHint(cli.Usagef("HOME is not set: there is no folder for the state file"), "pass --state FILE")
		}
		folder = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(folder, "pmctl", "devnet.json"), nil
}

// report says that the network is ready: on stderr, or as the state on stdout.
func report(r *cli.Run, network *devnet.Devnet, config devnet.Config) error {
	state := network.State()
	if r.Output == cli.OutputJSON {
		return writeJSON(r.Out, state)
	}
	mode := "plain"
	if state.Arbitrum {
		mode = "arbitrum"
	}
	fields := []page.Field{{"rpc", state.RPCURL}, {"websocket", state.WSURL}, {"control", state.ControlURL}, {"controller", state.Controller.Hex()}}
	for _, recipient := range state.Recipients {
		fields = append(fields, page.Field{"recipient", recipient.Address.Hex() + " " + recipient.URL})
	}
	fields = append(fields,
		page.Field{"accounts", fmt.Sprintf("%d with %s each, keys in the state file", len(state.Accounts), network.Balance())},
		page.Field{"rounds", fmt.Sprintf("%d L1 blocks each, unlocking takes %d rounds", config.RoundLength, config.UnlockPeriod)},
		page.Field{"state", config.StatePath})
	if r.Quiet {
		return nil
	}
	w := cli.ErrPage(r)
	w.Print(fmt.Sprintf("local network is ready (chain ID %d, %s)\n", state.ChainID, mode))
	w.Fields(fields)
	w.Print("press Ctrl-C to stop it\n")
	return w.Err()
}

// writeJSON writes what the network's own servers and its state file have as JSON.
func writeJSON(w io.Writer, value any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}
