package pm

import (
	"errors"
	"fmt"
	"math"
	"math/big"

	"github.com/pmctl/pmctl/internal/num"
)

// Limits are a sender's limits for the requirements of recipients.
type Limits struct {
	// MaxEV is the highest expected value of one ticket, in wei; nil is no limit.
	MaxEV *big.Rat

	// MaxTotalEV is the highest expected value of one batch, in wei; nil is no limit.
	MaxTotalEV *big.Rat

	// DepositMultiplier is how many face values the deposit must cover; 0 or less is no limit.
	DepositMultiplier int

	// NonceCap is how many tickets one set of params is used for; 0 is no limit.
	// Recipients accept 600.
	NonceCap uint32
}

// DefaultLimits returns the limits of the deployed network's senders: 3000 gwei per
// ticket, 20000 gwei per batch, a deposit of one face value; and 600 tickets per set of
// params, the most that recipients accept.
func DefaultLimits() Limits {
	const gwei = 1_000_000_000
	return Limits{
		MaxEV:             big.NewRat(3000*gwei, 1),
		MaxTotalEV:        big.NewRat(20000*gwei, 1),
		DepositMultiplier: 1,
		NonceCap:          maxSenderNonces,
	}
}

// maxSenderNonces is how many tickets a recipient accepts for one set of params.
const maxSenderNonces = 600

// Facts is the chain's data that a sender's checks need.
type Facts struct {
	// LastSeenL1Block is the newest L1 block number known.
	LastSeenL1Block *big.Int
	// LastInitializedRound is the number of the last initialized round.
	LastInitializedRound *big.Int
	// LastInitializedL1BlockHash is the L1 block hash recorded for that round.
	LastInitializedL1BlockHash [32]byte
	// PreLastInitializedL1BlockHash is the hash recorded for the round before.
	PreLastInitializedL1BlockHash [32]byte
	// Sender is the sender's data in the contract.
	Sender *SenderInfo
	// Counterparties has the data of the requested recipients.
	Counterparties map[Counterparty]CounterpartyFacts
}

// Expiration returns the round of tickets made from params: the params' own, or the last
// initialized round if they have none. If that round has no block hash it is the round
// before, as in recipients' own params.
func (f Facts) Expiration(params *TicketParams) TicketExpirationParams {
	if own := params.expirationParams(); own != nil && own.CreationRound != 0 && own.CreationRoundBlockHash != [32]byte{} {
		return *own
	}
	round, hash := num.OrZero(f.LastInitializedRound), f.LastInitializedL1BlockHash
	if hash == [32]byte{} && f.PreLastInitializedL1BlockHash != [32]byte{} {
		round, hash = new(big.Int).Sub(round, big.NewInt(1)), f.PreLastInitializedL1BlockHash
	}
	last := TicketExpirationParams{CreationRoundBlockHash: hash}
	if round.IsInt64() {
		last.CreationRound = round.Int64()
	}
	return last
}

// Check reports whether a sender may make n tickets from params. The checks and their
// order are the protocol's: the params expire after the next block; a ticket with no
// EV needs no more checks; EV is below the face value and at most MaxEV; the sender is not
// about to unlock and has funds; n · EV is at most MaxTotalEV; the deposit covers
// DepositMultiplier face values.
//
// It fails with *FieldError, ErrTicketCount, ErrNoExpirationBlock,
// ErrTicketParamsExpired, ErrEVNotBelowFaceValue, *MaxEVError, ErrSenderValidation,
// *MaxTotalEVError or *FaceValueError, and for nil params and facts without an L1 block.
func (l Limits) Check(params *TicketParams, facts Facts, n int) error {
	return l.check(params, &facts, n, func() (*SenderInfo, error) { return facts.Sender, nil })
}

// CheckParams is Check without the checks that need the chain.
func (l Limits) CheckParams(params *TicketParams, n int) error {
	return l.check(params, nil, n, nil)
}

