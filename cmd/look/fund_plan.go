package look

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"strings"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/ethereum/go-ethereum/common"
	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/keystore"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/forecast"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/wei"
)

type fundPlanOptions struct {
	network    cli.NetworkOptions
	account    cli.AccountOptions
	recipients uint64
	spendRate  string
	faceValue  string
	until      string
	poolSize   uint64
	multiplier uint64
}

// NewFundPlan is pmctl fund plan.
func NewFundPlan(r *cli.Run) *cobra.Command {
	var o fundPlanOptions
	cmd := &cobra.Command{
		Use:   "plan --recipients N --spend-rate AMOUNT/day",
		Short: "Work out how large deposit and reserve have to be",
		Long: `Plan works out the deposit and the reserve that keep the chance of running dry
below 1 % until you top up again, and shows how. With F the face value:

  wins    ~ Poisson(spend / F)
  deposit = (k + spare) x F    k: the least with P(wins > k) < 1 %
  reserve = pool x F           a recipient can claim reserve / pool of it

The pool are all active recipients of the network, paid by you or not. No
recipient takes a face value above its share of the reserve. The spare face
values, 2 or --deposit-multiplier, keep payments going up to the last win.

Without --face-value it is what recipients ask for at the current gas price.
With --face-value and --pool-size nobody is asked. Nothing is sent.`,
		Example: `  pmctl fund plan --recipients 10 --spend-rate 0.01eth/day
  pmctl fund plan --recipients 3 --spend-rate 0.05eth/day --until 30d \
      --face-value 0.002eth --pool-size 100 --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return fundPlan(r, cmd, &o) },
	}
	flags := cmd.Flags()
	flags.Uint64Var(&o.recipients, "recipients", 0, "`N` recipients to pay")
	flags.StringVar(&o.spendRate, "spend-rate", "", "expected value of the tickets, an `AMOUNT/day` or AMOUNT/hour, such as 0.01eth/day")
	flags.StringVar(&o.faceValue, "face-value", "", "`AMOUNT` that a winning ticket pays (default what recipients ask for at the current gas price)")
	flags.StringVar(&o.until, "until", "7d", "`TIME` until the next top-up, such as 12h, 30d or 2w")
	flags.Uint64Var(&o.poolSize, "pool-size", 0, "`N` active recipients share the reserve (default as many as there are)")
	flags.Uint64Var(&o.multiplier, "deposit-multiplier", 1, "make tickets only while the deposit holds `N` times their face value")
	for _, name := range []string{"recipients", "spend-rate"} {
		_ = cmd.MarkFlagRequired(name) // it is there
	}
	o.network.Register(cmd)
	flags.StringVar(&o.account.From, "from", "", "`ADDRESS` whose deposit and reserve are there already (default $ETH_FROM, else the only account there is, if any)")
	o.account.Keys.Keystore.Register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

// fundPlanResult is what pmctl fund plan answers.
type fundPlanResult struct {
	Recipients string  `json:"recipients"`
	PoolSize   string  `json:"pool_size"`
	FaceValue  wei.Wei `json:"face_value"`
	// FaceValueFrom is flag or gas_price.
	FaceValueFrom string `json:"face_value_from"`
	Seconds       string `json:"seconds"`
	// Spend is the expected value of the tickets until the next top-up.
	Spend        string  `json:"spend"`
	ExpectedWins float64 `json:"expected_wins"`
	// Wins is exceeded with the probability Chance, which is below Risk.
	Wins    string  `json:"wins"`
	Chance  float64 `json:"chance"`
	Risk    float64 `json:"risk"`
	Spare   string  `json:"spare_face_values"`
	Deposit wei.Wei `json:"deposit"`
	Reserve wei.Wei `json:"reserve"`
	// Account is what is there, absent when no account was asked for.
	Account *plannedAccount `json:"account,omitempty"`

	spend *big.Rat
	until time.Duration
}

type plannedAccount struct {
	Address    format.Address `json:"address"`
	Deposit    wei.Wei        `json:"deposit"`
	Reserve    wei.Wei        `json:"reserve"`
	AddDeposit wei.Wei        `json:"add_deposit"`
	AddReserve wei.Wei        `json:"add_reserve"`
	// Unlocking tells that to fund the account cancels its unlock.
	Unlocking bool `json:"unlocking,omitempty"`
}

func fundPlan(r *cli.Run, cmd *cobra.Command, o *fundPlanOptions) error {
	spend, until, err := o.spend()
	if err != nil {
		return err
	}
	faceValue, err := cli.ParseAmount("--face-value", o.faceValue)
	if err != nil {
		return err
	}
	result := &fundPlanResult{FaceValueFrom: "flag", spend: spend, until: until, Risk: forecast.Risk}
	need := forecast.Need{
		Spend: spend, FaceValue: faceValue, Recipients: o.recipients, PoolSize: o.poolSize, DepositMultiplier: o.multiplier,
	}
	switch {
	case o.recipients == 0:
		return cli.Usagef("--recipients 0: it must be at least 1")
	case cmd.Flags().Changed("pool-size") && o.poolSize < o.recipients:
		return cli.Usagef("--pool-size %d: the pool has at least the %d recipients to be paid", o.poolSize, o.recipients)
	case cmd.Flags().Changed("face-value") && faceValue.IsZero():
		return cli.Usagef("--face-value 0: a ticket that pays nothing is worth nothing")
	}
	if o.faceValue == "" || o.poolSize == 0 {
		if err := askForPlan(cmd.Context(), r, o, &need, result); err != nil {
			return err
		}
	}
	plan, err := forecast.Fund(need)
	if err != nil {
		return cli.Usage(err)
	}
	result.Recipients, result.PoolSize, result.FaceValue = fmt.Sprint(o.recipients), fmt.Sprint(plan.Sharers), need.FaceValue
	result.Seconds, result.Spend = fmt.Sprint(int64(until.Seconds())), spend.RatString()
	result.ExpectedWins, result.Wins, result.Chance = plan.ExpectedWins, fmt.Sprint(plan.Wins), plan.Chance
	result.Spare, result.Deposit, result.Reserve = fmt.Sprint(plan.Spare), plan.Deposit, plan.Reserve
	if a := result.Account; a != nil {
		a.AddDeposit, a.AddReserve = lacking(plan.Deposit, a.Deposit), lacking(plan.Reserve, a.Reserve)
	}
	return r.Emit("pmctl.fund_plan", result, result.write)
}

// lacking is what there has to be beyond what there is.
func lacking(wanted, there wei.Wei) wei.Wei {
	left, err := wanted.Sub(there)
	if err != nil {
		return wei.Wei{} // there is more
	}
	return left
}

// spend is what the tickets are worth until the next top-up, in wei.
func (o *fundPlanOptions) spend() (*big.Rat, time.Duration, error) {
	until, err := cli.ParseDuration("--until", o.until)
	if err != nil {
		return nil, 0, err
	}
	text, unit, _ := strings.Cut(o.spendRate, "/")
	per := map[string]time.Duration{"day": 24 * time.Hour, "hour": time.Hour}[unit]
	if per == 0 {
		return nil, 0, cli.Usagef("--spend-rate %q: it must be an amount a day or an hour, such as 0.01eth/day", o.spendRate)
	}
	amount, err := cli.ParseAmount("--spend-rate", text)
	if err != nil {
		return nil, 0, err
	}
	if amount.IsZero() {
		return nil, 0, cli.Usagef("--spend-rate %q: without spending there is nothing to plan", o.spendRate)
	}
	return new(big.Rat).Mul(amount.Rat(), big.NewRat(int64(until), int64(per))), until, nil
}

// askForPlan fills in what the chain knows: the pool's size, the gas price, and what the
// account has already.
func askForPlan(ctx context.Context, r *cli.Run, o *fundPlanOptions, need *forecast.Need, result *fundPlanResult) error {
	account, err := o.accountIfAny(ctx, r.Env)
	if err != nil {
		return err
	}
	ctx, cancel, err := o.network.Bound(ctx)
	if err != nil {
		return err
	}
	defer cancel()
	client, err := o.network.Dial(ctx, r.Env)
	if err != nil {
		return err
	}
	defer client.Close()
	status, err := client.Status(ctx, account)
	if err != nil {
		return err
	}
	if need.PoolSize == 0 {
		need.PoolSize = status.Round.PoolSize.Uint64()
		if need.PoolSize < need.Recipients {
			return cli.WithHint(cli.Usagef("--recipients %d: %s has %d active recipients", need.Recipients, client.Network().Name, need.PoolSize),
				"pmctl recipient list shows them; --pool-size plans for another pool")
		}
	}
	if need.FaceValue.IsZero() {
		need.FaceValue = check.Usual(status).WantedFaceValue
		result.FaceValueFrom = "gas_price"
	}
	if account != (common.Address{}) {
		result.Account = &plannedAccount{Address: format.Address(account), Deposit: status.Sender.Deposit, Reserve: status.Sender.Reserve, Unlocking: status.Sender.Unlocking()}
	}
	return nil
}

// accountIfAny is the account that is named, or the only one there is; the zero address
// when there is none or several.
func (o *fundPlanOptions) accountIfAny(ctx context.Context, env *cli.Env) (common.Address, error) {
	if named, err := o.account.Named(env); err != nil || named != "" {
		if err != nil {
			return common.Address{}, err
		}
		return o.account.Parse(named)
	}
	keys, err := o.account.Keys.Keystore.Open(env)
	if err != nil {
		return common.Address{}, err
	}
	found, err := keys.Default()
	var several *keystore.SeveralAccountsError
	if errors.Is(err, keystore.ErrNoAccounts) || errors.As(err, &several) || errors.As(err, new(*keystore.UnnamedError)) {
		return common.Address{}, nil
	}
	return found.Address, err
}

func (p *fundPlanResult) write(w io.Writer) error {
	from := ""
	if p.FaceValueFrom != "flag" {
		from = ", at the gas price of now"
	}
	fields := []cli.Field{
		{"face value F", p.FaceValue.String() + from},
		{"spend", fmt.Sprintf("%s in %s on %s", wei.Format(p.spend), daysText(p.until.Hours()/24), cli.Plural(p.Recipients, "recipient"))},
		{"wins", fmt.Sprintf("~ Poisson(spend / F = %.4g); more than k = %s: %s", p.ExpectedWins, p.Wins, percent(p.Chance))},
		{"deposit", fmt.Sprintf("(k + spare) x F = (%s + %s) x F = %s", p.Wins, p.Spare, p.Deposit)},
		{"reserve", fmt.Sprintf("pool x F = %s x F = %s", p.PoolSize, p.Reserve)},
	}
	if a := p.Account; a != nil {
		fields = append(fields,
			cli.Field{"account", common.Address(a.Address).Hex()},
			cli.Field{"has", a.Deposit.String() + " of deposit"},
			cli.Field{"", a.Reserve.String() + " of reserve"},
			cli.Field{"to do", a.todo()})
	} else {
		fields = append(fields, cli.Field{"to do", fundLine(p.Deposit, p.Reserve)})
	}
	return cli.WriteFields(w, fields)
}

func (a *plannedAccount) todo() string {
	if a.AddDeposit.IsZero() && a.AddReserve.IsZero() {
		return "nothing: that will do"
	}
	line := fundLine(a.AddDeposit, a.AddReserve)
	if a.Unlocking {
		line += " --cancel-unlock"
	}
	return line
}

// fundLine is the command that adds to deposit and reserve, in whole gwei so that it
// fits on a line.
func fundLine(deposit, reserve wei.Wei) string {
	line := "pmctl fund"
	for _, f := range []struct {
		flag   string
		amount wei.Wei
	}{{"--deposit", deposit}, {"--reserve", reserve}} {
		if !f.amount.IsZero() {
			line += " " + f.flag + " " + strings.ToLower(strings.ReplaceAll(wholeGwei(f.amount), " ", ""))
		}
	}
	return line
}

// wholeGwei rounds an amount up.
func wholeGwei(amount wei.Wei) string {
	gwei := big.NewInt(1_000_000_000)
	count, rest := new(big.Int).DivMod(amount.Big(), gwei, new(big.Int))
	if rest.Sign() > 0 {
		count.Add(count, big.NewInt(1))
	}
	return wei.Format(new(big.Rat).SetInt(count.Mul(count, gwei)))
}

// mostDays is how far a forecast is told; it says nothing beyond.
const mostDays = 3650

// daysText is a number of days for people, in shorter units where it is short.
func daysText(days float64) string {
	const hours, minutes, seconds = 24, 24 * 60, 24 * 60 * 60
	switch {
	case days > mostDays:
		return "over ten years"
	case days >= 10:
		return fmt.Sprintf("%.0f days", days)
	case days >= 1:
		return strings.Replace(fmt.Sprintf("%.1f days", days), ".0 ", " ", 1)
	case days*hours >= 1:
		return fmt.Sprintf("%.1f hours", days*hours)
	case days == 0:
		return "now"
	}
	if days*minutes >= 1 {
		return fmt.Sprintf("%.1f minutes", days*minutes)
	}
	return fmt.Sprintf("%.0f seconds", days*seconds)
}

// percent writes a probability for people.
func percent(p float64) string {
	switch {
	case p < forecast.Negligible:
		return "practically 0"
	case p < 0.0001:
		return fmt.Sprintf("%.1e", p)
	}
	return fmt.Sprintf("%.3g %%", p*100)
}
