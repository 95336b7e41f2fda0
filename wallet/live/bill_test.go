package live_test

import (
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/live"
)

var begin = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func TestUnits(t *testing.T) {
	for name, c := range map[string]struct {
		kind     live.Type
		after    time.Duration // since the last payment; 0 for a first one
		inPixels int64
		units    int64
		billed   time.Duration
		err      error
	}{
		"first by seconds":       {kind: live.Seconds, units: 10, billed: 10 * time.Second},
		"first by pixels":        {kind: live.PixelSeconds, units: 60 * 27_648_000, billed: time.Minute},
		"first of a fixed price": {kind: live.Fixed, units: 1},
		"a begun second counts":  {kind: live.Seconds, after: time.Second + 1, units: 2, billed: time.Second + 1},
		"a whole second":         {kind: live.Seconds, after: time.Second, units: 1, billed: time.Second},
		"pixels round down":      {kind: live.PixelSeconds, after: 37, units: 1, billed: 37},
		"less than a pixel":      {kind: live.PixelSeconds, after: 36, err: live.ErrNoTickets},
		"whole pixels":           {kind: live.PixelSeconds, after: 15625, units: 432, billed: 15625},
		"a century":              {kind: live.PixelSeconds, after: 876_000 * time.Hour, units: 876_000 * 3600 * 27_648_000, billed: 876_000 * time.Hour},
		"a clock set back":       {kind: live.Seconds, after: -time.Hour, err: live.ErrNoTickets},
		"as many as asked for":   {kind: live.Pixels, inPixels: 7, units: 7},
		"none asked for":         {kind: live.Pixels, err: live.ErrNoUnits},
		"a negative number":      {kind: live.Pixels, inPixels: -1, err: live.ErrNoUnits},
		"an unknown type":        {kind: "foo", err: live.ErrType},
	} {
		t.Run(name, func(t *testing.T) {
			var session *live.Session
			if c.after != 0 {
				session = &live.Session{Type: c.kind, LastUpdate: begin, InitialPricePerUnit: 1, InitialPixelsPerUnit: 1}
			}
			// A ticket that is worth a year leaves only the units in doubt.
			request := live.Request{Type: c.kind, InPixels: c.inPixels, Price: live.Price{PerUnit: 1, Pixels: 1}, TicketEV: big.NewRat(1<<60, 1), At: begin.Add(c.after)}
			bill, err := request.Bill(session)
			if c.err != nil {
				require.ErrorIs(t, err, c.err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.units, bill.Units)
			require.Equal(t, c.billed, bill.Billed)
		})
	}
}

func TestTicketBounds(t *testing.T) {
	request := live.Request{Type: live.Pixels, InPixels: 1000, Price: live.Price{PerUnit: 1, Pixels: 1}, TicketEV: big.NewRat(10, 1)}
	bill, err := request.Bill(nil)
	require.NoError(t, err)
	require.EqualValues(t, live.MaxTickets, bill.Tickets)
	require.Zero(t, bill.Balance.Sign())

	request.InPixels++
	_, err = request.Bill(nil)
	require.EqualError(t, err, "numTickets 101 exceeds maximum of 100")

	// No number of tickets is too large to be named.
	request.TicketEV = new(big.Rat).SetFrac(big.NewInt(1), new(big.Int).Lsh(big.NewInt(1), 256))
	_, err = request.Bill(nil)
	require.ErrorContains(t, err, "numTickets 115907")

	request.TicketEV = new(big.Rat)
	_, err = request.Bill(nil)
	var refusal live.Refusal
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, 400, refusal.Status())
}

