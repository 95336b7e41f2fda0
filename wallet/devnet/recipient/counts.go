package recipient

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/devnet/runners"
	"github.com/pmctl/pmctl/wallet/store"
)

// Status is a recipient's counts since its start, as GET /status answers them, and the winners
// in its store, from earlier runs too.
type Status struct {
	// Address is the recipient's address on the chain.
	Address common.Address `json:"address"`
	// URL and PlainURL are the service URIs over TLS and without.
	URL      string `json:"url"`
	PlainURL string `json:"plain_url"`
	// Faults are the faults that are on.
	Faults []string `json:"faults"`
	// Held is how many requests a fault delays.
	Held int64 `json:"held"`
	// Params counts the requests for ticket params.
	Params RequestCounts `json:"params"`
	// Payments counts the payments that were delivered.
	Payments RequestCounts `json:"payments"`
	// Tickets counts all senders' tickets.
	Tickets TicketCounts `json:"tickets"`
	// Senders has the same counts for each sender, with its credit.
	Senders map[common.Address]SenderStatus `json:"senders"`
	// Sessions are those of the live runners, in the order in which they began.
	Sessions []runners.Session `json:"sessions"`
	// Winners are the tickets that won, in the order in which they are redeemed.
	Winners []WinnerStatus `json:"winners"`
	// Failures counts internal errors of the recipient, by their texts.
	Failures map[string]uint64 `json:"failures"`
}

// RequestCounts counts requests by their outcome.
type RequestCounts struct {
	Received uint64 `json:"received"`
	Accepted uint64 `json:"accepted"`
	// Refused counts by reason: a Reason, or the text sent to the client.
	Refused map[string]uint64 `json:"refused"`
}

// TicketCounts counts tickets by their outcome.
type TicketCounts struct {
	// Received is Accepted plus everything in Refused.
	Received uint64 `json:"received"`
	// Accepted tickets are valid, new, and can win.
	Accepted uint64 `json:"accepted"`
	// Refused counts by reason: a Reason, or the recipient's own text.
	Refused map[string]uint64 `json:"refused"`
	// Credited tickets count for their sender. An accepted ticket after a refused one of its
	// payment is not credited.
	Credited uint64 `json:"credited"`
	// Credit is the credited tickets' exact expected value in wei: an integer or a
	// fraction "a/b".
	Credit Rational `json:"credit"`
	// Won tickets won, whether accepted or refused as expired.
	Won uint64 `json:"won"`
	// Of the store's winners Queued wait to be redeemed. Redeemed are settled by a transaction
	// of this recipient, Settled without a known one: the tickets are used, or can never be
	// paid.
	Queued   uint64 `json:"queued"`
	Redeemed uint64 `json:"redeemed"`
	Settled  uint64 `json:"settled"`
	// RedeemedWei is the sum of the redeemed tickets' face values.
	RedeemedWei Rational `json:"redeemed_wei"`
}

// SenderStatus is the counts of one sender.
type SenderStatus struct {
	TicketCounts
	// Manifests is the sender's credit by manifest id, in wei.
	Manifests map[string]Rational `json:"manifests"`
}

// WinnerStatus is a winning ticket.
type WinnerStatus struct {
	// Ticket is the ticket's hash.
	Ticket      common.Hash    `json:"ticket"`
	Sender      common.Address `json:"sender"`
	SenderNonce uint32         `json:"sender_nonce"`
	FaceValue   Rational       `json:"face_value"`
	// ExpirationBlock is the L1 block from which the ticket can be redeemed.
	ExpirationBlock Rational `json:"expiration_block"`
	CreationRound   int64    `json:"creation_round"`
	// State is queued, redeemed, or settled, as in TicketCounts.
	State string `json:"state"`
	// Tx is the transaction that redeemed it.
	Tx *common.Hash `json:"tx,omitempty"`
}

// Rational is an exact amount; in JSON it is a string, "a" or "a/b".
type Rational = runners.Rational

func integer(n *big.Int) Rational {
	var r Rational
	if n != nil {
		r.SetInt(n)
	}
	return r
}

func (s *Status) addWinner(w *store.Winner) {
	out := WinnerStatus{
		Ticket:          w.Hash(),
		Sender:          w.Sender,
		SenderNonce:     w.SenderNonce,
		FaceValue:       integer(w.FaceValue),
		ExpirationBlock: integer(w.ParamsExpirationBlock),
		CreationRound:   w.CreationRound,
		State:           "queued",
	}
	switch {
	case w.SettledBy != (common.Hash{}):
		out.State, out.Tx = "redeemed", &w.SettledBy
	case w.Settled:
		out.State = "settled"
	}
	s.Winners = append(s.Winners, out)

	sender, seen := s.Senders[out.Sender]
	if !seen { // since the start
		sender = newSenderStatus()
	}
	for _, counts := range []*TicketCounts{&s.Tickets, &sender.TicketCounts} {
		switch out.State {
		case "queued":
			counts.Queued++
		case "settled":
			counts.Settled++
		case "redeemed":
			counts.Redeemed++
			counts.RedeemedWei.Add(&counts.RedeemedWei.Rat, &out.FaceValue.Rat)
		}
	}
	s.Senders[out.Sender] = sender
}
