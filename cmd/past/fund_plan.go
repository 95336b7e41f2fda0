package past

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/forecast"
	"github.com/pmctl/pmctl/wallet/plot"
	"github.com/pmctl/pmctl/wallet/wei"
)

type fundPlanOptions struct {
	cli.WalletOptions
	need                        forecast.Need
	spendRate, faceValue, until string
}

// NewFundPlan is pmctl fund plan.
func NewFundPlan(r *cli.Run) *cobra.Command {
	var o fundPlanOptions
	cmd := &cobra.Command{
		Use:   "plan --recipients N --spend-rate AMOUNT/day",
		Short: "Calculate how large deposit and reserve must be",
		Long: `Calculate the deposit and the reserve with which the chance of running dry
before the next top-up is below 1 %, and show the calculation. F is the face
value:

  wins    ~ Poisson(spend / F)
  deposit = (k + spare) x F    k: the least with P(wins > k) < 1 %
  reserve = pool x F           a recipient can claim reserve / pool of it

The pool is all active recipients of the network, whether you pay them or not: a
recipient accepts no face value above its share of the reserve. The spare face
values (2, or --deposit-multiplier) allow payments until the last win.

Without --face-value, F is what recipients offer at the current gas price. With
--face-value and --pool-size no node is asked. Nothing is sent.`,
		Example: `  pmctl fund plan --recipients 10 --spend-rate 0.01eth/day
  pmctl fund plan --recipients 3 --spend-rate 0.05eth/day --until 30d \
      --face-value 0.002eth --pool-size 100 --output json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return fundPlan(r, cmd, &o) },
	}
	flags := cmd.Flags()
	flags.Uint64Var(&o.need.Recipients, "recipients", 0, "number `N` of recipients to pay")
	flags.StringVar(&o.spendRate, "spend-rate", "", "expected value to spend, as `AMOUNT/day` (or /hour, /minute, /second): 0.01eth/day")
	flags.StringVar(&o.faceValue, "face-value", "", "face value of a ticket: `AMOUNT` (default: what recipients offer at the current gas price)")
	flags.StringVar(&o.until, "until", "7d", "next top-up after `DURATION`: 12h, 30d, 2w")
	flags.Uint64Var(&o.need.PoolSize, "pool-size", 0, "number `N` of active recipients that share the reserve (default: the current number)")
	flags.Uint64Var(&o.need.DepositMultiplier, "deposit-multiplier", 0, "create tickets only while the deposit is at least `N` times the face value (default deposit_multiplier in the config file, else 1)")
	for _, name := range []string{"recipients", "spend-rate"} {
		_ = cmd.MarkFlagRequired(name) // it is there
	}
	o.Network.Register(cmd)
	o.Account.RegisterFrom(cmd, "subtract the deposit and reserve of `ADDRESS` (default $ETH_FROM, else the only account, if any)")
	o.Account.Keys.Keystore.Register(cmd)
	return cmd
}

func fundPlan(r *cli.Run, cmd *cobra.Command, o *fundPlanOptions) error {
	until, err := parsePeriod("--until", o.until)
	if err != nil {
		return err
	}
	rate, err := parseSpendRate(o.spendRate)
	if err != nil {
		return err
	}
	o.need.Spend = rate.Mul(rate, big.NewRat(int64(until), int64(time.Second)))
	if o.need.FaceValue, err = cli.ParseAmount("--face-value", o.faceValue); err != nil {
		return err
	}
	switch {
	case o.need.Recipients == 0:
		return cli.Usagef("--recipients 0: it must be at least 1")
	case cmd.Flags().Changed("pool-size") && o.need.PoolSize < o.need.Recipients:
		return cli.Usagef("--pool-size %d: the pool has at least the %d recipients to be paid", o.need.PoolSize, o.need.Recipients)
	case cmd.Flags().Changed("face-value") && o.need.FaceValue.IsZero():
		return cli.Usagef("--face-value 0: a ticket that pays nothing is worth nothing")
	}
	if o.need.DepositMultiplier == 0 {
		if o.need.DepositMultiplier, err = depositMultiplier(r, new(cli.LimitOptions)); err != nil {
			return err
		}
	}
	var reader *wallet.Reader
	if o.faceValue == "" || o.need.PoolSize == 0 {
		if reader, err = o.open(cmd.Context(), r); err != nil {
			return err
		}
		defer reader.Close()
	}
	plan, err := wallet.PlanFunds(cmd.Context(), reader, o.need, until)
	if errors.Is(err, wallet.ErrSmallPool) {
		return cli.WithHint(cli.Usagef("--recipients %d: %w", o.need.Recipients, err), "pmctl recipient list shows them; --pool-size plans for another pool")
	}
	if err != nil {
		return err
	}
	return r.Emit("pmctl.fund_plan", plan, func(w *page.Page) { writePlan(w, plan) })
}

// depositMultiplier is the limit of that name.
func depositMultiplier(r *cli.Run, o *cli.LimitOptions) (uint64, error) {
	limits, err := o.Limits(r.Env)
	return uint64(limits.DepositMultiplier), err
}

// open returns what asks the chain, for an account if there is one.
func (o *fundPlanOptions) open(ctx context.Context, r *cli.Run) (*wallet.Reader, error) {
	account, err := o.accountIfAny(r.Env)
	if err != nil {
		return nil, err
	}
	config, err := cli.ReadingConfig(r, &o.Network)
	if err != nil {
		return nil, err
	}
	return wallet.OpenReader(ctx, config, account)
}

// accountIfAny is the account that is named, or the only one there is; the zero address
// when there is none or several.
func (o *fundPlanOptions) accountIfAny(env *cli.Env) (common.Address, error) {
	if named, err := o.Account.Named(env); err != nil {
		return common.Address{}, err
	} else if named != nil {
		return *named, nil
	}
	keys, err := o.Account.Keys.Keystore.Open(env)
	if err != nil {
		return common.Address{}, err
	}
	found, err := keys.Default()
	if errors.Is(err, keystore.ErrNoAccounts) || errors.As(err, new(*keystore.SeveralAccountsError)) || errors.As(err, new(*keystore.UnnamedError)) {
		return common.Address{}, nil
	}
	return found.Address, err
}

func writePlan(w *page.Page, p *wallet.FundPlan) {
	from := ""
	if p.FaceValueSource != wallet.FaceValueGiven {
		from = ", at the current gas price"
	}
	fields := []page.Field{
		{"deposit", fmt.Sprintf("%s = (k + spare) x F = (%d + %d) x F", p.Deposit, p.Wins, p.Spare)},
		{"reserve", fmt.Sprintf("%s = pool x F = %d x F", p.Reserve, p.PoolSize)},
		{"face value F", p.FaceValue.String() + from},
		{"spend", fmt.Sprintf("%s in %s on %s", wei.Format(p.TotalEVExact.Rat), plot.Period(p.Seconds), words.Count(p.Recipients, "recipient"))},
		{"wins", fmt.Sprintf("~ Poisson(spend / F = %s); more than k = %d: %s", plot.Number(p.ExpectedWins), p.Wins, plot.Percent(p.Chance))},
	}
	todo := fundLine(p.Deposit, p.Reserve)
	if a := p.Account; a != nil {
		fields = append(fields,
			page.Field{"account", common.Address(a.Address).Hex()},
			page.Field{"has", a.Deposit.String() + " of deposit"},
			page.Field{"", a.Reserve.String() + " of reserve"})
		todo = fundLine(a.AddDeposit, a.AddReserve)
		if a.AddDeposit.IsZero() && a.AddReserve.IsZero() {
			todo = "nothing: the account has enough"
		} else if a.Unlocking {
			todo += " --cancel-unlock"
		}
	}
	w.Fields(append(fields, page.Field{"to do", todo}))
}

// fundLine is the command that adds to deposit and reserve, rounded up to whole gwei so that
// it fits on a line.
func fundLine(deposit, reserve wei.Wei) string {
	line, giga := "pmctl fund", big.NewRat(1_000_000_000, 1)
	for i, amount := range []wei.Wei{deposit, reserve} {
		if !amount.IsZero() {
			gwei, _ := wei.Ceil(new(big.Rat).Quo(amount.Rat(), giga)) // which is less than the amount
			line += []string{" --deposit ", " --reserve "}[i] + strings.ToLower(strings.ReplaceAll(wei.Format(new(big.Rat).Mul(gwei.Rat(), giga)), " ", ""))
		}
	}
	return line
}