func TestPriceOfASession(t *testing.T) {
	first := live.Request{Type: live.Fixed, Price: live.Price{PerUnit: 4, Pixels: 2}, TicketEV: big.NewRat(1, 2)}
	bill, err := first.Bill(nil)
	require.NoError(t, err)
	session, err := (*live.Session)(nil).Next(first, bill, "a", common.Hash{1}, bill.Tickets, live.Auth{})
	require.NoError(t, err)

	cheaper := first
	cheaper.Price = live.Price{PerUnit: 1, Pixels: 1}
	bill, err = cheaper.Bill(session)
	require.NoError(t, err)
	require.Equal(t, big.NewRat(2, 1), bill.Fee, "the first price holds")

	dearer := first
	dearer.Price = live.Price{PerUnit: 2001, Pixels: 1000}
	_, err = dearer.Bill(session)
	require.EqualError(t, err, "orchestrator price 2.001 exceeds initial session price ceiling 2.000")
	dearer.Ceilings = []live.Ceiling{{Price: big.NewRat(3, 1), Source: live.Requested}, {Price: big.NewRat(2, 1), Source: live.Configured}}
	_, err = dearer.Bill(session)
	require.EqualError(t, err, "orchestrator price 2.001 exceeds configured maximum price ceiling 2.000", "the first of the lowest")
	require.Len(t, dearer.Ceilings, 2)

	session.InitialPixelsPerUnit = 0
	_, err = first.Bill(session)
	require.ErrorIs(t, err, live.ErrInitialPrice)
	first.Price.PerUnit = -1
	_, err = first.Bill(nil)
	require.ErrorIs(t, err, live.ErrNoPrice)
}

func TestWhatASessionKeeps(t *testing.T) {
	request := live.Request{Orchestrator: common.Address{1}, App: "a", Type: live.Fixed, Price: live.Price{PerUnit: 1, Pixels: 1}, TicketEV: big.NewRat(1, 1)}
	bill, err := request.Bill(nil)
	require.NoError(t, err)
	session, err := (*live.Session)(nil).Next(request, bill, "a", common.Hash{1}, 1, live.Auth{ID: "ann"})
	require.NoError(t, err)
	for want, change := range map[error]func(*live.Request){
		live.ErrOrchestrator: func(r *live.Request) { r.Orchestrator[0]++ },
		live.ErrApp:          func(r *live.Request) { r.App = "" },
		live.ErrTypeChanged:  func(r *live.Request) { r.Type = live.Seconds },
	} {
		other := request
		change(&other)
		_, err := other.Bill(session)
		require.ErrorIs(t, err, want)
	}
	kept, err := session.Next(request, bill, "b", common.Hash{2}, 1, live.Auth{})
	require.NoError(t, err)
	require.Equal(t, "ann", kept.AuthID)
	require.Equal(t, "a", kept.StateID)
	require.EqualValues(t, 1, kept.SequenceNumber)
	_, err = kept.Next(request, bill, "", common.Hash{}, 1, live.Auth{ID: "bob"})
	require.ErrorIs(t, err, live.ErrAuthID)
}

// model is the accounting done the slow way: tickets are bought one by one.
type model struct {
	price   *big.Rat
	balance *big.Rat
}

func (m *model) pay(kind live.Type, elapsed time.Duration, inPixels int64, price, ev *big.Rat) (tickets int, ok bool) {
	units := inPixels
	first := m.price == nil
	if first {
		m.price, m.balance = price, new(big.Rat)
	}
	switch kind {
	case live.Fixed:
		units = 1
	case live.Seconds:
		if first {
			elapsed = 10 * time.Second
		}
		for units = 0; time.Duration(units)*time.Second < elapsed; units++ {
		}
	case live.PixelSeconds:
		if first {
			elapsed = time.Minute
		}
		exact := new(big.Rat).Mul(big.NewRat(int64(elapsed), 1_000_000_000), big.NewRat(1280*720*30, 1))
		units = new(big.Int).Quo(exact.Num(), exact.Denom()).Int64()
	}
	fee := new(big.Rat).Mul(m.price, big.NewRat(units, 1))
	target, have := fee, new(big.Rat).Set(m.balance)
	if ev.Cmp(target) > 0 {
		target = ev
	}
	for tickets = 0; have.Cmp(target) < 0; tickets++ {
		if tickets > live.MaxTickets {
			return 0, false
		}
		have.Add(have, ev)
	}
	if units <= 0 || price.Cmp(m.price) > 0 || tickets == 0 || tickets > live.MaxTickets {
		return 0, false
	}
	m.balance.Sub(have, fee)
	return tickets, true
}

