package redeem

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Sent returns the tickets that a transaction's data of Call has. An earlier run may have sent it,
// without tickets that the contract would have refused, or that were not worth their gas. The
// others get an Err that matches ErrNotWorthGas.
func (ts Tickets) Sent(data []byte) Tickets {
	return slices.DeleteFunc(slices.Clone(ts), func(t *Ticket) bool {
		missing := !bytes.Contains(data, t.Sig) // which only this ticket has
		if missing {
			t.Err = fmt.Errorf("%w: it was not sent", ErrNotWorthGas)
		}
		return missing
	})
}

// Settle reads the results of the tickets from the logs of Call's transaction. Tickets that the
// contract did not redeem get an Err that matches ErrPassedOver.
func (ts Tickets) Settle(at common.Address, logs []*types.Log) error {
	for _, t := range ts {
		t.Err = ErrPassedOver
	}
	// A ticket's payment is in an event before the one that names the ticket; one that pays nothing
	// has no payment event.
	paid := new(big.Int)
	for _, log := range logs {
		if log.Address != at {
			continue
		}
		event, _ := broker.Decode(log) // other logs are ignored
		switch e := event.(type) {
		case *contract.TicketBrokerWinningTicketTransfer:
			paid = e.Amount
		case *contract.TicketBrokerWinningTicketRedeemed:
			if t := ts.named(e); t != nil {
				var err error
				if t.Pays, err = wei.FromBig(paid); err != nil {
					return err
				}
				t.Redeemed, t.Err = true, nil
			}
			paid = new(big.Int)
		}
	}
	return nil
}

func (ts Tickets) named(e *contract.TicketBrokerWinningTicketRedeemed) *Ticket {
	for _, t := range ts {
		if t.Sender == e.Sender && t.Recipient == e.Recipient && t.RecipientRand.Cmp(e.RecipientRand) == 0 &&
			e.SenderNonce.Cmp(new(big.Int).SetUint64(uint64(t.SenderNonce))) == 0 {
			return t
		}
	}
	return nil
}

// Explain asks the chain why it did not redeem tickets, as far as that can still be determined.
func (ts Tickets) Explain(ctx context.Context, node Node, from common.Address) {
	missed := slices.DeleteFunc(slices.Clone(ts), func(t *Ticket) bool { return t.Redeemed })
	if len(missed) == 0 {
		return
	}
	again := make(Tickets, len(missed))
	for i, t := range missed {
		again[i] = &Ticket{SignedTicket: t.SignedTicket}
	}
	if again.estimate(ctx, node, from) != nil {
		return
	}
	for i, t := range missed {
		var refused *contract.RevertError
		switch {
		case !errors.As(again[i].Err, &refused):
		case errors.Is(t.Err, ErrPassedOver):
			t.Err = fmt.Errorf("%w: %w", ErrPassedOver, refused)
		default:
			t.Err = refused
		}
	}
}
