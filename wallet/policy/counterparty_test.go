package policy

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
)

// TestOtherChains: whose chain it is shows in the block hash of the params' round, and
// params that name none show nothing.
func TestOtherChains(t *testing.T) {
	params, facts := goodParams(), goodFacts()
	params.ExpirationParams = &pm.TicketExpirationParams{CreationRound: 19, CreationRoundBlockHash: common.Hash{0x19}}
	for _, c := range []struct {
		name     string
		recorded common.Hash
		last     int64
		says     string // "" for the same chain
	}{
		{"same hash", common.Hash{0x19}, 20, ""},
		{"another hash", common.Hash{0x20}, 20, "your node has 0x2000"},
		{"no hash in a round that was initialized", common.Hash{}, 20, "your node has none"},
		{"a round that is not initialized here", common.Hash{}, 12, "or your node is behind: its ticket params are from round 19, your node's last initialized round is 12"},
	} {
		facts.LastInitializedRound = big.NewInt(c.last)
		facts.Counterparties = map[pm.Counterparty]pm.CounterpartyFacts{pm.CounterpartyOf(params): {Active: true, RoundHash: c.recorded}}
		err := Default().Check(params, *facts, 1)
		if c.says == "" {
			require.NoError(t, err, c.name)
			continue
		}
		require.ErrorIs(t, err, ErrUnacceptable, c.name)
		require.ErrorIs(t, err, ErrOtherChain, c.name)
		require.ErrorContains(t, err, c.says, c.name)
	}

	// The round of a zero block hash is none: the sender's own chain says which it is.
	params.ExpirationParams.CreationRoundBlockHash = common.Hash{}
	require.Equal(t, pm.Counterparty{Recipient: params.Recipient}, pm.CounterpartyOf(params))
	facts.Counterparties = map[pm.Counterparty]pm.CounterpartyFacts{pm.CounterpartyOf(params): {Active: true}}
	require.NoError(t, Default().Check(params, *facts, 1))
}
