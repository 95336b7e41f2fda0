// Package policy holds the user's limits on what recipients may ask for. Every path that signs
// tickets goes through Limits.Check.
package policy

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/big"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Limits are what the user allows recipients to ask for.
type Limits struct {
	// Limits are the protocol's own limits for senders.
	pm.Limits

	// MaxFaceValue is the most that one ticket may win; nil for no limit.
	MaxFaceValue *wei.Wei

	// Recipients are the only ones that may be paid; nil for any.
	Recipients []common.Address

	// InactiveOK allows recipients that are not in the active pool.
	InactiveOK bool

	// MaxGasPrice limits the price per unit of a transaction's gas, MaxFee its whole gas; nil for
	// no limit.
	MaxGasPrice, MaxFee *wei.Wei

	// MaxHeadAge is how old facts about the chain may be when tickets are created.
	MaxHeadAge time.Duration

	// budget limits the spending of a day.
	budget map[Setting]wei.Wei

	// places are where limits are set, other than the default ones.
	places map[Setting]place

	// whose names the process whose limits these are, unless it is this one.
	whose string
}

// Default returns the default limits: a ticket EV of 3000 gwei, 20000 gwei per batch, a deposit of
// one face value, any face value and recipient, facts up to 30 seconds old, any gas price, and 0.05
// ETH for a transaction's gas. Without that last limit, a node that reports absurd prices could
// make an account spend all of its ether.
func Default() Limits {
	maxFee := wei.FromUint64(50_000_000_000_000_000)
	return Limits{Limits: pm.DefaultLimits(), MaxFee: &maxFee, MaxHeadAge: 30 * time.Second}
}

// OrDefault returns limits without MaxEV and MaxFee, which are not decided, with the default value
// of each limit that is not set; other limits as they are. Without those two, one dishonest
// recipient or node could spend all that the account has.
func (l Limits) OrDefault() Limits {
	if l.MaxEV != nil || l.MaxFee != nil {
		return l
	}
	d := Default()
	l.MaxEV, l.MaxFee = d.MaxEV, d.MaxFee
	l.MaxTotalEV = cmp.Or(l.MaxTotalEV, d.MaxTotalEV)
	l.DepositMultiplier = cmp.Or(l.DepositMultiplier, d.DepositMultiplier)
	l.NonceCap = cmp.Or(l.NonceCap, d.NonceCap)
	l.MaxHeadAge = cmp.Or(l.MaxHeadAge, d.MaxHeadAge)
	return l
}

// Check checks whether n tickets may be created on params: pm.Limits.Check, after the user's
// recipients and face value. It returns a *Refusal, which wraps pm's error and ErrLimit, ErrFunds
// or ErrUnacceptable.
func (l Limits) Check(params *pm.TicketParams, facts pm.Facts, n uint64) error {
	return l.check(params, &facts, n)
}

// CheckParams makes the checks of Check that need no chain.
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
	// A count beyond the width of an int is refused by the nonces' width below.
	count := int(min(n, math.MaxInt))
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

// CheckTotal checks the total of a payment on several sets of params against the limit that Check
// applies to one set. It returns a *Refusal.
func (l Limits) CheckTotal(all Sum) error {
	if l.MaxTotalEV == nil || num.OrZero(all.EV).Cmp(l.MaxTotalEV) <= 0 {
		return nil
	}
	return l.Explain(&pm.MaxTotalEVError{
		Count: int(min(all.Tickets, math.MaxInt)), TotalEV: new(big.Rat).Set(all.EV), Limit: new(big.Rat).Set(l.MaxTotalEV),
	})
}

// CheckOffline returns a *Refusal if a binding limit needs the chain.
func (l Limits) CheckOffline() error {
	for _, c := range []struct {
		setting Setting
		needs   string
	}{
		{DepositMultiplier, fmt.Sprintf("the deposit must hold %s", words.Count(uint64(max(0, l.DepositMultiplier)), "face value"))},
		{MaxHeadAge, fmt.Sprintf("facts about the chain may be %s old", duration.Text(l.MaxHeadAge))},
	} {
		if l.places[c.setting].binding {
			return &Refusal{ErrLimit, errOffline, fmt.Sprintf("%v: %s (%s)", errOffline, c.needs, l.Where(c.setting)),
				"omit --offline, or " + l.allow(c.setting)}
		}
	}
	return nil
}

var errOffline = errors.New("a limit requires asking the chain")

// CheckCount returns *pm.NonceCapError for more tickets than a session allows. How many of them are
// left only the store can say.
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

// CheckRecipient returns ErrWrongRecipient for a recipient that is not one of Recipients.
func (l Limits) CheckRecipient(got common.Address) error {
	if l.Recipients == nil || slices.Contains(l.Recipients, got) {
		return nil
	}
	err := fmt.Errorf("the ticket params pay %v, which is none of the %d allowed recipients", got, len(l.Recipients))
	if len(l.Recipients) == 1 {
		err = fmt.Errorf("the ticket params pay %v, not %v", got, l.Recipients[0])
	}
	return hint.Kind(ErrWrongRecipient, err)
}

func (l Limits) checkFaceValue(faceValue *big.Int) error {
	if l.MaxFaceValue == nil || faceValue == nil || faceValue.Cmp(l.MaxFaceValue.Big()) <= 0 {
		return nil
	}
	return hint.Kind(ErrMaxFaceValue, fmt.Errorf("face value %s is above the limit of %s", amount(faceValue), *l.MaxFaceValue))
}

// CheckSender makes the checks of the sender alone, before there are params: funds, and no
// withdrawal coming up. It returns a *Refusal.
func CheckSender(facts pm.Facts) error {
	// The rules are pm's; these params pass all others.
	facts.LastSeenL1Block = new(big.Int)
	harmless := &pm.TicketParams{FaceValue: big.NewInt(2), WinProb: big.NewInt(1), ExpirationBlock: big.NewInt(2)}
	return Limits{}.Explain(pm.Limits{}.Check(harmless, facts, 1))
}

// The reasons of refusals that package pm does not make.
var (
	// ErrWrongRecipient is returned for params that pay another recipient than the allowed ones.
	ErrWrongRecipient = errors.New("the ticket params pay another recipient")

	// ErrMaxFaceValue is returned for a face value above the user's limit.
	ErrMaxFaceValue = errors.New("the face value is above the limit")
)

// The kinds of refusal, each with its own remedy.
var (
	// ErrLimit is a refusal by a limit that the user can change.
	ErrLimit = errors.New("refused by one of your limits")

	// ErrFunds is a refusal because the deposit or the reserve is too small.
	ErrFunds = errors.New("the deposit or reserve is too small")

	// ErrUnacceptable is a refusal of params that are expired, used up, malformed, or not allowed
	// by the protocol.
	ErrUnacceptable = errors.New("the ticket params cannot be used")
)
