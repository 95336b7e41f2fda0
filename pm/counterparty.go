package pm

import (
	"slices"

	"github.com/ethereum/go-ethereum/common"
)

// Counterparty is the recipient of ticket params, with the params' round.
type Counterparty struct {
	Recipient common.Address
	// Round is 0 for params without a round.
	Round int64
}

// CounterpartyFacts is a Counterparty's data in the contracts.
type CounterpartyFacts struct {
	// Active is set if the recipient is in the active pool. An inactive recipient refuses every
	// payment.
	Active bool

	// RoundHash is the L1 block hash recorded for the round; zero if the round is not
	// initialized or has none.
	RoundHash [32]byte
}

// CounterpartyOf returns the counterparty of ticket params; the zero one of nil. Params with a round
// but without its block hash have no round: see Facts.Expiration.
func CounterpartyOf(params *TicketParams) Counterparty {
	if params == nil {
		return Counterparty{}
	}
	c := Counterparty{Recipient: params.Recipient}
	if own := params.ExpirationParams; own != nil && own.CreationRoundBlockHash != [32]byte{} {
		c.Round = own.CreationRound
	}
	return c
}

// Knows reports whether the facts include all of these counterparties.
func (f Facts) Knows(about ...Counterparty) bool {
	return !slices.ContainsFunc(about, func(c Counterparty) bool {
		_, ok := f.Counterparties[c]
		return !ok
	})
}
