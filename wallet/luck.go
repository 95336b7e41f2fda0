package wallet

import (
	"fmt"
	"math/big"
	"time"

	"github.com/pmctl/pmctl/wallet/forecast"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Luck is what chance makes of the spending of a period.
type Luck struct {
	FaceValue wei.Wei `json:"face_value"`
	// TicketEV is nil if only the spending is known.
	*format.TicketEV
	Seconds int64 `json:"seconds"`
	// TotalEV is the expected value of the tickets of a period: what is spent on average.
	format.TotalEV
	*forecast.Luck
}

// Spending is a steady rate of tickets.
type Spending struct {
	FaceValue wei.Wei
	// TicketEV is the expected value of a ticket in wei; nil if it is not known.
	TicketEV *big.Rat
	// PerSecond is the expected value of the tickets of a second in wei. If it is nil,
	// TicketsPerSecond counts instead, and TicketEV must be known.
	PerSecond, TicketsPerSecond *big.Rat
	// DepositMultiplier is how many face values the deposit must cover before a ticket is created;
	// less than 1 counts as 1.
	DepositMultiplier uint64
}

// Luck returns the luck of a period. It returns forecast.ErrNeed.
func (s Spending) Luck(period time.Duration) (*Luck, error) {
	if s.TicketEV != nil && s.TicketEV.Sign() == 0 {
		return nil, fmt.Errorf("%w: the tickets are worth nothing", forecast.ErrNeed)
	}
	perSecond := s.PerSecond
	if perSecond == nil {
		if s.TicketsPerSecond == nil || s.TicketEV == nil {
			return nil, fmt.Errorf("%w: the rate of spending is not known", forecast.ErrNeed)
		}
		perSecond = new(big.Rat).Mul(s.TicketsPerSecond, s.TicketEV)
	}
	spend := new(big.Rat).Mul(perSecond, big.NewRat(int64(period), int64(time.Second)))
	of, err := forecast.NewLuck(spend, s.FaceValue, s.DepositMultiplier)
	if err != nil {
		return nil, err
	}
	l := &Luck{FaceValue: s.FaceValue, Seconds: int64(period.Seconds()), TotalEV: format.NewTotalEV(spend), Luck: of}
	if s.TicketEV != nil {
		ev := format.NewTicketEV(s.TicketEV)
		l.TicketEV = &ev
	}
	return l, nil
}
