package pm

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
)

// TicketStore keeps winning tickets until they are redeemed. A ticket is known by
// its sender, recipientRandHash and senderNonce.
type TicketStore interface {
	// SelectEarliestWinningTicket returns the sender's ticket that was stored first,
	// is not redeemed, and was created in minCreationRound or later; nil when there
	// is none.
	SelectEarliestWinningTicket(sender common.Address, minCreationRound int64) (*SignedTicket, error)

	// RemoveWinningTicket forgets a ticket.
	RemoveWinningTicket(ticket *SignedTicket) error

	// StoreWinningTicket keeps a ticket. A ticket that is already kept stays as it
	// is.
	StoreWinningTicket(ticket *SignedTicket) error

	// MarkWinningTicketRedeemed records that a ticket is settled: by the transaction
	// txHash, or without one of its own when txHash is zero.
	MarkWinningTicketRedeemed(ticket *SignedTicket, txHash common.Hash) error

	// WinningTicketCount returns how many tickets SelectEarliestWinningTicket would
	// return one after the other.
	WinningTicketCount(sender common.Address, minCreationRound int64) (int, error)

	// IsOrchActive tells whether the recipient addr is active in a round.
	IsOrchActive(addr common.Address, round *big.Int) (bool, error)
}

// QueueStore is a TicketStore that serves a SenderMonitor over restarts. A monitor
// uses it where its store has it.
type QueueStore interface {
	TicketStore

	// WinningTicketSenders returns the senders that WinningTicketCount is not 0 for.
	WinningTicketSenders(minCreationRound int64) ([]common.Address, error)

	// RequeueWinningTicket puts a ticket behind the sender's others, in one step that
	// no crash can lose it in.
	RequeueWinningTicket(ticket *SignedTicket) error
}
