package cmd

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestAReplacedBlockFundsOnce: the chain replaces the block of a funding that was reported as done.
// Nodes may mine it again at any time, so that the same command sends no second one, and others
// name it as what they wait for. pmctl tx wait sends it again.
func TestAReplacedBlockFundsOnce(t *testing.T) {
	t.Parallel()
	notInShort(t)
	s := newShell(t, devnet.Config{})
	const line = "fund --deposit 1eth --yes"
	before := s.deposited()
	hash, _ := s.run(exitDone, line)["transaction_hash"].(string)
	require.NoError(t, s.net.Reorg(t.Context(), 1))
	require.Equal(t, before, s.deposited())

	_, found, _ := s.speak("doctor")
	found = strings.Join(strings.Fields(found), " ")
	require.Contains(t, found, "it was mined with nonce 0, which is unused now: its block was replaced, or the node is behind")
	require.Contains(t, found, "pmctl tx wait "+hash)

	said := s.refused(exitNotMined, line)
	require.Contains(t, said, "transaction "+hash+" does the same, and was mined with nonce 0, which is unused now: its block was replaced, or the node is behind: fund 1 ETH of deposit")
	require.Contains(t, said, "pmctl tx wait "+hash)
	require.Len(t, s.journal(), 1)

	said = s.refused(exitNotMined, "fund --deposit 2eth --yes --timeout 5s")
	require.Contains(t, said, "transaction "+hash+" with nonce 0, which moves 1 ETH (fund 1 ETH of deposit), must be mined again first: its block was replaced")
	require.Contains(t, said, "pmctl tx wait "+hash)

	_, found, _ = s.speak("doctor")
	found = strings.Join(strings.Fields(found), " ")
	require.Contains(t, found, "must be mined again first: its block was replaced")
	require.Contains(t, found, "pmctl tx wait "+hash)

	s.run(exitDone, "tx wait "+hash)
	other, _ := s.journal()[0]["transaction_hash"].(string)
	s.run(exitDone, "tx wait "+other)
	require.Equal(t, before.Add(before, eth(t, "3eth")), s.deposited())
	s.run(exitDone, line)
}

// TestAReplacedBlockOfARequest: a request ID names its funding for ever.
func TestAReplacedBlockOfARequest(t *testing.T) {
	t.Parallel()
	notInShort(t)
	s := newShell(t, devnet.Config{})
	const line = "fund --deposit 1eth --yes --request-id top-up"
	before := s.deposited()
	hash := s.run(exitDone, line)["transaction_hash"]
	require.NoError(t, s.net.Reorg(t.Context(), 1))
	require.Equal(t, before, s.deposited())
	require.Equal(t, hash, s.run(exitDone, line)["transaction_hash"])
	require.Equal(t, before.Add(before, eth(t, "1eth")), s.deposited())
}

// TestAReplacedBlockIsNotReplacedAgain: a transaction that the journal has as mined gets no other
// transaction, also where its block was replaced. Bump and cancel say so before they ask, and what
// is named as the way out works.
func TestAReplacedBlockIsNotReplacedAgain(t *testing.T) {
	t.Parallel()
	notInShort(t)
	s := newShell(t, devnet.Config{})
	before := s.deposited()
	hash, _ := s.run(exitDone, "fund --deposit 1eth --yes")["transaction_hash"].(string)
	require.NoError(t, s.net.SetAutomine(t.Context(), false))
	require.NoError(t, s.net.Reorg(t.Context(), 1))

	for _, verb := range []string{"bump", "cancel"} {
		said := s.refused(exitFailed, "tx "+verb+" "+hash+" --yes")
		require.Contains(t, said, "the transaction is no longer pending: it was mined with nonce 0, which is unused now: its block was replaced, or the node is behind")
		require.Contains(t, said, "pmctl tx wait "+hash)
		require.NotContains(t, said, "gas ")
	}
	said := s.refused(exitNotMined, "tx wait "+hash+" --timeout 2s")
	require.Contains(t, said, "it may be mined again")
	require.NotContains(t, said, "pmctl tx list shows it")
	require.Len(t, s.journal(), 1)

	require.NoError(t, s.net.SetAutomine(t.Context(), true))
	s.run(exitDone, "tx wait "+hash)
	require.Equal(t, before.Add(before, eth(t, "1eth")), s.deposited())
	require.Contains(t, s.refused(exitFailed, "tx bump "+hash+" --yes"), "the transaction is no longer pending: "+hash+" was mined in block")
}
