package recipient

import (
	"maps"
	"math/big"
	"sync"

	"github.com/ethereum/go-ethereum/common"
)

// ledger counts requests and tickets, and keeps each sender's credit.
type ledger struct {
	mu       sync.Mutex
	params   RequestCounts
	payments RequestCounts
	tickets  TicketCounts
	senders  map[common.Address]*SenderStatus
	failures map[string]uint64
}

func newLedger() *ledger {
	return &ledger{
		params:   RequestCounts{Refused: map[string]uint64{}},
		payments: RequestCounts{Refused: map[string]uint64{}},
		tickets:  TicketCounts{Refused: map[string]uint64{}},
		senders:  map[common.Address]*SenderStatus{},
		failures: map[string]uint64{},
	}
}

// paramsAsked counts a request for params that ended with err.
func (l *ledger) paramsAsked(err error) { l.request(&l.params, err) }

// paymentMade counts a payment that ended with err.
func (l *ledger) paymentMade(err error) { l.request(&l.payments, err) }

func (l *ledger) request(counts *RequestCounts, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	counts.Received++
	if err == nil {
		counts.Accepted++
	} else {
		counts.Refused[reason(err)]++
	}
}

// ticket counts a ticket that was accepted, or refused with err.
func (l *ledger) ticket(sender common.Address, won bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, counts := range []*TicketCounts{&l.tickets, &l.sender(sender).TicketCounts} {
		counts.Received++
		if err == nil {
			counts.Accepted++
		} else {
			counts.Refused[reason(err)]++
		}
		if won {
			counts.Won++
		}
	}
}

// credit books an accepted ticket's expected value, in wei.
func (l *ledger) credit(sender common.Address, manifest string, ev *big.Rat) {
	l.mu.Lock()
	defer l.mu.Unlock()
	status := l.sender(sender)
	for _, counts := range []*TicketCounts{&l.tickets, &status.TicketCounts} {
		counts.Credited++
		counts.Credit.Rat = *new(big.Rat).Add(&counts.Credit.Rat, ev)
	}
	sum := status.Manifests[manifest]
	status.Manifests[manifest] = Rational{Rat: *new(big.Rat).Add(&sum.Rat, ev)}
}

// creditOf is what was booked for a sender's manifest, in wei.
func (l *ledger) creditOf(sender common.Address, manifest string) *big.Rat {
	l.mu.Lock()
	defer l.mu.Unlock()
	booked := new(big.Rat)
	if status := l.senders[sender]; status != nil {
		if sum, paid := status.Manifests[manifest]; paid {
			booked.Set(&sum.Rat)
		}
	}
	return booked
}

// fail counts an internal error of the recipient.
func (l *ledger) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.failures[err.Error()]++
}

// sender returns a sender's entry; the caller holds the lock.
func (l *ledger) sender(addr common.Address) *SenderStatus {
	status := l.senders[addr]
	if status == nil {
		fresh := newSenderStatus()
		status = &fresh
		l.senders[addr] = status
	}
	return status
}

func newSenderStatus() SenderStatus {
	return SenderStatus{
		TicketCounts: TicketCounts{Refused: map[string]uint64{}},
		Manifests:    map[string]Rational{},
	}
}

// status returns a copy of all counts.
func (l *ledger) status() Status {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := Status{
		Params:   l.params.clone(),
		Payments: l.payments.clone(),
		Tickets:  l.tickets.clone(),
		Senders:  make(map[common.Address]SenderStatus, len(l.senders)),
		Winners:  []WinnerStatus{},
		Failures: maps.Clone(l.failures),
	}
	for addr, status := range l.senders {
		out.Senders[addr] = SenderStatus{
			TicketCounts: status.clone(),
			Manifests:    maps.Clone(status.Manifests),
		}
	}
	return out
}

func (c RequestCounts) clone() RequestCounts {
	c.Refused = maps.Clone(c.Refused)
	return c
}

func (c TicketCounts) clone() TicketCounts {
	c.Refused = maps.Clone(c.Refused)
	return c
}
