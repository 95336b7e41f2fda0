package past

import (
	"fmt"
	"math/big"
	"time"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/cmd/internal/cli"
	"github.com/pmctl/pmctl/internal/dialect"
	"github.com/pmctl/pmctl/internal/page"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/plot"
	"github.com/pmctl/pmctl/wallet/wei"
)

type luckOptions struct {
	cli.PayerOptions
	faceValue, winProb, params    string
	spendRate, ticketRate, period string
	plot                          plotOptions
}

// NewLuck is pmctl luck.
func NewLuck(r *cli.Run) *cobra.Command {
	var o luckOptions
	cmd := &cobra.Command{
		Use:   "luck [RECIPIENT]",
		Short: "Calculate how far spending can differ from its expected value",
		Long: `Calculate how much the cost of a period can differ from the expected value (EV)
of its tickets: a ticket costs its face value if it wins, and nothing otherwise.
From the face value and a rate of spending, pmctl calculates

  - the expected number of wins in a period;
  - the chance to pay at least 1.5 times, and at least twice, the expected cost;
  - the most that 99 % and 99.9 % of all periods cost;
  - the deposit that is sufficient in 99.9 % of all periods.

The number of wins is assumed to be Poisson distributed.

The face value comes from --face-value, from the ticket params in --params, or
from the current offer of RECIPIENT. To get the offer, pmctl sends RECIPIENT a
request signed with your key, as pmctl params fetch does. Without RECIPIENT it
reads only its flags and files. It pays nothing and sends no transaction.`,
		Example: `  pmctl luck --face-value 0.004eth --spend-rate 0.016eth/day --period 1d
  pmctl luck --face-value 0.004eth --win-prob 1/4000 --ticket-rate 20/minute
  pmctl params fetch https://recipient.example -o json |
    pmctl luck --params - --spend-rate 0.01eth/day --plot luck.svg
  pmctl luck https://recipient.example --spend-rate 500gwei/second`,
		RunE: func(cmd *cobra.Command, args []string) error { return runLuck(r, cmd, &o, args) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.spendRate, "spend-rate", "", "expected value to spend, as `AMOUNT/day` (or /hour, /minute, /second): 0.01eth/day")
	flags.StringVar(&o.ticketRate, "ticket-rate", "", "tickets to create, as `N/day` (or /hour, /minute, /second): 20/minute")
	flags.StringVar(&o.period, "period", "7d", "length of a period: `DURATION`, such as 12h, 30d, 2w")
	flags.StringVar(&o.faceValue, "face-value", "", "face value of a ticket: `AMOUNT`")
	flags.StringVar(&o.winProb, "win-prob", "", "probability that a ticket wins: `P`, such as 1/50000 or 0.00002")
	flags.StringVar(&o.params, "params", "", "use the ticket params in `FILE`, or on stdin with -")
	o.plot.register(cmd, "the probability of each number of wins")
	dialect.Relate(cmd, dialect.OneOf, "spend-rate", "ticket-rate")
	dialect.Relate(cmd, dialect.Exclusive, "spend-rate", "ticket-rate")
	dialect.Relate(cmd, dialect.Exclusive, "params", "face-value")
	dialect.Relate(cmd, dialect.Exclusive, "params", "win-prob")
	o.Register(cmd)
	return cmd
}

func runLuck(r *cli.Run, cmd *cobra.Command, o *luckOptions, args []string) error {
	spending, period, err := o.rate()
	if err != nil {
		return err
	}
	if spending.DepositMultiplier, err = depositMultiplier(r, &o.Limits); err != nil {
		return err
	}
	file, err := o.plot.begin(r, cmd)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := o.ticket(r, cmd, args, &spending); err != nil {
		return err
	}
	luck, err := spending.Luck(period)
	if err != nil {
		return err
	}
	if err := finish(plot.Luck(luck), r, file); err != nil {
		return err
	}
	return r.Emit("pmctl.luck", luck, func(w *page.Page) { writeLuck(w, luck) })
}

// rate reads how fast and how long is spent.
func (o *luckOptions) rate() (of wallet.Spending, period time.Duration, err error) {
	if period, err = parsePeriod("--period", o.period); err != nil {
		return of, 0, err
	}
	if o.spendRate != "" {
		of.PerSecond, err = parseSpendRate(o.spendRate)
	} else {
		of.TicketsPerSecond, err = parseTicketRate(o.ticketRate)
	}
	return of, period, err
}

// ticket finds the face value and, if it is known, the expected value of a ticket.
func (o *luckOptions) ticket(r *cli.Run, cmd *cobra.Command, args []string, of *wallet.Spending) error {
	var params *format.Params
	var err error
	switch {
	case len(args) == 1 && (o.params != "" || o.faceValue != "" || o.winProb != ""):
		return cli.Usagef("RECIPIENT and --params, --face-value or --win-prob exclude each other: leave out %s, or the flags", args[0])
	case len(args) == 1:
		params, err = o.offered(r, cmd, args[0])
	case o.params != "":
		params, err = cli.ReadDocument(cmd.Context(), r, o.params, format.ReadParams)
	default:
		return o.flags(of)
	}
	if err != nil {
		return err
	}
	ticket, err := params.TicketParams()
	if err != nil {
		return err
	}
	of.TicketEV = ticket.EV()
	of.FaceValue, err = wei.FromBig(ticket.FaceValue)
	return err
}

// flags reads the ticket from the command line.
func (o *luckOptions) flags(of *wallet.Spending) (err error) {
	switch {
	case o.faceValue == "":
		return cli.WithHint(cli.Usagef("no face value: pass --face-value AMOUNT, --params FILE, or a recipient's URL or address"),
			"pmctl status shows the face value of a typical orchestrator")
	case o.winProb == "" && o.ticketRate != "":
		return cli.Usagef("--ticket-rate %s needs the expected value of a ticket: also pass --win-prob P", o.ticketRate)
	}
	if of.FaceValue, err = cli.ParseAmount("--face-value", o.faceValue); err != nil || o.winProb == "" {
		return err
	}
	p, err := parseProbability("--win-prob", o.winProb)
	if err == nil {
		of.TicketEV = p.Mul(p, of.FaceValue.Rat())
	}
	return err
}

// offered asks a recipient for its params.
func (o *luckOptions) offered(r *cli.Run, cmd *cobra.Command, recipient string) (*format.Params, error) {
	target, err := cli.ParseRecipient(recipient)
	if err != nil {
		return nil, err
	}
	w, err := cli.OpenWallet(r, cmd, &o.PayerOptions)
	if err != nil {
		return nil, err
	}
	defer w.Close()
	offers, err := w.Offers(cmd.Context(), []pay.Target{target}, wallet.OfferOptions{})
	if err != nil {
		return nil, err
	}
	if offers[0].Err != nil {
		return nil, offers[0].Err
	}
	return offers[0].Document, nil
}

// writeLuck prints the deposit and what is expected, then the chances of other amounts.
func writeLuck(w *page.Page, l *wallet.Luck) {
	last := l.AtMost[len(l.AtMost)-1]
	fields := []page.Field{
		{"deposit", fmt.Sprintf("%s suffices in %s of all periods: (%s + %d) x F", l.Deposit, plot.Percent(1-last.Risk), words.Count(last.Wins, "win"), l.Spare)},
		{"expected", fmt.Sprintf("%s in %s: %s", wei.Format(l.TotalEVExact.Rat), plot.Period(l.Seconds), words.Plural(plot.Number(l.ExpectedWins), "win"))},
		{"face value F", l.FaceValue.String()},
	}
	if l.TicketEV != nil {
		fields = append(fields, page.Field{"ticket EV", wei.Format(l.TicketEVExact.Rat) + ", " + ticketPace(l)})
	}
	bars := plot.BarsOf(l, max(1, w.Width-2*sparkIndent))
	fields = append(fields, page.Field{"wins", fmt.Sprintf("%d %s %d", bars.Least, sparkline(bars.Probabilities, len(bars.Probabilities)), bars.Most)})
	w.Fields(fields)
	var rows [][]string
	row := func(what string, wins uint64, paid wei.Wei, chance float64) {
		rows = append(rows, []string{what, fmt.Sprint(wins), paid.String(), plot.Percent(chance)})
	}
	for _, e := range l.AtLeast {
		row(fmt.Sprintf("at least %g times the expected", e.Times), e.Wins, e.Paid, e.Chance)
	}
	for _, q := range l.AtMost {
		row(fmt.Sprintf("at most, in %s of all periods", plot.Percent(1-q.Risk)), q.Wins, q.Paid, q.Chance)
	}
	w.Print("\n")
	w.Table([]page.Column{page.Text("cost of a period"), page.Number("wins"), page.Number("paid"), page.Number("chance")}, rows)
}

// ticketPace says how fast tickets are created.
func ticketPace(l *wallet.Luck) string {
	tickets, _ := new(big.Rat).Quo(l.TotalEVExact.Rat, l.TicketEVExact.Rat).Float64()
	if perSecond := tickets / float64(l.Seconds); perSecond > 1 {
		return words.Plural(plot.Number(perSecond), "ticket") + " a second"
	}
	return "a ticket every " + plot.Days(float64(l.Seconds)/tickets/86400)
}
