package pm

import "github.com/ethereum/go-ethereum/common"

// TicketSenderParams are the fields that differ between the tickets of a batch.
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
	// Sender is the account whose deposit and reserve pay.
	Sender common.Address
	// SenderParams has one entry per ticket.
	SenderParams []*TicketSenderParams
}

// Tickets returns the tickets in the order of SenderParams, complete with the fields that are
// not hashed. They share no memory with the batch or with each other. A nil entry counts as one without
// a nonce, which no recipient accepts.
func (b *TicketBatch) Tickets() []*Ticket {
	tickets := make([]*Ticket, len(b.SenderParams))
	for i, sp := range b.SenderParams {
		if sp == nil {
			sp = new(TicketSenderParams)
		}
		tickets[i] = NewTicket(b.TicketParams, b.TicketExpirationParams, b.Sender, sp.SenderNonce)
	}
	return tickets
}
