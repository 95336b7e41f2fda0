package wallet

import (
	"fmt"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
)

// TestEventsAreTheBrokers: what another contract logs in the same transaction, in the
// same words, is not what the TicketBroker did.
func TestEventsAreTheBrokers(t *testing.T) {
	ticketBroker := common.Address{1}
	cancelled := contract.NewTicketBroker().GetABI().Events["UnlockCancelled"].ID
	log := &types.Log{Address: ticketBroker, Topics: []common.Hash{cancelled, common.BytesToHash([]byte{7})}}
	s := situation{status: &chain.Status{Contracts: chain.Contracts{TicketBroker: ticketBroker}}}
	receipt := &types.Receipt{TxHash: common.Hash{9}, Logs: []*types.Log{log}}
	result := Transaction{Hash: receipt.TxHash}
	require.NoError(t, reportEvents(contract.TicketBrokerUnlockCancelledEventName)(t.Context(), s, nil, receipt, &result))
	require.Len(t, result.Events, 1)

	log.Address = common.Address{2}
	result = Transaction{Hash: receipt.TxHash}
	err := reportEvents(contract.TicketBrokerUnlockCancelledEventName)(t.Context(), s, nil, receipt, &result)
	require.ErrorContains(t, err, "its receipt has no event of the TicketBroker")
	require.ErrorContains(t, err, "has no event of the TicketBroker at "+ticketBroker.Hex())
	require.Empty(t, result.Events)
}

// Scripts tell by its code an exit that others changed while it waited.
func TestTheCodeOfAChangedExit(t *testing.T) {
	require.Equal(t, Class("changed"), ClassOf(fmt.Errorf("then: %w", &ChangedError{})))
}