// TestSessionsAgainstAModel: any sequence of requests pays what buying tickets one by one
// pays, to the last fraction of a wei, and what was paid is the fees and the balance.
func TestSessionsAgainstAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		kind := rapid.SampledFrom([]live.Type{live.Pixels, live.Seconds, live.PixelSeconds, live.Fixed}).Draw(t, "type")
		// Prices of about one ticket a payment, over the sizes of the types' units.
		scale := map[live.Type]int64{live.Pixels: 1, live.Seconds: 1, live.PixelSeconds: 27_648_000, live.Fixed: 1}[kind]
		var session *live.Session
		var m model
		now, nonce := begin, uint32(0)
		paid, fees := new(big.Rat), new(big.Rat)
		for range rapid.IntRange(1, 20).Draw(t, "requests") {
			elapsed := time.Duration(rapid.Int64Range(-int64(time.Second), int64(20*time.Second)).Draw(t, "elapsed"))
			win := new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), big.NewInt(1))
			params := &pm.TicketParams{
				FaceValue: big.NewInt(rapid.Int64Range(1, 1000*scale).Draw(t, "face value")),
				WinProb:   win.Quo(win, big.NewInt(rapid.Int64Range(1, 20).Draw(t, "odds"))),
			}
			request := live.Request{
				Type: kind, InPixels: rapid.Int64Range(-1, 30).Draw(t, "pixels"), TicketEV: params.EV(), At: now.Add(elapsed),
				Price: live.Price{PerUnit: rapid.Int64Range(1, 30).Draw(t, "price"), Pixels: rapid.Int64Range(1, 3).Draw(t, "per")},
			}
			since := elapsed
			if session != nil {
				since = request.At.Sub(session.LastUpdate)
			}
			try := m
			if try.balance != nil {
				try.balance = new(big.Rat).Set(m.balance)
			}
			tickets, ok := try.pay(kind, since, request.InPixels, request.Price.Rat(), request.TicketEV)
			bill, err := request.Bill(session)
			if !ok {
				if err == nil {
					t.Fatalf("billed %+v, the model refuses", bill)
				}
				continue
			}
			if err != nil {
				t.Fatalf("%v, the model pays %d tickets", err, tickets)
			}
			m = try
			if int(bill.Tickets) != tickets || bill.Balance.Cmp(m.balance) != 0 {
				t.Fatalf("%d tickets and a balance of %v, the model has %d and %v", bill.Tickets, bill.Balance, tickets, m.balance)
			}
			nonce += bill.Tickets
			next, err := session.Next(request, bill, "id", common.Hash{1}, nonce, live.Auth{})
			if err != nil {
				t.Fatal(err)
			}
			data, err := next.Encode()
			if err != nil {
				t.Fatal(err)
			}
			if session, err = live.DecodeSession(data); err != nil {
				t.Fatalf("%v: %s", err, data)
			}
			paid.Add(paid, bill.Paid())
			fees.Add(fees, bill.Fee)
			now = session.LastUpdate
			if rest := new(big.Rat).Sub(paid, fees); rest.Cmp(session.Balance) != 0 {
				t.Fatalf("paid %v for fees of %v, and the balance is %v", paid, fees, session.Balance)
			}
		}
	})
}

// TestPricesThatLookAlike are written with as many decimals as it takes to see which is higher.
func TestPricesThatLookAlike(t *testing.T) {
	for text, c := range map[string][2]*big.Rat{
		"orchestrator price 0.0004 exceeds request maxPrice ceiling 0.0003":     {big.NewRat(4, 1e4), big.NewRat(3, 1e4)},
		"orchestrator price 2.000001 exceeds request maxPrice ceiling 2.000000": {big.NewRat(2_000_001, 1e6), big.NewRat(2, 1)},
		"orchestrator price 2.001 exceeds request maxPrice ceiling 2.000":       {big.NewRat(2001, 1000), big.NewRat(2, 1)},
	} {
		require.EqualError(t, live.CheckPrice(c[0], live.Ceiling{Price: c[1], Source: live.Requested}), text)
	}
	same := &live.PriceError{Price: big.NewRat(1, 3), Ceiling: live.Ceiling{Price: big.NewRat(1, 3)}}
	require.Contains(t, same.Error(), "0.333")
}
