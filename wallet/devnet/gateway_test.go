package devnet_test

import (
	"context"
	"math/big"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/contracts"
)

// deployedPool is the part of the deployed contract that a gateway of the deployed software
// reads when it starts.
const deployedPool = `[
 {"type":"function","name":"getTranscoder","stateMutability":"view","inputs":[{"name":"t","type":"address"}],"outputs":[
  {"name":"lastRewardRound","type":"uint256"},{"name":"rewardCut","type":"uint256"},{"name":"feeShare","type":"uint256"},
  {"name":"lastActiveStakeUpdateRound","type":"uint256"},{"name":"activationRound","type":"uint256"},{"name":"deactivationRound","type":"uint256"},
  {"name":"activeCumulativeRewards","type":"uint256"},{"name":"cumulativeRewards","type":"uint256"},{"name":"cumulativeFees","type":"uint256"},{"name":"lastFeeRound","type":"uint256"}]},
 {"type":"function","name":"getTranscoderEarningsPoolForRound","stateMutability":"view","inputs":[{"name":"t","type":"address"},{"name":"r","type":"uint256"}],"outputs":[
  {"name":"totalStake","type":"uint256"},{"name":"transcoderRewardCut","type":"uint256"},{"name":"transcoderFeeShare","type":"uint256"},
  {"name":"cumulativeRewardFactor","type":"uint256"},{"name":"cumulativeFeeFactor","type":"uint256"}]},
 {"type":"function","name":"transcoderStatus","stateMutability":"view","inputs":[{"name":"t","type":"address"}],"outputs":[{"name":"","type":"uint8"}]},
 {"type":"function","name":"transcoderTotalStake","stateMutability":"view","inputs":[{"name":"t","type":"address"}],"outputs":[{"name":"","type":"uint256"}]},
 {"type":"function","name":"isActiveTranscoder","stateMutability":"view","inputs":[{"name":"t","type":"address"}],"outputs":[{"name":"","type":"bool"}]},
 {"type":"function","name":"getFirstTranscoderInPool","stateMutability":"view","inputs":[],"outputs":[{"name":"","type":"address"}]},
 {"type":"function","name":"getNextTranscoderInPool","stateMutability":"view","inputs":[{"name":"t","type":"address"}],"outputs":[{"name":"","type":"address"}]},
 {"type":"function","name":"getTranscoderPoolMaxSize","stateMutability":"view","inputs":[],"outputs":[{"name":"","type":"uint256"}]},
 {"type":"function","name":"getTotalBonded","stateMutability":"view","inputs":[],"outputs":[{"name":"","type":"uint256"}]}
]`

// pool reads the pool as such a gateway does.
type pool struct {
	t   *testing.T
	w   *world
	abi abi.ABI
}

func (p *pool) ask(method string, args ...any) []any {
	p.t.Helper()
	data, err := p.abi.Pack(method, args...)
	require.NoError(p.t, err)
	to := p.w.net.Contracts()[contracts.BondingManager]
	answer, err := p.w.eth.CallContract(context.Background(), ethereum.CallMsg{To: &to, Data: data}, nil)
	require.NoError(p.t, err, method)
	values, err := p.abi.Unpack(method, answer)
	require.NoError(p.t, err, method)
	return values
}

func (p *pool) number(method string, args ...any) *big.Int {
	p.t.Helper()
	return p.ask(method, args...)[0].(*big.Int)
}

func TestAGatewayReadsThePool(t *testing.T) {
	w := newWorld(t, devnet.Config{Recipients: 2})
	parsed, err := abi.JSON(strings.NewReader(deployedPool))
	require.NoError(t, err)
	p := &pool{t, w, parsed}
	stake := big.NewInt(1e18)

	var found []common.Address
	for next := p.ask("getFirstTranscoderInPool")[0].(common.Address); next != (common.Address{}); next = p.ask("getNextTranscoderInPool", next)[0].(common.Address) {
		found = append(found, next)
	}
	require.Len(t, found, 2)
	require.Equal(t, big.NewInt(100), p.number("getTranscoderPoolMaxSize"))
	require.Equal(t, big.NewInt(2e18), p.number("getTotalBonded"))

	const activationRound, deactivationRound, cumulativeFees = 4, 5, 8
	first := found[0]
	info := p.ask("getTranscoder", first)
	require.Len(t, info, 10)
	require.Equal(t, big.NewInt(1), info[activationRound])
	require.Equal(t, abi.MaxUint256, info[deactivationRound])
	require.Zero(t, info[cumulativeFees].(*big.Int).Sign())
	require.Equal(t, []any{uint8(1)}, p.ask("transcoderStatus", first))
	require.Equal(t, stake, p.number("transcoderTotalStake", first))
	require.Equal(t, stake, p.number("getTranscoderEarningsPoolForRound", first, big.NewInt(1)))
	require.Zero(t, p.number("getTranscoderEarningsPoolForRound", first, new(big.Int)).Sign(), "a round before its first")

	// A recipient that leaves the pool is active until then; an unregistered one is not.
	require.NoError(t, w.net.NextRound(t.Context(), 1))
	require.NoError(t, w.net.DeactivateTranscoder(t.Context(), first))
	require.Equal(t, big.NewInt(2), p.ask("getTranscoder", first)[deactivationRound])
	require.Equal(t, stake, p.number("getTranscoderEarningsPoolForRound", first, big.NewInt(1)))
	require.Zero(t, p.number("getTranscoderEarningsPoolForRound", first, big.NewInt(2)).Sign())
	require.Equal(t, []any{uint8(1)}, p.ask("transcoderStatus", first), "it stays registered")
	require.NoError(t, w.net.AddTranscoder(t.Context(), first))
	require.Equal(t, big.NewInt(2), p.ask("getTranscoder", first)[activationRound])
	require.Equal(t, big.NewInt(2e18), p.number("getTotalBonded"), "it counts once")

	require.NoError(t, w.net.RemoveTranscoder(t.Context(), first))
	require.Equal(t, []any{uint8(0)}, p.ask("transcoderStatus", first))
	require.Zero(t, p.number("transcoderTotalStake", first).Sign())
	require.Equal(t, big.NewInt(1e18), p.number("getTotalBonded"))
}
