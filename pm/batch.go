package pm

import "github.com/ethereum/go-ethereum/common"

// TicketSenderParams is what differs between the tickets of a batch.
type TicketSenderParams struct {
	// SenderNonce is the ticket's nonce.
	SenderNonce uint32

	// Sig is the sender's 65-byte signature R‖S‖V over the ticket's hash.
	Sig []byte
}

// TicketBatch is tickets of one sender that share their params.
type TicketBatch struct {
	*TicketParams
	*TicketExpirationParams

	// Sender is whose deposit and reserve pay.
	Sender common.Address

	// SenderParams has one entry a ticket.
	SenderParams []*TicketSenderParams
}

// Tickets returns the tickets in the order of SenderParams, complete with what
// travels beside them. They share no memory with the batch or with each other.
func (b *TicketBatch) Tickets() []*Ticket {
	tickets := make([]*Ticket, len(b.SenderParams))
	for i, sp := range b.SenderParams {
		tickets[i] = NewTicket(b.TicketParams, b.TicketExpirationParams, b.Sender, sp.SenderNonce)
	}
	return tickets
}
