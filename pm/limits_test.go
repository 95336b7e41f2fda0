package pm

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// limitCase is params, facts and limits that are accepted as they are, each at its
// boundary: EV is half the face value of 1000 wei, less a little.
func limitCase() (Limits, *TicketParams, Facts, int) {
	params := testParams()
	params.FaceValue = big.NewInt(1000)
	params.WinProb = new(big.Int).Quo(maxWinProb(), big.NewInt(5)) // 2^256-1 is divisible by 5
	const n = 7
	return Limits{MaxEV: big.NewRat(200, 1), MaxTotalEV: big.NewRat(n*200, 1), DepositMultiplier: 3},
		params,
		Facts{
			LastSeenL1Block:            big.NewInt(1038),
			LastInitializedRound:       big.NewInt(10),
			LastInitializedL1BlockHash: [32]byte{0xcc},
			Sender: &SenderInfo{
				Deposit:       big.NewInt(3000),
				WithdrawRound: big.NewInt(12),
				Reserve:       &ReserveInfo{FundsRemaining: big.NewInt(1)},
			},
		}, n
}

func TestLimitsAtTheirBoundaries(t *testing.T) {
	type args struct {
		l *Limits
		p *TicketParams
		f *Facts
		n *int
	}
	is := func(target error) func(error) bool { return func(err error) bool { return errors.Is(err, target) } }
	sender := func(target error) func(error) bool {
		return func(err error) bool {
			var senderErr ErrSenderValidation
			return errors.As(err, &senderErr) && errors.Is(err, target)
		}
	}
	for _, c := range []struct {
		name   string
		change func(a args)
		// refused checks for the right error; nil means accepted.
		refused func(error) bool
	}{
		{"every value at its boundary", func(a args) {}, nil},
		{"no params", func(a args) { *a.p = TicketParams{} }, is(ErrNoExpirationBlock)},
		{"no tickets", func(a args) { *a.n = 0 }, is(ErrTicketCount)},
		{"negative count", func(a args) { *a.n = -1 }, is(ErrTicketCount)},
		{"wide number", func(a args) { a.p.Seed.Lsh(big.NewInt(1), 256) }, func(err error) bool {
			var e *FieldError
			return errors.As(err, &e) && e.Field == "seed"
		}},
		{"expiration block 0", func(a args) { a.p.ExpirationBlock.SetInt64(0) }, is(ErrNoExpirationBlock)},
		{"expires next block", func(a args) { a.f.LastSeenL1Block.SetInt64(1039) }, is(ErrTicketParamsExpired)},
		{"expired", func(a args) { a.f.LastSeenL1Block.SetInt64(2000) }, is(ErrTicketParamsExpired)},
		{"expired beyond 64 bits", func(a args) { a.f.LastSeenL1Block.Lsh(big.NewInt(1), 65) }, is(ErrTicketParamsExpired)},
		{"block not known", func(a args) { a.f.LastSeenL1Block = nil }, func(err error) bool { return err != nil }},
		{"always wins", func(a args) { a.p.WinProb = maxWinProb() }, is(ErrEVNotBelowFaceValue)},
		{"almost always wins", func(a args) {
			a.p.WinProb = new(big.Int).Sub(maxWinProb(), big.NewInt(1))
			a.l.MaxEV, a.l.MaxTotalEV = nil, nil
		}, nil},
		{"EV 0 needs no more", func(a args) {
			a.p.WinProb.SetInt64(0)
			a.f.Sender, a.l.MaxEV, a.l.MaxTotalEV = nil, new(big.Rat), new(big.Rat)
		}, nil},
		{"EV above the limit", func(a args) { a.p.WinProb.Add(a.p.WinProb, big.NewInt(1)) }, func(err error) bool {
			var e *MaxEVError
			return errors.As(err, &e) && e.Limit.Cmp(big.NewRat(200, 1)) == 0 && e.EV.Cmp(e.Limit) > 0
		}},
		{"EV limit off", func(a args) {
			a.p.WinProb.Add(a.p.WinProb, big.NewInt(1))
			a.l.MaxEV, a.l.MaxTotalEV = nil, nil
		}, nil},
		{"one ticket too many", func(a args) { *a.n++ }, func(err error) bool {
			var e *MaxTotalEVError
			return errors.As(err, &e) && e.Count == 8 && e.TotalEV.Cmp(big.NewRat(1600, 1)) == 0 && e.Limit.Cmp(big.NewRat(1400, 1)) == 0
		}},
		{"total EV limit off", func(a args) { *a.n, a.l.MaxTotalEV = math.MaxInt32, nil }, nil},
		{"withdraw in the next round", func(a args) { a.f.Sender.WithdrawRound.SetInt64(11) }, sender(ErrSenderUnlocking)},
		{"withdraw round passed", func(a args) { a.f.Sender.WithdrawRound.SetInt64(1) }, sender(ErrSenderUnlocking)},
		// The low 64 bits of this round are 0, as if there were no unlock.
		{"withdraw round beyond 64 bits", func(a args) { a.f.Sender.WithdrawRound.Lsh(big.NewInt(1), 64) }, nil},
		{"withdraw round of 2^64, a later round", func(a args) {
			a.f.Sender.WithdrawRound.Lsh(big.NewInt(1), 64)
			a.f.LastInitializedRound = new(big.Int).Lsh(big.NewInt(1), 64)
		}, sender(ErrSenderUnlocking)},
		{"unlocking, round not known", func(a args) { a.f.LastInitializedRound = nil }, sender(ErrSenderUnlocking)},
		{"no unlock", func(a args) { a.f.Sender.WithdrawRound.SetInt64(0) }, nil},
		{"no reserve", func(a args) { a.f.Sender.Reserve.FundsRemaining.SetInt64(0) }, sender(ErrNoReserve)},
		{"reserve missing", func(a args) { a.f.Sender.Reserve = nil }, sender(ErrNoReserve)},
		{"no deposit", func(a args) { a.f.Sender.Deposit.SetInt64(0) }, sender(ErrNoDeposit)},
		{"deposit missing", func(a args) { a.f.Sender.Deposit = nil }, sender(ErrNoDeposit)},
		{"sender not known", func(a args) { a.f.Sender = nil }, func(err error) bool {
			var senderErr ErrSenderValidation
			return errors.As(err, &senderErr)
		}},
		{"deposit one wei short", func(a args) { a.f.Sender.Deposit.SetInt64(2999) }, func(err error) bool {
			var e *FaceValueError
			return errors.As(err, &e) && e.FaceValue.Int64() == 1000 && e.Deposit.Int64() == 2999 && e.Multiplier == 3
		}},
		{"deposit multiplier off", func(a args) { a.f.Sender.Deposit.SetInt64(1); a.l.DepositMultiplier = 0 }, nil},
		// Several at once: the first check in the protocol's order fails.
		{"expired and above the limit", func(a args) {
			a.f.LastSeenL1Block.SetInt64(2000)
			a.l.MaxEV = big.NewRat(1, 1)
		}, is(ErrTicketParamsExpired)},
		{"above the limit and no funds", func(a args) { a.l.MaxEV, a.f.Sender.Deposit = big.NewRat(1, 1), new(big.Int) }, func(err error) bool {
			var e *MaxEVError
			return errors.As(err, &e)
		}},
		{"no funds and above the total", func(a args) { *a.n = 100; a.f.Sender.Deposit.SetInt64(0) }, sender(ErrNoDeposit)},
		{"above the total and deposit short", func(a args) { *a.n = 100; a.f.Sender.Deposit.SetInt64(2) }, func(err error) bool {
			var e *MaxTotalEVError
			return errors.As(err, &e)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			limits, params, facts, n := limitCase()
			c.change(args{&limits, params, &facts, &n})
			err := limits.Check(params, facts, n)
			if c.refused == nil && err != nil || c.refused != nil && !c.refused(err) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

func TestCheckParamsNeedsNoChain(t *testing.T) {
	limits, params, _, n := limitCase()
	if err := limits.CheckParams(params, n); err != nil {
		t.Errorf("refused: %v", err)
	}
	var total *MaxTotalEVError
	if err := limits.CheckParams(params, n+1); !errors.As(err, &total) {
		t.Errorf("error is %v, want *MaxTotalEVError", err)
	}
	limits.MaxEV = big.NewRat(199, 1)
	var ev *MaxEVError
	if err := limits.CheckParams(params, n); !errors.As(err, &ev) {
		t.Errorf("error is %v, want *MaxEVError", err)
	}
	params.ExpirationBlock = nil
	if err := limits.CheckParams(params, n); !errors.Is(err, ErrNoExpirationBlock) {
		t.Errorf("error is %v, want ErrNoExpirationBlock", err)
	}
	if limits.CheckParams(nil, n) == nil {
		t.Error("no params are accepted")
	}
}

func TestLimitErrorsTellWhatIsAllowed(t *testing.T) {
	for err, want := range map[error]string{
		&MaxEVError{big.NewRat(7, 2), big.NewRat(3, 1)}:          "ticket EV 3.500 wei is above the limit of 3 wei",
		&MaxTotalEVError{4, big.NewRat(14, 1), big.NewRat(3, 1)}: "total EV 14 wei of 4 tickets is above the limit of 3 wei",
		&FaceValueError{big.NewInt(9), big.NewInt(17), 2}:        "ticket face value 9 wei is above the limit of 8 wei: the deposit is 17 wei and must hold 2 face values",
		&NonceCapError{Used: 598, Asked: 3, Cap: 600}:            "has used 598 of 600 nonces and needs 3 more: fetch fresh ticket params",
	} {
		if !strings.HasSuffix(err.Error(), want) {
			t.Errorf("message is %q, want %q", err, want)
		}
	}
}

func TestDefaultLimitsAreTheNetworks(t *testing.T) {
	l := DefaultLimits()
	if l.MaxEV.RatString() != "3000000000000" || l.MaxTotalEV.RatString() != "20000000000000" || l.DepositMultiplier != 1 || l.NonceCap != 600 {
		t.Errorf("default limits are %+v", l)
	}
}

func TestFactsExpiration(t *testing.T) {
	_, params, facts, _ := limitCase()
	last := TicketExpirationParams{10, [32]byte{0xcc}}
	own := *params.ExpirationParams
	for _, c := range []struct {
		name   string
		params *TicketExpirationParams
		want   TicketExpirationParams
	}{
		{"its own", &own, own},
		{"none", nil, last},
		{"round 0", &TicketExpirationParams{0, [32]byte{1}}, last},
		{"no hash", &TicketExpirationParams{9, [32]byte{}}, last},
	} {
		params.ExpirationParams = c.params
		if got := facts.Expiration(params); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
	// A round without a block hash: the one before, if that has one.
	params.ExpirationParams = nil
	facts.LastInitializedL1BlockHash = [32]byte{}
	if got, want := facts.Expiration(params), (TicketExpirationParams{10, [32]byte{}}); got != want {
		t.Errorf("no hash at all: %v, want %v", got, want)
	}
	facts.PreLastInitializedL1BlockHash = [32]byte{0xbb}
	if got, want := facts.Expiration(params), (TicketExpirationParams{9, [32]byte{0xbb}}); got != want {
		t.Errorf("no hash for the last round: %v, want %v", got, want)
	}
	facts.LastInitializedL1BlockHash = [32]byte{0xcc}
	facts.LastInitializedRound = new(big.Int).Lsh(big.NewInt(1), 64)
	if got := facts.Expiration(params).CreationRound; got != 0 {
		t.Errorf("a round beyond 63 bits becomes %d, want 0", got)
	}
}

func TestTicketsFor(t *testing.T) {
	rat := func(s string) *big.Rat {
		r, ok := new(big.Rat).SetString(s)
		if !ok {
			t.Fatal(s)
		}
		return r
	}
	for _, c := range []struct {
		fee, credit, ev string
		want            uint64
	}{
		{"100", "0", "10", 10},
		{"101", "0", "10", 11},
		{"100", "1/3", "10", 10},
		{"100", "10", "10", 9},
		{"100", "100", "10", 0},
		{"100", "1000", "10", 0},
		{"0", "0", "10", 1},
		{"3", "3", "10", 1},
		{"3", "10", "10", 0},
		{"3", "99/10", "10", 1},
		{"-5", "0", "10", 1},
		{"10", "-10", "10", 2},
		{"1", "0", "1/3", 3},
		{"10/3", "0", "1/3", 10},
		{"18446744073709551615", "0", "1", math.MaxUint64},
	} {
		got, err := TicketsFor(rat(c.fee), rat(c.credit), rat(c.ev))
		if err != nil || got != c.want {
			t.Errorf("fee %s, credit %s, EV %s: %d tickets (%v), want %d", c.fee, c.credit, c.ev, got, err, c.want)
		}
	}
	if n, err := TicketsFor(nil, nil, rat("10")); err != nil || n != 1 {
		t.Errorf("without fee and credit: %d tickets (%v), want 1", n, err)
	}
	for _, c := range [][3]*big.Rat{
		{rat("1"), rat("0"), rat("0")},
		{rat("1"), rat("0"), rat("-1")},
		{rat("1"), rat("0"), nil},
		{rat("18446744073709551616"), rat("0"), rat("1")},
	} {
		if n, err := TicketsFor(c[0], c[1], c[2]); err == nil {
			t.Errorf("fee %v, credit %v, EV %v: %d tickets, want an error", c[0], c[1], c[2], n)
		}
	}
}

// TestTicketsForIsTheLeastNumber: n tickets cover what is due and n-1 do not.
func TestTicketsForIsTheLeastNumber(t *testing.T) {
	amount := func(t *rapid.T, name string, min int64) *big.Rat {
		return big.NewRat(rapid.Int64Range(min, 1e12).Draw(t, name), rapid.Int64Range(1, 1e6).Draw(t, name+" denominator"))
	}
	rapid.Check(t, func(t *rapid.T) {
		fee, credit, ev := amount(t, "fee", 0), amount(t, "credit", 0), amount(t, "EV", 1)
		n, err := TicketsFor(fee, credit, ev)
		if err != nil {
			t.Fatal(err)
		}
		due := fee
		if ev.Cmp(fee) > 0 {
			due = ev
		}
		covers := func(n uint64) bool {
			paid := new(big.Rat).Mul(ev, new(big.Rat).SetFrac(new(big.Int).SetUint64(n), big.NewInt(1)))
			return paid.Add(paid, credit).Cmp(due) >= 0
		}
		if !covers(n) || n > 0 && covers(n-1) {
			t.Fatalf("%d tickets of EV %v with credit %v for fee %v", n, ev, credit, fee)
		}
	})
}
