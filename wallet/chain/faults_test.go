package chain_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/devnet"
)

// noHash answers that rounds have no block hash, as some on Arbitrum have none.
func noHash(rounds ...*big.Int) func(request) (*answer, error) {
	return func(req request) (*answer, error) {
		for _, round := range rounds {
			call := hexutil.Encode(contract.NewRoundsManager().PackBlockHashForRound(round))
			if req.Method == "eth_call" && strings.Contains(string(req.Params[0]), call) {
				return &answer{Result: common.Hash{}}, nil
			}
		}
		return nil, nil
	}
}

// TestFactsOfARoundWithoutHash: tickets use the previous round, but a sender that is about to
// unlock is still refused.
func TestFactsOfARoundWithoutHash(t *testing.T) {
	d, client := start(t, devnet.Config{UnlockPeriod: 1})
	require.NoError(t, d.NextRound(t.Context(), 2))
	acts, who := account(t, d, client, 0)
	real, err := client.Facts(t.Context(), who)
	require.NoError(t, err)
	last := real.LastInitializedRound
	before := new(big.Int).Sub(last, big.NewInt(1))

	tampered := dial(t, proxy(t, d, noHash(last)), network(d))
	facts, err := tampered.Facts(t.Context(), who)
	require.NoError(t, err)
	require.Equal(t, last, facts.LastInitializedRound)
	expiration := facts.Expiration(&pm.TicketParams{})
	require.Equal(t, before.Int64(), expiration.CreationRound)
	require.Equal(t, common.Hash(real.PreLastInitializedL1BlockHash), expiration.CreationRoundBlockHash)
	require.NotEqual(t, common.Hash{}, expiration.CreationRoundBlockHash)
	require.NotEqual(t, common.Hash(real.LastInitializedL1BlockHash), expiration.CreationRoundBlockHash)

	// Two in a row: there is no hash to use, and the facts say so.
	none := dial(t, proxy(t, d, noHash(last, before)), network(d))
	facts, err = none.Facts(t.Context(), who)
	require.NoError(t, err)
	expiration = facts.Expiration(&pm.TicketParams{})
	require.Equal(t, last.Int64(), expiration.CreationRound)
	require.Equal(t, common.Hash{}, expiration.CreationRoundBlockHash)

	// It can withdraw in the next round: refused, with a hash and without.
	broker, err := chain.NewBroker(t.Context(), client, acts)
	require.NoError(t, err)
	done(t, broker)(broker.FundDepositAndReserve(ether(t, "1eth"), ether(t, "1eth")))
	done(t, broker)(broker.Unlock())
	for _, c := range []*chain.Client{client, tampered} {
		facts, err = c.Facts(t.Context(), who)
		require.NoError(t, err)
		require.Equal(t, new(big.Int).Add(last, big.NewInt(1)), facts.Sender.WithdrawRound)
		params := &pm.TicketParams{
			Recipient: common.Address{1}, FaceValue: ether(t, "4000gwei"), WinProb: new(big.Int).Lsh(big.NewInt(1), 254),
			RecipientRandHash: common.Hash{1}, Seed: big.NewInt(1), PricePerPixel: big.NewRat(1, 1),
			ExpirationBlock: new(big.Int).Add(facts.LastSeenL1Block, big.NewInt(40)),
		}
		require.ErrorIs(t, pm.DefaultLimits().Check(params, facts, 1), pm.ErrSenderUnlocking)
	}
}

// TestReasons decodes the answers of a reverting contract.
func TestReasons(t *testing.T) {
	d, _ := start(t, devnet.Config{})
	const (
		paused = "0x08c379a00000000000000000000000000000000000000000000000000000000000000020" +
			"0000000000000000000000000000000000000000000000000000000000000010" +
			"73797374656d2069732070617573656400000000000000000000000000000000"
		overflow = "0x4e487b710000000000000000000000000000000000000000000000000000000000000011"
	)
	for name, c := range map[string]struct {
		said   nodeError
		reason string
		is     error
	}{
		"text":           {nodeError{3, "execution reverted: system is paused", paused}, "system is paused", contract.ErrPaused},
		"other code":     {nodeError{-32000, "execution reverted", paused}, "system is paused", contract.ErrPaused},
		"panic":          {nodeError{3, "execution reverted", overflow}, "arithmetic underflow or overflow", nil},
		"custom":         {nodeError{3, "execution reverted", "0xdeadbeef01"}, "custom error 0xdeadbeef", nil},
		"cut text":       {nodeError{3, "execution reverted", paused[:80]}, "custom error 0x08c379a0", nil},
		"nothing":        {nodeError{3, "execution reverted", "0x"}, "", nil},
		"no data":        {nodeError{3, "execution reverted", nil}, "", nil},
		"in the message": {nodeError{-32000, "execution reverted: account is locked", nil}, "account is locked", contract.ErrLocked},
		"two bytes":      {nodeError{3, "execution reverted", "0x0102"}, "0x0102", nil},
		"no hex":         {nodeError{3, "execution reverted: ticket is used", "Reverted"}, "ticket is used", pm.ErrTicketUsed},
	} {
		t.Run(name, func(t *testing.T) {
			client := dial(t, proxy(t, d, func(req request) (*answer, error) {
				return &answer{Error: &c.said}, nil
			}), network(d))
			_, err := client.CallContract(t.Context(), ethereum.CallMsg{}, nil)
			var revert *contract.RevertError
			require.ErrorAs(t, err, &revert)
			require.Contains(t, revert.Reason, c.reason)
			if c.reason == "" {
				require.Empty(t, revert.Reason)
			}
			for _, reason := range []error{contract.ErrPaused, contract.ErrLocked, contract.ErrNoFunds, pm.ErrTicketUsed} {
				require.Equal(t, c.is == reason, errors.Is(err, reason), reason)
			}
		})
	}

	// A node's own refusal is neither a revert nor a failed connection.
	client := dial(t, proxy(t, d, func(req request) (*answer, error) {
		return &answer{Error: &nodeError{Code: -32601, Message: "the method does not exist"}}, nil
	}), network(d))
	_, err := client.Status(t.Context(), common.Address{})
	require.ErrorContains(t, err, "the method does not exist")
	require.NotErrorIs(t, err, chain.ErrUnreachable)
	require.False(t, errors.As(err, new(*contract.RevertError)))
}

