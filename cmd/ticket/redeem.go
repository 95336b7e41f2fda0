package ticket

import (
	"context"
	"errors"
	"math/big"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/input"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/redeem"
)

type redeemOptions struct {
	cli.TransactOptions
	policy redeem.Policy
	rand   string
	nonces []int
}

func newTicketRedeem(r *cli.Run) *cobra.Command {
	var o redeemOptions
	cmd := &cobra.Command{
		Use:   "redeem [FILE|-] --recipient-rand-file FILE",
		Short: "Redeem winning tickets",
		Long: `For recipients: find the winning tickets of a batch and redeem them at the
contract, which pays the recipient. The input, FILE or stdin, is any output of
pmctl ticket batch, or a Livepeer-Payment header. The account pays the gas; it
need not be the recipient.

Before anything is sent, each ticket is checked: it is valid and wins, the
contract accepts it (not used, not expired), and it pays more than its gas.
Several winners go in one transaction. The contract skips tickets that it does
not pay, so each result comes from its own event.

A redemption publishes recipientRand. While the ticket params are valid it is
refused without --early: the sender could tell winners from losers.`,
		Example: `  pmctl ticket redeem tickets.json --recipient-rand-file rand.txt
  pmctl ticket redeem header.txt --recipient-rand-file rand.txt --yes -o json`,
		RunE: func(cmd *cobra.Command, args []string) error { return runRedeem(r, cmd, &o, cli.FileOrStdin(args)) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.rand, "recipient-rand-file", "", "read from `FILE` the number behind recipientRandHash, decimal or 0x with hex digits")
	flags.IntSliceVar(&o.nonces, "nonce", nil, "redeem only the tickets with nonces `N,N`")
	flags.BoolVar(&o.policy.Early, "early", false, "redeem before the ticket params expire; do not accept more tickets for them")
	flags.BoolVar(&o.policy.AtALoss, "at-a-loss", false, "redeem tickets that pay no more than their gas costs")
	_ = cmd.MarkFlagRequired("recipient-rand-file")
	o.Register(r, cmd)
	return cmd
}

func runRedeem(r *cli.Run, cmd *cobra.Command, o *redeemOptions, file string) error {
	if o.rand == "-" && file == "-" {
		return cli.Usagef("--recipient-rand-file and the tickets cannot both be stdin: name a file for one of them")
	}
	if flag := o.Account.Keys.OnStdin(); flag != "" && (o.rand == "-" || file == "-") {
		return cli.Usagef("stdin cannot give both what %s reads and the tickets or their number: name a file for one of them", flag)
	}
	rand, err := readRand(cmd.Context(), r, o.rand)
	if err != nil {
		return err
	}
	document, err := cli.ReadDocument(cmd.Context(), r, file, format.Decode)
	if err != nil {
		return err
	}
	if document.Batch == nil || len(document.Batch.SenderParams) == 0 {
		return errNoTicketsToRedeem
	}
	if err := redeem.Only(document.Batch, o.nonces); err != nil {
		return cli.Usagef("--nonce %w", err)
	}
	tickets, err := redeem.Draw(cmd.Context(), document.Batch, rand)
	if errors.Is(err, pm.ErrRecipientRand) {
		return cli.WithHint(err, "--recipient-rand-file has the number of other tickets; pmctl ticket inspect shows the rand hash of these")
	} else if err != nil {
		return err
	}
	if len(tickets.Left()) == 0 {
		return wallet.NothingToRedeem(tickets)
	}
	return cli.Transact(r, cmd, &o.TransactOptions, func(*wallet.Wallet) wallet.Action { return wallet.Redeem(tickets, o.policy) })
}

// errNoTicketsToRedeem is returned for a document without tickets.
var errNoTicketsToRedeem = errors.New("there are no tickets to redeem")

// maxRandText bounds what a file with a 256-bit number holds.
const maxRandText = 200

// readRand reads a recipient's secret number. Its errors do not repeat it.
func readRand(ctx context.Context, r *cli.Run, file string) (*big.Int, error) {
	in, err := cli.OpenDocument(ctx, r, file)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	text, err := input.ReadAll(in, maxRandText)
	tooLong := errors.As(err, new(*input.TooLongError))
	if err != nil && !tooLong {
		return nil, err
	}
	rand, ok := redeem.ParseRand(string(text))
	if !ok || tooLong {
		return nil, cli.WithHint(errBadRand, "write it as decimal digits, or as 0x and up to 64 hex digits")
	}
	return rand, nil
}

// errBadRand is returned for a --recipient-rand-file that has no number in it.
var errBadRand = errors.New("--recipient-rand-file: the file is not one number of at most 256 bits")
