package pm

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
)

// TicketStore keeps winning tickets until they are redeemed. A ticket's key is its sender,
// recipientRandHash and senderNonce.
type TicketStore interface {
	// SelectEarliestWinningTicket returns the sender's earliest stored ticket that is not
	// redeemed and was created in minCreationRound or later; nil if there is none.
	SelectEarliestWinningTicket(sender common.Address, minCreationRound int64) (*SignedTicket, error)

	// RemoveWinningTicket deletes a ticket.
	RemoveWinningTicket(ticket *SignedTicket) error

	// StoreWinningTicket stores a ticket. A ticket that is already stored stays as it is.
	StoreWinningTicket(ticket *SignedTicket) error

	// MarkWinningTicketRedeemed records that a ticket is settled, by the transaction txHash or,
	// if that is zero, by an unknown one.
	MarkWinningTicketRedeemed(ticket *SignedTicket, txHash common.Hash) error

	// WinningTicketCount returns how many tickets SelectEarliestWinningTicket would return in
	// turn.
	WinningTicketCount(sender common.Address, minCreationRound int64) (int, error)

	// IsOrchActive reports whether the recipient addr is active in a round.
	IsOrchActive(addr common.Address, round *big.Int) (bool, error)
}

// QueueStore is a TicketStore that serves a SenderMonitor across restarts. A monitor uses these
// methods if its store has them.
type QueueStore interface {
	TicketStore

	// WinningTicketSenders returns the senders that WinningTicketCount is not 0 for.
	WinningTicketSenders(minCreationRound int64) ([]common.Address, error)

	// RequeueWinningTicket moves a ticket behind the sender's others, in one step, so that no
	// crash can lose it.
	RequeueWinningTicket(ticket *SignedTicket) error
}