// TestCancelledShowsNoURL interrupts a request to a URL with a key in it.
func TestCancelledShowsNoURL(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	d, _ := start(t, devnet.Config{})
	url := proxy(t, d, func(req request) (*answer, error) {
		cancel()
		<-req.left // an answer sent before could arrive before the interruption
		return nil, errAway
	})
	_, err := dial(t, url+"/v2/verysecretkey", network(d)).Contracts(ctx)
	require.ErrorIs(t, err, context.Canceled)
	require.NotContains(t, err.Error(), "secret")
}

// TestWatcherFollowsAnotherHash: a round's hash changes within the round, as when its first
// block is replaced.
func TestWatcherFollowsAnotherHash(t *testing.T) {
	d, client := start(t, devnet.Config{RoundLength: 1000})
	facts, err := client.Facts(t.Context(), common.Address{})
	require.NoError(t, err)
	var replaced atomic.Bool
	missing := noHash(facts.LastInitializedRound)
	through := dial(t, proxy(t, d, func(req request) (*answer, error) {
		if !replaced.Load() {
			return nil, nil
		}
		return missing(req)
	}), network(d))
	watcher, err := chain.Watch(t.Context(), through, 10*time.Millisecond)
	require.NoError(t, err)
	defer watcher.Close()
	require.Equal(t, facts.LastInitializedL1BlockHash, watcher.LastInitializedL1BlockHash())
	blocks := make(chan *big.Int)
	defer watcher.SubscribeL1Blocks(blocks).Unsubscribe()
	replaced.Store(true)
	require.NoError(t, d.Mine(t.Context(), 1))
	receive(t, blocks)
	require.Equal(t, [32]byte{}, watcher.LastInitializedL1BlockHash())
}

// TestWatcherAfterALongAbsence loses the node while many blocks are mined, at a node that
// answers only for a few blocks at a time.
func TestWatcherAfterALongAbsence(t *testing.T) {
	if testing.Short() {
		t.Skip("mines thousands of blocks")
	}
	d, client := start(t, devnet.Config{RoundLength: 100_000})
	var away atomic.Bool
	const span = 2000
	through := dial(t, proxy(t, d, func(req request) (*answer, error) {
		if away.Load() {
			return nil, errAway
		}
		if req.Method == "eth_getLogs" {
			var filter struct{ FromBlock, ToBlock hexutil.Uint64 }
			if err := json.Unmarshal(req.Params[0], &filter); err != nil {
				return nil, err
			}
			if filter.ToBlock-filter.FromBlock >= span {
				return &answer{Error: &nodeError{Code: -32005, Message: "block range too large"}}, nil
			}
		}
		return nil, nil
	}), network(d))
	watcher, err := chain.Watch(t.Context(), through, 10*time.Millisecond)
	require.NoError(t, err)
	defer watcher.Close()
	changes := make(chan common.Address)
	defer watcher.SubscribeReserveChange(changes).Unsubscribe()
	acts, who := account(t, d, client, 0)
	info, err := watcher.GetSenderInfo(who)
	require.NoError(t, err)
	require.Zero(t, info.Deposit.Sign())

	away.Store(true)
	broker, err := chain.NewBroker(t.Context(), client, acts)
	require.NoError(t, err)
	done(t, broker)(broker.FundDeposit(ether(t, "1eth")))
	require.NoError(t, d.Mine(t.Context(), span+100))
	info, err = watcher.GetSenderInfo(who)
	require.NoError(t, err, "cached data needs no node")
	require.Zero(t, info.Deposit.Sign())
	away.Store(false)
	require.Equal(t, who, receive(t, changes))
	info, err = watcher.GetSenderInfo(who)
	require.NoError(t, err)
	require.Equal(t, ether(t, "1eth"), info.Deposit)
}
