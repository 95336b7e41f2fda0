package look

import (
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/pmctl/pmctl/cmd/internal/cli"

	"github.com/spf13/cobra"

	"github.com/pmctl/pmctl/wallet/forecast"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

type runwayOptions struct {
	scanOptions
	plot string
}

// NewRunway is pmctl runway.
func NewRunway(r *cli.Run) *cobra.Command {
	var o runwayOptions
	cmd := &cobra.Command{
		Use:   "runway",
		Short: "Tell how long the deposit lasts",
		Long: `Runway looks at what was spent of late, in tickets of the store's ledger and in
redemptions on the chain, and says when the deposit will no longer pay a winning
ticket in full, with a band that holds the day with a probability of 90 %. The
band allows for luck, and for how little a short or restless past tells.

Where somebody else pays from the same account, so that the ledger does not have
all tickets, it goes by the redemptions alone. No key is opened.`,
		Example: `  pmctl runway
  pmctl runway --since 7d --plot runway.svg
  pmctl runway --output json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRunway(r, cmd, &o) },
	}
	cmd.Flags().StringVar(&o.since, "since", "30d", "go by what was spent from a `TIME` on: 12h, 30d or 2w ago, a day, or a time")
	cmd.Flags().StringVar(&o.plot, "plot", "", "draw deposit, reserve and expected value over time into the new SVG `FILE`")
	o.register(cmd)
	r.OutputFlag(cmd, cli.OutputTable, cli.OutputJSON)
	return cmd
}

// What a forecast goes by.
const (
	basisLedger      = "ledger"
	basisRedemptions = "redemptions"
)

// runwayResult is what pmctl runway answers.
type runwayResult struct {
	Network string         `json:"network"`
	ChainID string         `json:"chain_id"`
	Sender  format.Address `json:"sender"`
	Deposit wei.Wei        `json:"deposit"`
	Reserve wei.Wei        `json:"reserve"`
	// Since and Until are the time that was looked at.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Made are the tickets of that time, and Paid what its redemptions came to.
	// What a day came to is rounded to a wei.
	Made         sumResult `json:"made"`
	EVPerDay     string    `json:"ev_per_day"`
	Paid         string    `json:"paid"`
	PaidPerDay   string    `json:"paid_per_day"`
	Redemptions  string    `json:"redemptions"`
	Unmatched    string    `json:"unmatched"`
	ExpectedWins float64   `json:"expected_wins"`
	// Outstanding are the tickets whose params have not expired: the face value is what
	// they cost at worst.
	Outstanding sumResult `json:"outstanding"`
	// Basis is ledger or redemptions: what the forecast goes by.
	Basis string `json:"basis"`
	// Spent is the expected value made, or the wei paid, in each of equal parts of the time.
	Spent    []string        `json:"spent"`
	Forecast *forecastResult `json:"forecast,omitempty"`
	// NoForecast is why there is none.
	NoForecast string `json:"no_forecast,omitempty"`

	perDay, paidPerDay *big.Rat
	spent              []float64
}

type sumResult struct {
	Tickets   string `json:"tickets"`
	EV        string `json:"ev"`
	FaceValue string `json:"face_value"`

	ev *big.Rat
}

// endOfTime is a hundred years in days, which stand for all that is farther away.
const endOfTime = 36500

func newSumResult(s policy.Sum) sumResult {
	s = s.Plus(policy.Sum{})
	return sumResult{fmt.Sprint(s.Tickets), s.EV.RatString(), s.FaceValue.String(), s.EV}
}

// forecastResult is when the deposit no longer pays a win in full.
type forecastResult struct {
	Confidence float64   `json:"confidence"`
	DaysLow    float64   `json:"days_low"`
	DaysMedian float64   `json:"days_median"`
	DaysHigh   float64   `json:"days_high"`
	Low        time.Time `json:"low"`
	Median     time.Time `json:"median"`
	High       time.Time `json:"high"`
}

func runRunway(r *cli.Run, cmd *cobra.Command, o *runwayOptions) error {
	var plot *cli.OutFile
	if o.plot != "" {
		// What cannot be written is found out before the chain is read.
		var err error
		if plot, err = cli.CreateOut(r.Durable(), "--plot", o.plot); err != nil {
			return err
		}
		defer plot.Close()
	}
	p, err := lookBack(r, cmd, &o.scanOptions)
	if err != nil {
		return err
	}
	defer p.store.Close()
	spent, err := watchSpending(cmd, p)
	if err != nil {
		return err
	}
	result := spent.result()
	if plot != nil {
		if err := writePlot(plot, spent.plot()); err != nil {
			return err
		}
		if err := plot.Commit(); err != nil {
			return err
		}
	}
	return r.Emit("pmctl.runway", result, result.write)
}

// spending is what was spent in the time that a forecast goes by.
type spending struct {
	*past
	from      time.Time
	draw      *history.Draw
	made      []store.Reservation
	redeemed  []history.Event
	paid      *big.Int
	unmatched int
	parts     int
}

// partsOf is into how many equal parts a time is cut: days, where there are enough.
func partsOf(length time.Duration) int {
	const few, many = 2 * forecast.MinBins, 365
	return max(few, min(many, int(length/(24*time.Hour))))
}

func watchSpending(cmd *cobra.Command, p *past) (*spending, error) {
	s := &spending{past: p, from: p.since, draw: history.NewDraw(p.status.Head.L1Block), paid: new(big.Int)}
	first, err := p.ledger.FirstReservation(cmd.Context(), p.sender)
	if err != nil {
		return nil, err
	}
	for _, e := range p.events {
		if e.Redemption == nil || e.Time.Before(p.since) {
			continue
		}
		s.redeemed = append(s.redeemed, e)
		s.paid.Add(s.paid, e.Paid())
		if e.Redemption.Match != history.Matched {
			s.unmatched++
		}
	}
	// Before its first ticket a sender had no pace.
	if s.unmatched > 0 && len(p.events) > 0 {
		first = p.events[0].Time
	}
	if first.After(s.from) {
		s.from = first
	}
	if s.from.IsZero() {
		s.from = p.now
	}
	s.parts = partsOf(p.now.Sub(s.from))
	return s, p.ledger.Reservations(cmd.Context(), p.sender, s.from, func(made store.Reservation) error {
		s.draw.Add(made)
		s.made = append(s.made, made)
		return nil
	})
}

func (s *spending) basis() string {
	if s.unmatched > 0 || len(s.made) == 0 {
		return basisRedemptions
	}
	return basisLedger
}

// days is how long was watched.
func (s *spending) days() float64 { return s.now.Sub(s.from).Hours() / 24 }

// part is which of the parts a moment is in.
func (s *spending) part(at time.Time) int {
	i := int(float64(s.parts) * float64(at.Sub(s.from)) / float64(s.now.Sub(s.from)))
	return max(0, min(s.parts-1, i))
}

// pace is what a forecast goes by: the pace, what wins cost, and what each part came to.
func (s *spending) pace() (forecast.Pace, []forecast.Prize, []*big.Rat) {
	pace := forecast.Pace{Days: s.days(), Bins: make([]float64, s.parts), Counted: s.basis() == basisRedemptions}
	spent := make([]*big.Rat, s.parts)
	for i := range spent {
		spent[i] = new(big.Rat)
	}
	weights := make(map[float64]float64)
	if pace.Counted {
		for _, e := range s.redeemed {
			i := s.part(e.Time)
			pace.Bins[i]++
			spent[i].Add(spent[i], new(big.Rat).SetInt(e.Paid()))
			weights[toFloat(e.Redemption.FaceValue)]++
		}
	} else {
		for _, made := range s.made {
			i, n := s.part(made.At), uint64(made.Nonces.Count)
			wins := float64(n) * history.WinProb(made)
			pace.Bins[i] += wins
			spent[i].Add(spent[i], policy.Cost(n, made.TicketEV, made.FaceValue).EV)
			weights[toFloat(made.FaceValue)] += wins
		}
	}
	var prizes []forecast.Prize
	for faceValue, weight := range weights {
		if faceValue > 0 && weight > 0 {
			prizes = append(prizes, forecast.Prize{FaceValue: faceValue, Weight: weight})
		}
	}
	return pace, prizes, spent
}

func toFloat(v *big.Int) float64 {
	f, _ := new(big.Float).SetInt(v).Float64()
	return f
}

func (s *spending) result() *runwayResult {
	pace, prizes, spent := s.pace()
	result := &runwayResult{
		Network: s.network.Name, ChainID: fmt.Sprint(s.network.ChainID), Sender: format.Address(s.sender),
		Deposit: s.status.Sender.Deposit, Reserve: s.status.Sender.Reserve, Since: s.from, Until: s.now,
		Made: newSumResult(s.draw.Made), Paid: s.paid.String(), Redemptions: fmt.Sprint(len(s.redeemed)), Unmatched: fmt.Sprint(s.unmatched),
		ExpectedWins: s.draw.Expected, Outstanding: newSumResult(s.draw.Outstanding), Basis: s.basis(), spent: make([]float64, s.parts),
	}
	for i, part := range spent {
		result.Spent = append(result.Spent, part.RatString())
		result.spent[i], _ = part.Float64()
	}
	perDay := new(big.Rat)
	if s.now.After(s.from) {
		perDay.SetFrac(big.NewInt(int64(24*time.Hour)), big.NewInt(int64(s.now.Sub(s.from))))
	}
	result.perDay = new(big.Rat).Mul(s.draw.Made.EV, perDay)
	result.paidPerDay = new(big.Rat).Mul(new(big.Rat).SetInt(s.paid), perDay)
	result.EVPerDay, result.PaidPerDay = result.perDay.FloatString(0), result.paidPerDay.FloatString(0)
	owed := s.draw.Owed
	if pace.Counted {
		owed = 0 // the wins that were counted are as late as those to come
	}
	band, err := forecast.Runway(toFloat(s.status.Sender.Deposit.Big()), owed, prizes, pace)
	if errors.Is(err, forecast.ErrTooLittle) {
		result.NoForecast = err.Error()
		return result
	}
	for _, days := range []*float64{&band.Low, &band.Median, &band.High} {
		*days = min(*days, endOfTime)
	}
	at := func(days float64) time.Time {
		return s.now.Add(time.Duration(days * float64(24*time.Hour))).Truncate(time.Second)
	}
	result.Forecast = &forecastResult{
		Confidence: forecast.Confidence, DaysLow: band.Low, DaysMedian: band.Median, DaysHigh: band.High,
		Low: at(band.Low), Median: at(band.Median), High: at(band.High),
	}
	return result
}
