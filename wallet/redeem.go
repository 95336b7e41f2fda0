package wallet

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/redeem"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Redeem returns the action that redeems the winners among tickets: the contract pays them to their
// recipient. It fails with redeem.ErrNothing if there are none, redeem.ErrTooEarly,
// redeem.ErrNotWorthGas, and redeem.ErrPassedOver if the contract did not pay all of them.
func Redeem(tickets redeem.Tickets, policy redeem.Policy) Action {
	won := tickets.Left()
	hashes := make([]byte, 0, len(won)*common.HashLength)
	for _, t := range won {
		hashes = append(hashes, t.Hash().Bytes()...)
	}
	return Action{
		label: tx.RedeemLabel(len(won), crypto.Keccak256Hash(hashes)),
		plan: func(ctx context.Context, s situation) (proposal, error) {
			return proposeRedemption(ctx, s, tickets, policy)
		},
		report: func(ctx context.Context, s situation, mined *types.Transaction, receipt *types.Receipt, result *Transaction) error {
			left := tickets.Left()
			sent := left.Sent(mined.Data())
			if err := sent.Settle(s.status.Contracts.TicketBroker, receipt.Logs); err != nil {
				return err
			}
			left.Explain(ctx, s.client, s.account)
			result.Tickets = outcomes(tickets)
			return passedOver(sent)
		},
	}
}

func proposeRedemption(ctx context.Context, s situation, tickets redeem.Tickets, policy redeem.Policy) (proposal, error) {
	if err := tickets.Judge(ctx, s.client, s.account, policy); err != nil {
		return proposal{}, err
	}
	left := tickets.Left()
	if len(left) == 0 {
		return proposal{}, NothingToRedeem(tickets)
	}
	call, err := left.Call(s.status.Contracts.TicketBroker)
	if err != nil {
		return proposal{}, err
	}
	say, total, err := sayRedemption(s.account, tickets, left)
	return proposal{
		call: call,
		say:  say,
		ask:  fmt.Sprintf("Redeem %s for %s?", words.Count(len(left), "ticket"), total),
	}, err
}

// sayRedemption describes a redemption, and returns the sum it pays.
func sayRedemption(account common.Address, tickets, left redeem.Tickets) (say []string, total wei.Wei, err error) {
	if total, err = left.Pays(); err != nil {
		return nil, total, err
	}
	sender, recipient := left[0].Sender, left[0].Recipient
	if rest := summary(tickets); rest != "" {
		say = append(say, fmt.Sprintf("Not redeemed: %s.", rest))
	}
	say = append(say, fmt.Sprintf("This redeems %s of %s: it adds %s to the fees of %s.",
		words.Count(len(left), "ticket"), sender, total, recipient))
	worth, err := wei.FromBig(new(big.Int).Mul(num.OrZero(left[0].FaceValue), big.NewInt(int64(len(left)))))
	if err != nil {
		return nil, total, err
	}
	if total.Cmp(worth) < 0 {
		say = append(say, fmt.Sprintf("The sender's funds do not cover the face value of %s. The rest is lost: a ticket can be redeemed once.", worth))
	}
	if account != recipient {
		say = append(say, "Your account pays the gas and receives nothing, since it is not the recipient.")
	}
	return say, total, nil
}

// TicketOutcome is the result of redeeming a ticket.
type TicketOutcome struct {
	Nonce uint32      `json:"nonce"`
	Hash  common.Hash `json:"ticket_hash"`
	// Outcome is redeemed, lost, invalid, not_worth_gas, refused or passed_over.
	Outcome string `json:"outcome"`
	// Paid is what the contract paid; nil unless redeemed.
	Paid *wei.Wei `json:"paid,omitempty"`
	// Reason is why the ticket was not redeemed, in words.
	Reason string `json:"reason,omitempty"`
}

func outcomes(tickets redeem.Tickets) []TicketOutcome {
	list := make([]TicketOutcome, len(tickets))
	for i, t := range tickets {
		list[i] = TicketOutcome{Nonce: t.SenderNonce, Hash: t.Hash(), Outcome: outcomeOf(t)}
		if t.Redeemed {
			list[i].Paid = &t.Pays
		} else {
			list[i].Reason = t.Err.Error()
		}
	}
	return list
}

func outcomeOf(t *redeem.Ticket) string {
	switch {
	case t.Redeemed:
		return "redeemed"
	case errors.Is(t.Err, pm.ErrNotWinning):
		return "lost"
	case errors.Is(t.Err, redeem.ErrPassedOver):
		return "passed_over"
	case errors.Is(t.Err, redeem.ErrNotWorthGas):
		return "not_worth_gas"
	case errors.As(t.Err, new(*contract.RevertError)):
		return "refused"
	}
	return "invalid"
}

func summary(tickets redeem.Tickets) string {
	counts := make(map[string]int)
	var reasons []string
	for _, t := range tickets {
		if t.Err == nil {
			continue
		}
		reason := t.Err.Error()
		if counts[reason] == 0 {
			reasons = append(reasons, reason)
		}
		counts[reason]++
	}
	for i, reason := range reasons {
		reasons[i] = fmt.Sprintf("%d because %s", counts[reason], reason)
	}
	return strings.Join(reasons, ", ")
}

// NothingToRedeem returns the error of a batch without a ticket that can be redeemed. It matches
// redeem.ErrNothing and each ticket's error.
func NothingToRedeem(tickets redeem.Tickets) error {
	errs := make([]error, len(tickets))
	for i, t := range tickets {
		errs[i] = t.Err
	}
	return hint.Kind(errors.Join(errs...), fmt.Errorf("%w: %s", redeem.ErrNothing, summary(tickets)))
}

func passedOver(tickets redeem.Tickets) error {
	missed := slices.DeleteFunc(slices.Clone(tickets), func(t *redeem.Ticket) bool { return t.Redeemed })
	if len(missed) == 0 {
		return nil
	}
	return fmt.Errorf("%w: %d of %d were not redeemed: %s", redeem.ErrPassedOver, len(missed), len(tickets), summary(missed))
}
