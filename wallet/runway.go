package wallet

import (
	"context"
	"maps"
	"math/big"
	"slices"
	"time"

	"github.com/pmctl/pmctl/wallet/forecast"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// What a forecast is based on.
const (
	BasisLedger      = "ledger"
	BasisRedemptions = "redemptions"
)

// Runway is how long a deposit lasts, and the data behind the forecast. Amounts of wei are exact
// unless noted; other numbers are estimates.
type Runway struct {
	Network string         `json:"network"`
	ChainID uint64         `json:"chain_id,string"`
	Sender  format.Address `json:"sender"`
	Deposit wei.Wei        `json:"deposit"`
	Reserve wei.Wei        `json:"reserve"`
	// Since and Until are the period that was read.
	Since time.Time `json:"since"`
	Until time.Time `json:"until"`
	// Made are the tickets of the period, and Paid the sum of its redemptions. PaidPerDay is
	// rounded to a wei.
	Made          TicketSum       `json:"made"`
	EVPerDayWei   format.Ceil     `json:"ev_per_day_wei"`
	EVPerDayExact format.Fraction `json:"ev_per_day_exact"`
	Paid          *big.Rat        `json:"paid"`
	PaidPerDay    *big.Rat        `json:"paid_per_day"`
	Redemptions   uint64          `json:"redemptions"`
	Unmatched     uint64          `json:"unmatched"`
	ExpectedWins  float64         `json:"expected_wins"`
	// Outstanding are the tickets that can still win. Their face value is the most they
	// can cost.
	Outstanding TicketSum `json:"outstanding"`
	Basis       string    `json:"basis"`
	// SpentWei and SpentExact are the expected value of the tickets, or the wei paid, in equal
	// parts of the period.
	SpentWei   []format.Ceil     `json:"spent_wei"`
	SpentExact []format.Fraction `json:"spent_exact"`
	Forecast   *Forecast         `json:"forecast,omitempty"`
	// NoForecast is why there is no forecast.
	NoForecast string `json:"no_forecast,omitempty"`

	// Deposits, Reserves and Worth are the deposit, the reserve and the tickets' total expected
	// value over time. The first balance is the one before the first event.
	Deposits, Reserves, Worth []history.Balance `json:"-"`

	// The forecast's spending, and the expected wins of tickets that are not drawn yet.
	pace *pace
	owed float64
}

// DepositFor returns the deposit that lasts a number of days at the forecast's low end, and then covers
// depositMultiplier face values. It returns forecast.ErrTooLittle without a forecast.
func (w *Runway) DepositFor(days, depositMultiplier uint64) (wei.Wei, error) {
	needed, err := forecast.DepositFor(float64(days), w.owed, depositMultiplier, w.pace.prizes(), w.pace.Pace)
	if err != nil {
		return wei.Wei{}, err
	}
	exact := new(big.Rat).SetFloat64(needed)
	if exact == nil {
		return wei.Wei{}, wei.ErrRange
	}
	return wei.Ceil(exact)
}

// TicketSum is a number of tickets and their sums, in wei.
type TicketSum struct {
	Tickets uint64 `json:"tickets"`
	format.TotalEV
	FaceValue *big.Rat `json:"total_face_value"`
}

func ticketSum(s policy.Sum) TicketSum {
	return TicketSum{s.Tickets, format.NewTotalEV(s.EV), new(big.Rat).SetInt(s.FaceValue)}
}

// Forecast is when the deposit will no longer cover a win in full: between Low and High with the
// given Confidence.
type Forecast struct {
	Confidence float64   `json:"confidence"`
	DaysLow    float64   `json:"days_low"`
	DaysMedian float64   `json:"days_median"`
	DaysHigh   float64   `json:"days_high"`
	Low        time.Time `json:"low"`
	Median     time.Time `json:"median"`
	High       time.Time `json:"high"`
}

// Runway forecasts how long the account's deposit lasts, from the tickets in the ledger or, if
// those are incomplete, from the redemptions. It returns the errors of History.
func (r *Reader) Runway(ctx context.Context, of HistoryOptions) (*Runway, error) {
	p, err := r.lookBack(ctx, of)
	if err != nil {
		return nil, err
	}
	defer p.store.Close()
	return r.runway(ctx, p, of.Since)
}

// runway tells how long the deposit lasts by a past that begins at since.
func (r *Reader) runway(ctx context.Context, p *past, since time.Time) (*Runway, error) {
	first, err := p.ledger.FirstReservation(ctx, r.Address)
	if err != nil {
		return nil, err
	}
	redeemed := slices.DeleteFunc(slices.Clone(p.events), func(e history.Event) bool { return e.Redemption == nil || e.Time.Before(since) })
	totals := history.Total(redeemed)
	deposits, reserves := history.Balances(p.events, p.status.Sender.Deposit, p.status.Sender.Reserve)
	// Before its first ticket a sender spent nothing. A ledger that lacks tickets may lack that one, but there is
	// none from before the first funds. Events begin at about since: there may have been funds before them.
	if totals.Unmatched > 0 {
		first = time.Time{}
		if since.IsZero() || deposits[0].Wei.Sign() == 0 && reserves[0].Wei.Sign() == 0 {
			first = p.events[0].Time
		}
	}
	from := since
	if first.After(from) {
		from = first
	}
	if from.IsZero() {
		from = p.now
	}
	draw, made := history.NewDraw(p.status.Head.L1Block), newPace(from, p.now)
	worth, sum := []history.Balance{{Time: from, Wei: new(big.Rat)}}, new(big.Rat)
	err = p.ledger.Reservations(ctx, r.Address, from, func(entry store.Reservation) error {
		draw.Add(entry)
		ev := policy.Cost(uint64(entry.Nonces.Count), entry.TicketEV, nil).EV
		made.add(entry.At, float64(entry.Nonces.Count)*history.WinProb(entry), ev, entry.FaceValue)
		sum = new(big.Rat).Add(sum, ev)
		worth = append(worth, history.Balance{Time: entry.At, Wei: sum})
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, e := range redeemed {
		draw.Win(e)
	}
	basis, pace, owed := BasisLedger, made, draw.Owed
	if totals.Unmatched > 0 || draw.Made.Tickets == 0 {
		basis, pace, owed = BasisRedemptions, newPace(from, p.now), 0 // counted wins come as late as future ones
		pace.Counted = true
		for _, e := range redeemed {
			pace.add(e.Time, 1, e.Redemption.Paid.Rat(), e.Redemption.FaceValue.Big())
		}
	}
	w := &Runway{
		Network: r.Network.Name, ChainID: r.Network.ChainID, Sender: format.Address(r.Address),
		Deposit: p.status.Sender.Deposit, Reserve: p.status.Sender.Reserve, Since: from, Until: p.now,
		Made: ticketSum(draw.Made), Paid: new(big.Rat).Add(totals.DepositPaid, totals.ReservePaid),
		Redemptions: totals.Redemptions, Unmatched: totals.Unmatched, ExpectedWins: draw.Expected,
		Outstanding: ticketSum(draw.Outstanding), Basis: basis, Worth: worth, pace: pace, owed: owed,
		Deposits: deposits, Reserves: reserves,
	}
	for _, spent := range pace.spent {
		w.SpentWei, w.SpentExact = append(w.SpentWei, format.NewCeil(spent)), append(w.SpentExact, format.Fraction{Rat: spent})
	}
	perDay := pace.perDay(draw.Made.EV)
	w.EVPerDayWei, w.EVPerDayExact, w.PaidPerDay = format.NewCeil(perDay), format.Fraction{Rat: perDay}, rounded(pace.perDay(w.Paid))
	if w.Forecast, err = pace.forecast(w.Deposit, owed); err != nil {
		w.NoForecast = err.Error()
	}
	return w, nil
}

// pace is the spending in equal parts of a period.
type pace struct {
	forecast.Pace
	from, to time.Time
	spent    []*big.Rat
	// weights is the number of expected or counted wins by face value.
	weights map[float64]float64
}

// newPace divides a period into parts: days, if there are enough.
func newPace(from, to time.Time) *pace {
	const few, many = 2 * forecast.MinBins, 365
	length := to.Sub(from)
	p := &pace{from: from, to: to, spent: make([]*big.Rat, max(few, min(many, int(length/(24*time.Hour))))), weights: make(map[float64]float64)}
	p.Pace = forecast.Pace{Days: length.Hours() / 24, Bins: make([]float64, len(p.spent))}
	for i := range p.spent {
		p.spent[i] = new(big.Rat)
	}
	return p
}

// add counts wins of a face value, and what they cost.
func (p *pace) add(at time.Time, wins float64, cost *big.Rat, faceValue *big.Int) {
	i := int(float64(len(p.spent)) * float64(at.Sub(p.from)) / float64(p.to.Sub(p.from)))
	i = max(0, min(len(p.spent)-1, i))
	p.Bins[i] += wins
	p.spent[i].Add(p.spent[i], cost)
	value, _ := new(big.Float).SetInt(faceValue).Float64()
	p.weights[value] += wins
}

// perDay returns the amount per day, rounded to a wei.
func (p *pace) perDay(amount *big.Rat) *big.Rat {
	day := new(big.Rat)
	if p.to.After(p.from) {
		day.SetFrac(big.NewInt(int64(24*time.Hour)), big.NewInt(int64(p.to.Sub(p.from))))
	}
	return day.Mul(day, amount)
}

func rounded(amount *big.Rat) *big.Rat {
	whole, _ := new(big.Rat).SetString(amount.FloatString(0))
	return whole
}

// prizes are the face values, the lowest first, so that the same past has the same forecast.
func (p *pace) prizes() (prizes []forecast.Prize) {
	for _, faceValue := range slices.Sorted(maps.Keys(p.weights)) {
		if weight := p.weights[faceValue]; faceValue > 0 && weight > 0 {
			prizes = append(prizes, forecast.Prize{FaceValue: faceValue, Weight: weight})
		}
	}
	return prizes
}

// forecast returns forecast.ErrTooLittle for too little data.
func (p *pace) forecast(deposit wei.Wei, owed float64) (*Forecast, error) {
	left, _ := deposit.Rat().Float64()
	band, err := forecast.Runway(left, owed, p.prizes(), p.Pace)
	if err != nil {
		return nil, err
	}
	at := func(days float64) time.Time {
		return p.to.Add(time.Duration(days * float64(24*time.Hour))).Truncate(time.Second)
	}
	return &Forecast{forecast.Confidence, band.Low, band.Median, band.High, at(band.Low), at(band.Median), at(band.High)}, nil
}
