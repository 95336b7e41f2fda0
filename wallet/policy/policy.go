// Package policy has the user's limits: what a recipient may ask for before pmctl
// signs anything for it. Every path that signs tickets goes through Limits.Check.
package policy

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Limits is what the user lets recipients ask for.
type Limits struct {
	// Limits are the protocol's own limits for senders.
	pm.Limits

	// MaxFaceValue is the most that one ticket may win; nil is no limit.
	MaxFaceValue *wei.Wei

	// Recipients are those who may be paid; nil is anybody.
	Recipients []common.Address

	// InactiveOK lets a recipient be paid that is not in the active pool.
	InactiveOK bool

	// MaxGasPrice is the most that a unit of a transaction's gas may cost, MaxFee the most
	// that all of it may; nil is no limit.
	MaxGasPrice, MaxFee *wei.Wei

	// MaxHeadAge is how old what is known of the chain may be when tickets are made.
	MaxHeadAge time.Duration

	// budget is what may be spent in a day.
	budget map[Setting]wei.Wei

	// places are where the limits are set, unless they are the defaults.
	places map[Setting]place

	// whose names the process that the limits are in, unless it is this one.
	whose string
}

// Default returns the limits that hold unless the user sets others: a ticket EV of
// 3000 gwei, 20000 gwei a batch, a deposit of one face value, any face value and any
// recipient; what the chain said up to 30 seconds ago; any gas price, and 0.05 ETH for the gas of a transaction. Without that last
// one a node that names absurd prices could have an account spend all it has.
func Default() Limits {
	maxFee := wei.FromUint64(50_000_000_000_000_000)
	return Limits{Limits: pm.DefaultLimits(), MaxFee: &maxFee, MaxHeadAge: 30 * time.Second}
}

// Check tells whether n tickets may be made from params. It is pm.Limits.Check with
// the user's pinned recipient and face value before it.
//
// It fails with a *Refusal, which wraps what pm found and ErrLimit, ErrFunds or
// ErrUnacceptable.
func (l Limits) Check(params *pm.TicketParams, facts pm.Facts, n uint64) error {
	return l.check(params, &facts, n)
}

// CheckParams makes those of Check's checks that need no chain: whatever fails here
// fails there.
func (l Limits) CheckParams(params *pm.TicketParams, n uint64) error {
	return l.check(params, nil, n)
}

func (l Limits) check(params *pm.TicketParams, facts *pm.Facts, n uint64) error {
	if err := params.CheckFields(); err != nil {
		return l.Explain(err)
	}
	if err := l.CheckRecipient(params.Recipient); err != nil {
		return l.Explain(err)
	}
	if facts != nil {
		if err := l.CheckCounterparty(params, *facts); err != nil {
			return err
		}
	}
	// More than fits an int is refused by the nonces' width below, whatever int holds.
	count := int(min(n, math.MaxInt32))
	var err error
	if facts == nil {
		err = l.Limits.CheckParams(params, count)
	} else {
		err = l.Limits.Check(params, *facts, count)
	}
	if err == nil {
		err = l.checkFaceValue(params.FaceValue)
	}
	if err == nil {
		err = l.CheckCount(params, n)
	}
	return l.Explain(err)
}

// CheckTotal tells whether all tickets of a payment may be made, where it takes the params
// of several: Check holds those of one to the same limit. It fails with a *Refusal.
func (l Limits) CheckTotal(all Sum) error {
	if l.MaxTotalEV == nil || num.OrZero(all.EV).Cmp(l.MaxTotalEV) <= 0 {
		return nil
	}
	return l.Explain(&pm.MaxTotalEVError{
		Count: int(min(all.Tickets, math.MaxInt32)), TotalEV: new(big.Rat).Set(all.EV), Limit: new(big.Rat).Set(l.MaxTotalEV),
	})
}

