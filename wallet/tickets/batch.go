package tickets

import (
	"context"
	"io"
	"runtime"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/ordered"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/format"
)

// verifyChunk is neighbouring tickets that are checked together.
type verifyChunk struct {
	lines   format.TicketChunk
	tickets []pm.TicketSenderParams
	// sigs hold the signatures of lines.
	sigs []format.Sig
	// faults say what is wrong with each ticket, "" when nothing is.
	faults []string
	err    error
}

const (
	// verifyTickets is how many tickets are checked together, and verifyAhead how many
	// times that many are read ahead for each core.
	verifyTickets = 64
	verifyAhead   = 8
)

// tickets checks the signatures of a batch on all cores: those of the document, or those
// of the lines that follow it, as they are read. However many lines there are, only the
// bad ones take memory.
func (v *Verification) tickets(ctx context.Context, batch *pm.TicketBatch, lines *format.TicketLines, sender common.Address) error {
	check, err := newTicketChecker(batch, sender)
	if err != nil {
		return err
	}
	fill := func(_ context.Context, c *verifyChunk) error { return lines.Next(&c.lines, verifyTickets) }
	if lines == nil {
		rest := batch.SenderParams
		fill = func(_ context.Context, c *verifyChunk) error {
			if len(rest) == 0 {
				return io.EOF
			}
			c.tickets = c.tickets[:0]
			for _, ticket := range rest[:min(len(rest), verifyTickets)] {
				c.tickets = append(c.tickets, *ticket)
			}
			rest = rest[len(c.tickets):]
			return nil
		}
	}
	seen := make(map[uint32]bool)
	workers := min(runtime.NumCPU(), runtime.GOMAXPROCS(0))
	return ordered.Run(ctx, ordered.Job[verifyChunk]{
		Workers: workers,
		Depth:   verifyAhead * workers,
		Fill:    fill,
		NewWorker: func() func(context.Context, *verifyChunk) {
			// The first one has been made: this cannot fail.
			verifier, _ := pm.NewBatchVerifier(batch.TicketParams, batch.TicketExpirationParams, batch.Sender)
			return func(ctx context.Context, c *verifyChunk) {
				if c.err = nil; lines != nil {
					c.err = c.parse()
				}
				if c.err == nil {
					c.err = c.check(ctx, check, verifier)
				}
			}
		},
		Emit: func(c *verifyChunk) error {
			if c.err != nil {
				return c.err
			}
			for i, ticket := range c.tickets {
				fault := c.faults[i]
				if lines == nil { // the nonces of lines follow one another
					if fault == "" && seen[ticket.SenderNonce] {
						fault = "its nonce is there twice"
					}
					seen[ticket.SenderNonce] = true
				}
				v.count(check, ticket.SenderNonce, fault)
			}
			return nil
		},
	})
}

func (c *verifyChunk) parse() error {
	c.tickets, c.sigs = c.tickets[:0], c.sigs[:0]
	if cap(c.sigs) < verifyTickets {
		c.sigs = make([]format.Sig, 0, verifyTickets)
	}
	return c.lines.Each(func(t *format.Ticket) {
		c.sigs = append(c.sigs, t.Sig)
		c.tickets = append(c.tickets, pm.TicketSenderParams{SenderNonce: t.Nonce, Sig: c.sigs[len(c.sigs)-1][:]})
	})
}

func (c *verifyChunk) check(ctx context.Context, check *ticketChecker, verifier *pm.BatchVerifier) error {
	c.faults = c.faults[:0]
	for _, ticket := range c.tickets {
		if err := ctx.Err(); err != nil {
			return err
		}
		fault := ""
		if !check.ownSender || !verifier.Verify(ticket.SenderNonce, ticket.Sig) {
			fault = ticketFault(check.ticket(ticket.SenderNonce), ticket.Sig, check.sender)
		}
		c.faults = append(c.faults, fault)
	}
	return nil
}

func (v *Verification) count(check *ticketChecker, nonce uint32, fault string) {
	v.Tickets++
	if fault == "" {
		v.Valid++
		return
	}
	v.Bad = append(v.Bad, BadTicket{nonce, format.Hash(check.ticket(nonce).Hash()), fault})
}

// ticketChecker knows what a batch's tickets must be.
type ticketChecker struct {
	batch  *pm.TicketBatch
	sender common.Address
	// ownSender reports whether the batch names the sender who must have signed.
	ownSender bool
}

// newTicketChecker fails with *pm.FieldError for a batch that has no tickets' hashes.
func newTicketChecker(batch *pm.TicketBatch, sender common.Address) (*ticketChecker, error) {
	if _, err := pm.NewBatchVerifier(batch.TicketParams, batch.TicketExpirationParams, batch.Sender); err != nil {
		return nil, err
	}
	return &ticketChecker{batch, sender, batch.Sender == sender}, nil
}

func (c *ticketChecker) ticket(nonce uint32) *pm.Ticket {
	return pm.NewTicket(c.batch.TicketParams, c.batch.TicketExpirationParams, c.batch.Sender, nonce)
}
