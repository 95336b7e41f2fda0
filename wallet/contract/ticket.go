package contract

import (
	"math/big"

	"github.com/pmctl/pmctl/pm"
)

// NewTicket is a ticket as the TicketBroker takes it. An absent number is 0. The
// ticket's fields must fit, as its CheckFields tells.
func NewTicket(t *pm.Ticket) ITicketBrokerTicket {
	return ITicketBrokerTicket{
		Recipient:         t.Recipient,
		Sender:            t.Sender,
		FaceValue:         orZero(t.FaceValue),
		WinProb:           orZero(t.WinProb),
		SenderNonce:       new(big.Int).SetUint64(uint64(t.SenderNonce)),
		RecipientRandHash: t.RecipientRandHash,
		AuxData:           t.AuxData(),
	}
}

func orZero(v *big.Int) *big.Int {
	if v == nil {
		return new(big.Int)
	}
	return v
}
