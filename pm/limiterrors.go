package pm

import (
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
)

// ErrTicketCount is returned for a batch of less than one ticket.
var ErrTicketCount = errors.New("a batch has at least one ticket")

// ErrUnknownSession is returned for a session that was not started, or whose params have
// expired.
var ErrUnknownSession = errors.New("unknown session")

// MaxEVError is a ticket whose expected value is above the sender's limit.
type MaxEVError struct {
	// EV is the ticket's expected value, in wei.
	EV *big.Rat
	// Limit is the highest allowed value, in wei.
	Limit *big.Rat
}

func (e *MaxEVError) Error() string {
	return fmt.Sprintf("ticket EV %s is above the limit of %s", weiText(e.EV), weiText(e.Limit))
}

// MaxTotalEVError is a batch whose expected value is above the sender's limit.
type MaxTotalEVError struct {
	// Count is the number of tickets.
	Count int
	// TotalEV is their total expected value, in wei.
	TotalEV *big.Rat
	// Limit is the highest allowed value, in wei.
	Limit *big.Rat
}

func (e *MaxTotalEVError) Error() string {
	return fmt.Sprintf("total EV %s of %d tickets is above the limit of %s", weiText(e.TotalEV), e.Count, weiText(e.Limit))
}

// FaceValueError is a face value that is too high for the sender's deposit.
type FaceValueError struct {
	// FaceValue is what a winning ticket pays, in wei.
	FaceValue *big.Int
	// Deposit is the sender's deposit, in wei.
	Deposit *big.Int
	// Multiplier is how many face values the deposit must cover.
	Multiplier int
}

func (e *FaceValueError) Error() string {
	most := new(big.Int).Quo(num.OrZero(e.Deposit), big.NewInt(int64(max(1, e.Multiplier))))
	return fmt.Sprintf("ticket face value %v wei is above the limit of %v wei: the deposit is %v wei and must hold %d face values", e.FaceValue, most, e.Deposit, e.Multiplier)
}

// NonceCapError is a session without enough nonces left. Nothing was reserved. Fresh params
// from the recipient begin a new session.
type NonceCapError struct {
	// RecipientRandHash identifies the session.
	RecipientRandHash common.Hash
	// Used is how many nonces, counted from 1, are taken.
	Used uint32
	// Asked is how many more were requested.
	Asked uint64
	// Cap is the highest nonce allowed: the configured limit, or 2^32-1.
	Cap uint32
}

func (e *NonceCapError) Error() string {
	return fmt.Sprintf("session %v has used %d of %d nonces and needs %d more: fetch fresh ticket params", e.RecipientRandHash, e.Used, e.Cap, e.Asked)
}
