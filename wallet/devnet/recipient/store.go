package recipient

import (
	"math/big"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
)

// activeFunc tells whether a recipient is in the active pool in a round.
type activeFunc func(recipient common.Address, round *big.Int) (bool, error)

// ticketStore keeps winning tickets in memory, oldest first. It is the
// pm.QueueStore of a recipient that nobody restarts.
type ticketStore struct {
	active activeFunc

	mu      sync.Mutex
	winners []*winner
}

// winner is a winning ticket and what became of it.
type winner struct {
	ticket   *pm.SignedTicket
	hash     common.Hash
	redeemed bool
	// tx redeemed it; zero when the ticket was settled without a transaction.
	tx common.Hash
}

var _ pm.QueueStore = (*ticketStore)(nil)

// StoreWinningTicket adds a ticket behind those already there. A ticket that is
// there stays as it is.
func (s *ticketStore) StoreWinningTicket(ticket *pm.SignedTicket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	hash := ticket.Hash()
	if s.find(hash) == nil {
		s.winners = append(s.winners, &winner{ticket: ticket, hash: hash})
	}
	return nil
}

// SelectEarliestWinningTicket returns the sender's ticket that has waited longest
// of those created in minCreationRound or later, nil when there is none.
func (s *ticketStore) SelectEarliestWinningTicket(sender common.Address, minCreationRound int64) (*pm.SignedTicket, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, w := range s.winners {
		if w.waits(sender, minCreationRound) {
			return w.ticket, nil
		}
	}
	return nil, nil
}

// WinningTicketCount returns how many of the sender's tickets, created in
// minCreationRound or later, wait to be redeemed.
func (s *ticketStore) WinningTicketCount(sender common.Address, minCreationRound int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	count := 0
	for _, w := range s.winners {
		if w.waits(sender, minCreationRound) {
			count++
		}
	}
	return count, nil
}

// MarkWinningTicketRedeemed records what settled a ticket.
func (s *ticketStore) MarkWinningTicketRedeemed(ticket *pm.SignedTicket, tx common.Hash) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.find(ticket.Hash()); w != nil {
		w.redeemed, w.tx = true, tx
	}
	return nil
}

// RemoveWinningTicket forgets a ticket.
func (s *ticketStore) RemoveWinningTicket(ticket *pm.SignedTicket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	hash := ticket.Hash()
	s.winners = slices.DeleteFunc(s.winners, func(w *winner) bool { return w.hash == hash })
	return nil
}

// WinningTicketSenders returns the senders of the tickets that wait.
func (s *ticketStore) WinningTicketSenders(minCreationRound int64) ([]common.Address, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var senders []common.Address
	for _, w := range s.winners {
		sender := w.ticket.Sender
		if w.waits(sender, minCreationRound) && !slices.Contains(senders, sender) {
			senders = append(senders, sender)
		}
	}
	return senders, nil
}

// RequeueWinningTicket puts a ticket behind all others.
func (s *ticketStore) RequeueWinningTicket(ticket *pm.SignedTicket) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if w := s.find(ticket.Hash()); w != nil {
		s.winners = slices.DeleteFunc(s.winners, func(other *winner) bool { return other == w })
		s.winners = append(s.winners, w)
	}
	return nil
}

// IsOrchActive tells whether a recipient is in the active pool in a round.
func (s *ticketStore) IsOrchActive(addr common.Address, round *big.Int) (bool, error) {
	return s.active(addr, round)
}

// all returns copies of everything stored.
func (s *ticketStore) all() []winner {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]winner, len(s.winners))
	for i, w := range s.winners {
		out[i] = *w
	}
	return out
}

func (s *ticketStore) find(hash common.Hash) *winner {
	for _, w := range s.winners {
		if w.hash == hash {
			return w
		}
	}
	return nil
}

func (w *winner) waits(sender common.Address, minCreationRound int64) bool {
	return !w.redeemed && w.ticket.Sender == sender && w.ticket.CreationRound >= minCreationRound
}
