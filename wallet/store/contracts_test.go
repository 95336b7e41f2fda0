package store

import (
	"os"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
)

func contractsAt(controller, broker byte) chain.Contracts {
	return chain.Contracts{
		Controller: common.Address{controller}, TicketBroker: common.Address{broker},
		RoundsManager: common.Address{3}, BondingManager: common.Address{4}, ServiceRegistry: common.Address{5},
	}
}

func TestContractsArePinned(t *testing.T) { onEach(t, contractsArePinned) }

func contractsArePinned(t *testing.T, place place) {
	location := place(t)
	pinnedAt := func(chainID uint64, controller byte) (chain.Contracts, bool) {
		t.Helper()
		pinned, ok, err := PinnedContracts(t.Context(), location, chainID, common.Address{controller})
		require.NoError(t, err)
		return pinned, ok
	}
	_, ok := pinnedAt(testChain, 1)
	require.False(t, ok)
	if _, err := os.Stat(location); err == nil {
		t.Fatal("reading creates no store")
	}

	s := open(t, location)
	c := s.Chain(testChain)
	_, ok, err := c.Contracts(t.Context(), common.Address{1})
	require.NoError(t, err)
	require.False(t, ok)
	first, other := contractsAt(1, 2), contractsAt(1, 9)
	pinned, err := c.PinContracts(t.Context(), first)
	require.NoError(t, err)
	require.Equal(t, first, pinned)
	pinned, err = c.PinContracts(t.Context(), other)
	require.NoError(t, err)
	require.Equal(t, first, pinned, "the first pin stays")

	_, ok, err = s.Chain(1).Contracts(t.Context(), common.Address{1})
	require.NoError(t, err)
	require.False(t, ok, "the same controller on another chain is another network")
	_, ok, err = c.Contracts(t.Context(), common.Address{7})
	require.NoError(t, err)
	require.False(t, ok, "and so is another controller on the same chain")
	pinned, err = c.PinContracts(t.Context(), contractsAt(7, 8))
	require.NoError(t, err)
	require.Equal(t, contractsAt(7, 8), pinned)

	require.NoError(t, c.ReplaceContracts(t.Context(), other))
	require.NoError(t, s.Close())
	pinned, ok = pinnedAt(testChain, 1)
	require.True(t, ok)
	require.Equal(t, other, pinned)
	pinned, ok, err = open(t, location).Chain(testChain).Contracts(t.Context(), common.Address{1})
	require.NoError(t, err)
	require.True(t, ok)
	require.Equal(t, other, pinned)
}

func TestADamagedPinIsNoAddress(t *testing.T) { onEach(t, aDamagedPinIsNoAddress) }

func aDamagedPinIsNoAddress(t *testing.T, place place) {
	location := place(t)
	s := open(t, location)
	c := s.Chain(testChain)
	_, err := c.PinContracts(t.Context(), contractsAt(1, 2))
	require.NoError(t, err)
	// One letter in the other case: the checksum of an address shows the damage.
	change(t, s, `UPDATE contracts SET ticket_broker = lower(ticket_broker), bonding_manager = '0x04'`)
	_, _, err = c.Contracts(t.Context(), common.Address{1})
	require.ErrorIs(t, err, ErrDamaged)
	_, _, err = PinnedContracts(t.Context(), location, testChain, common.Address{1})
	require.ErrorIs(t, err, ErrDamaged)
}

// A store of an older version has no pins until it is opened.
func TestAnOlderStorePinsNothing(t *testing.T) { onEach(t, anOlderStorePinsNothing) }

func anOlderStorePinsNothing(t *testing.T, place place) {
	location := storeOf(t, place(t), "version1")
	_, ok, err := PinnedContracts(t.Context(), location, testChain, common.Address{1})
	require.NoError(t, err)
	require.False(t, ok)
	_, err = open(t, location).Chain(testChain).PinContracts(t.Context(), contractsAt(1, 2))
	require.NoError(t, err)
	_, ok, err = PinnedContracts(t.Context(), location, testChain, common.Address{1})
	require.NoError(t, err)
	require.True(t, ok)
}
