package pm

import "github.com/ethereum/go-ethereum/common"

// Counterparty is the recipient that ticket params pay, with the round that they name.
type Counterparty struct {
	Recipient common.Address

	// Round is 0 for params that name no round.
	Round int64
}

// CounterpartyFacts is what the chain says about a Counterparty.
type CounterpartyFacts struct {
	// Active tells whether the recipient is in the active pool. A recipient that is not
	// refuses every payment.
	Active bool

	// RoundHash is the L1 block hash recorded for the round; zero for a round that is not
	// initialized or that has none.
	RoundHash [32]byte
}

// CounterpartyOf returns the counterparty of ticket params. Params with a round but
// without its block hash name none: see Facts.Expiration.
func CounterpartyOf(params *TicketParams) Counterparty {
	c := Counterparty{Recipient: params.Recipient}
	if own := params.ExpirationParams; own != nil && own.CreationRoundBlockHash != [32]byte{} {
		c.Round = own.CreationRound
	}
	return c
}

// Knows tells whether the facts include all of these counterparties.
func (f Facts) Knows(about ...Counterparty) bool {
	for _, c := range about {
		if _, ok := f.Counterparties[c]; !ok {
			return false
		}
	}
	return true
}
