package pm

import (
	"context"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
)

// TestZeroValues: what a program leaves out is an error, or is not needed.
func TestZeroValues(t *testing.T) {
	require.Equal(t, Counterparty{}, CounterpartyOf(nil))
	require.Zero(t, Facts{}.Expiration(nil).CreationRound)
	ticket := NewTicket(nil, nil, common.Address{7}, 1)
	require.Equal(t, common.Address{7}, ticket.Sender)
	require.Error(t, (*TicketParams)(nil).CheckFields())
	batch := TicketBatch{SenderParams: []*TicketSenderParams{nil}}
	require.Zero(t, batch.Tickets()[0].SenderNonce)
	require.False(t, new(BatchVerifier).Verify(1, make([]byte, sigBytes)))

	for _, err := range []error{ErrSenderValidation{}, FatalReceiveErr{}, &FaceValueError{}, &MaxEVError{}, &FieldError{}, &NonceCapError{}} {
		require.NotEmpty(t, err.Error())
	}
}

func TestAnOrderThatLacksSomethingIsAnError(t *testing.T) {
	params := &TicketParams{}
	for name, order := range map[string]*Order{"none": nil, "no Emit": {Params: params, Nonces: NonceRange{First: 1, Count: 1}}} {
		err := MintOrders(t.Context(), newTestSigner(t), func(context.Context) (*Order, error) { return order, nil })
		require.Error(t, err, name)
	}
	for _, count := range []uint32{1, firstTickets + 1} {
		require.Error(t, Mint(t.Context(), newTestSigner(t), params, nil, NonceRange{First: 1, Count: count}, nil))
	}
}

func TestAMonitorWithoutABrokerSaysSo(t *testing.T) {
	chain := newTestChain()
	monitor := NewSenderMonitor(nil, nil, chain, chain, nil)
	defer monitor.Stop()
	require.ErrorIs(t, monitor.checkRedeemable(t.Context(), &SignedTicket{Ticket: NewTicket(nil, nil, common.Address{}, 1)}), errNoMeans)
}