// check makes all checks, or without facts those that need none. The sender's info
// is asked for only when its turn has come: it may cost a round trip.
func (l Limits) check(params *TicketParams, facts *Facts, n int, senderInfo func() (*SenderInfo, error)) error {
	if err := params.CheckFields(); err != nil {
		return err
	}
	if n < 1 {
		return fmt.Errorf("%w: %d", ErrTicketCount, n)
	}
	if err := checkExpiration(params, facts); err != nil {
		return err
	}
	ev := params.EV()
	if ev.Sign() <= 0 {
		return nil
	}
	if ev.Cmp(new(big.Rat).SetInt(params.FaceValue)) >= 0 {
		return fmt.Errorf("%w: EV %s, face value %v wei", ErrEVNotBelowFaceValue, weiText(ev), params.FaceValue)
	}
	if l.MaxEV != nil && ev.Cmp(l.MaxEV) > 0 {
		return &MaxEVError{EV: ev, Limit: copyRat(l.MaxEV)}
	}
	var info *SenderInfo
	if facts != nil {
		var err error
		if info, err = senderInfo(); err != nil {
			return ErrSenderValidation{fmt.Errorf("cannot read the sender's deposit and reserve: %w", err)}
		}
		if err := checkSender(info, facts.LastInitializedRound); err != nil {
			return ErrSenderValidation{err}
		}
	}
	total := num.Times(ev, uint64(n))
	if l.MaxTotalEV != nil && total.Cmp(l.MaxTotalEV) > 0 {
		return &MaxTotalEVError{Count: n, TotalEV: total, Limit: copyRat(l.MaxTotalEV)}
	}
	if info != nil && l.DepositMultiplier > 0 {
		needed := new(big.Int).Mul(params.FaceValue, big.NewInt(int64(l.DepositMultiplier)))
		if needed.Cmp(num.OrZero(info.Deposit)) > 0 {
			return &FaceValueError{FaceValue: copyInt(params.FaceValue), Deposit: new(big.Int).Set(num.OrZero(info.Deposit)), Multiplier: l.DepositMultiplier}
		}
	}
	return nil
}

func checkExpiration(params *TicketParams, facts *Facts) error {
	expiration := num.OrZero(params.ExpirationBlock)
	if expiration.Sign() == 0 {
		return ErrNoExpirationBlock
	}
	if facts == nil {
		return nil
	}
	if facts.LastSeenL1Block == nil {
		return errors.New("the last L1 block is not known")
	}
	if new(big.Int).Sub(expiration, facts.LastSeenL1Block).Cmp(big.NewInt(1)) <= 0 {
		return fmt.Errorf("%w: they expire at L1 block %v, the last one seen is %v; fetch fresh ticket params", ErrTicketParamsExpired, expiration, facts.LastSeenL1Block)
	}
	return nil
}

// checkSender fails unless the sender has a deposit and a reserve that stay locked.
func checkSender(info *SenderInfo, lastInitializedRound *big.Int) error {
	if info == nil {
		return errors.New("the sender's deposit and reserve are not known")
	}
	if err := checkUnlock(info, lastInitializedRound); err != nil {
		return err
	}
	noReserve := info.Reserve == nil || num.OrZero(info.Reserve.FundsRemaining).Sign() <= 0
	noDeposit := num.OrZero(info.Deposit).Sign() <= 0
	switch {
	case noReserve && noDeposit:
		return fmt.Errorf("%w, and %w", ErrNoReserve, ErrNoDeposit)
	case noReserve:
		return ErrNoReserve
	case noDeposit:
		return ErrNoDeposit
	}
	return nil
}

// checkUnlock fails with ErrSenderUnlocking if the sender can withdraw in the round
// after lastInitializedRound, or before.
func checkUnlock(info *SenderInfo, lastInitializedRound *big.Int) error {
	withdraw := num.OrZero(info.WithdrawRound)
	if withdraw.Sign() == 0 {
		return nil
	}
	next := new(big.Int).Add(num.OrZero(lastInitializedRound), big.NewInt(1))
	if lastInitializedRound == nil || withdraw.Cmp(next) <= 0 {
		return fmt.Errorf("%w: they can be withdrawn from round %v, the last initialized round is %v", ErrSenderUnlocking, withdraw, lastInitializedRound)
	}
	return nil
}

// ErrTooManyTickets is returned by TicketsFor for more tickets than a uint64 can count.
var ErrTooManyTickets = errors.New("too many tickets")

// TicketsFor is TicketsDue as a uint64. It fails if ev is not positive, and with ErrTooManyTickets
// if the result does not fit.
func TicketsFor(fee, credit, ev *big.Rat) (uint64, error) {
	n, err := TicketsDue(fee, credit, ev)
	if err != nil {
		return 0, err
	}
	if !n.IsUint64() {
		return 0, fmt.Errorf("%w: %v are needed, at most %d can be counted", ErrTooManyTickets, n, uint64(math.MaxUint64))
	}
	return n.Uint64(), nil
}

// TicketsDue returns how many tickets of expected value ev cover a fee, in wei, of
// which credit is already paid: ceil((max(fee, ev) - credit) / ev), and 0 if credit
// covers it. A payment is at least one ticket, so that credit is never below one.
// It fails if ev is not positive.
func TicketsDue(fee, credit, ev *big.Rat) (*big.Int, error) {
	if ev == nil || ev.Sign() <= 0 {
		return nil, errors.New("tickets without an expected value cover no fee")
	}
	due := ev
	if fee != nil && fee.Cmp(ev) > 0 {
		due = fee
	}
	if credit != nil {
		due = num.Sum(due, new(big.Rat).Neg(credit))
	}
	if due.Sign() <= 0 {
		return new(big.Int), nil
	}
	return num.CeilQuo(due, ev), nil
}
