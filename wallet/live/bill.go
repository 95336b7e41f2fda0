package live

import (
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/pm"
)

// MaxTickets is how many tickets one payment may have.
const MaxTickets = 100

// Request asks for one payment.
type Request struct {
	// Orchestrator is OrchestratorInfo.address, the node's own key.
	Orchestrator common.Address

	// App and Type stay what they are for the whole session.
	App  string
	Type Type

	// InPixels is how many units to pay for where Type is Pixels.
	InPixels int64

	// Price is the orchestrator's now.
	Price Price

	// Ceilings are the most that it may be, beside the session's first price.
	Ceilings []Ceiling

	// TicketEV is what one ticket is worth, in wei.
	TicketEV *big.Rat

	// At is the time until which the payment pays.
	At time.Time
}

// Bill is what a payment comes to.
type Bill struct {
	// Billed is the time that is paid for; 0 for types that count no time.
	Billed time.Duration

	// Units cost Fee wei together, at Price, which is the session's first.
	Units int64
	Price Price
	Fee   *big.Rat

	// Tickets cover the fee, at least 1. Each is worth TicketEV wei.
	Tickets  uint32
	TicketEV *big.Rat

	// Balance is what remains for later payments, in wei.
	Balance *big.Rat
}

// Paid is what the tickets are worth together, in wei.
func (b *Bill) Paid() *big.Rat {
	return num.Times(num.OrZero(b.TicketEV), uint64(b.Tickets))
}

// Bill returns what the request comes to in a session; nil is a session without payments so
// far. It fails as Session.Accept does, and with ErrType, ErrNoUnits, ErrNoPrice,
// ErrInitialPrice, *PriceError, ErrNoTickets, *TooManyTicketsError or *ParamsError.
func (r Request) Bill(s *Session) (*Bill, error) {
	bill := &Bill{Price: r.Price, TicketEV: r.TicketEV}
	var last time.Time
	credit := new(big.Rat)
	if s != nil {
		if err := s.Accept(r); err != nil {
			return nil, err
		}
		last, credit = s.LastUpdate, num.OrZero(s.Balance)
		bill.Price = Price{s.InitialPricePerUnit, s.InitialPixelsPerUnit}
	}
	var err error
	if bill.Billed, bill.Units, err = r.Type.bill(last, r.At, r.InPixels); err != nil {
		return nil, err
	}
	switch {
	case !r.Price.IsPositive():
		return nil, ErrNoPrice
	case !bill.Price.IsPositive():
		return nil, ErrInitialPrice
	}
	ceilings := append(r.Ceilings[:len(r.Ceilings):len(r.Ceilings)], Ceiling{bill.Price.Rat(), InitialSession})
	if err := CheckPrice(r.Price.Rat(), ceilings...); err != nil {
		return nil, err
	}
	bill.Fee = new(big.Rat).Mul(bill.Price.Rat(), new(big.Rat).SetInt64(bill.Units))
	tickets, err := pm.TicketsDue(bill.Fee, credit, r.TicketEV)
	switch {
	case err != nil:
		return nil, &ParamsError{err}
	case tickets.Sign() == 0:
		return nil, ErrNoTickets
	case tickets.Cmp(big.NewInt(MaxTickets)) > 0:
		return nil, &TooManyTicketsError{tickets, bill.Fee}
	}
	bill.Tickets = uint32(tickets.Uint64())
	bill.Balance = num.Sum(num.Sum(credit, bill.Paid()), new(big.Rat).Neg(bill.Fee))
	return bill, nil
}