// CheckOffline fails with a *Refusal where a binding limit needs the chain: without asking
// it nothing can be held to that limit, and so no tickets are made.
func (l Limits) CheckOffline() error {
	for _, c := range []struct {
		setting Setting
		needs   string
	}{
		{DepositMultiplier, fmt.Sprintf("the deposit must hold %s", words.Count(uint64(max(0, l.DepositMultiplier)), "face value"))},
		{MaxHeadAge, fmt.Sprintf("what is known of the chain may be %v old", l.MaxHeadAge)},
	} {
		if l.places[c.setting].binding {
			return &Refusal{ErrLimit, errOffline, fmt.Sprintf("%v: %s (%s)", errOffline, c.needs, l.Where(c.setting)),
				"leave --offline out, or " + l.allow(c.setting)}
		}
	}
	return nil
}

// errOffline is what CheckOffline finds.
var errOffline = errors.New("tickets cannot be made without asking the chain")

// CheckCount fails with *pm.NonceCapError for more tickets than a whole session has.
// How many are left of it only the store knows.
func (l Limits) CheckCount(params *pm.TicketParams, n uint64) error {
	most := l.NonceCap
	if most == 0 || most > math.MaxInt32 {
		most = math.MaxInt32
	}
	if n <= uint64(most) {
		return nil
	}
	return &pm.NonceCapError{RecipientRandHash: params.RecipientRandHash, Asked: n, Cap: most}
}

// CheckRecipient fails with *WrongRecipientError when the user has said who may be paid
// and it is somebody else.
func (l Limits) CheckRecipient(got common.Address) error {
	if l.allows(got) {
		return nil
	}
	return &WrongRecipientError{Got: got, Want: l.Recipients}
}

func (l Limits) checkFaceValue(faceValue *big.Int) error {
	if l.MaxFaceValue == nil || faceValue == nil || faceValue.Cmp(l.MaxFaceValue.Big()) <= 0 {
		return nil
	}
	return &MaxFaceValueError{FaceValue: faceValue, Limit: *l.MaxFaceValue}
}

// CheckSender makes those checks that concern the sender alone, before any params are
// there: funds, and no withdrawal about to begin. It fails with a *Refusal.
func CheckSender(facts pm.Facts) error {
	// The rules are pm's; these params pass every other one.
	facts.LastSeenL1Block = new(big.Int)
	harmless := &pm.TicketParams{FaceValue: big.NewInt(2), WinProb: big.NewInt(1), ExpirationBlock: big.NewInt(2)}
	return Limits{}.Explain(pm.Limits{}.Check(harmless, facts, 1))
}

// WrongRecipientError is params that pay somebody else than the user said.
type WrongRecipientError struct {
	// Got is who the params pay.
	Got common.Address

	// Want are those who may be paid.
	Want []common.Address
}

func (e *WrongRecipientError) Error() string {
	if len(e.Want) == 1 {
		return fmt.Sprintf("the ticket params pay %v, not %v", e.Got, e.Want[0])
	}
	return fmt.Sprintf("the ticket params pay %v, who is none of the %d recipients that are allowed", e.Got, len(e.Want))
}

// MaxFaceValueError is a face value above the user's limit.
type MaxFaceValueError struct {
	// FaceValue is what a win pays, in wei.
	FaceValue *big.Int

	// Limit is the most that is allowed.
	Limit wei.Wei
}

func (e *MaxFaceValueError) Error() string {
	return fmt.Sprintf("face value %s is above the limit of %s", wei.Format(new(big.Rat).SetInt(e.FaceValue)), e.Limit)
}

// The kinds of refusal, which ask for different remedies.
var (
	// ErrLimit is a refusal by a limit that the user can set.
	ErrLimit = errors.New("refused by a limit of yours")

	// ErrFunds is a refusal for lack of a deposit or a reserve.
	ErrFunds = errors.New("the deposit or reserve is too small")

	// ErrUnacceptable is a refusal of params that nothing can make good: they have
	// expired, are used up or malformed, or the protocol does not allow them.
	ErrUnacceptable = errors.New("the ticket params cannot be used")
)
