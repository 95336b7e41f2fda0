package model

import (
	"context"
	"fmt"
	"math/big"
	"sync"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/devnet"
)

const (
	roundLength  = 8
	unlockPeriod = 1
)

// origin is the local network after the deployment of its contracts, from which every case
// begins.
type origin struct {
	rules     *params.ChainConfig
	contracts map[string]common.Address
	account   devnet.Account

	mu    sync.Mutex
	head  *types.Header
	state *state.StateDB
}

// newOrigin replays the transactions of a local network's deployment on a ledger. They must use
// the same gas.
func newOrigin(t *testing.T) *origin {
	t.Helper()
	d, err := devnet.Start(t.Context(), devnet.Config{Seed: "model", Accounts: 1, RoundLength: roundLength, UnlockPeriod: unlockPeriod})
	require.NoError(t, err)
	defer func() { require.NoError(t, d.Close()) }()
	o := &origin{contracts: d.Contracts(), account: d.Accounts()[0]}
	o.rules = rulesOf(d.ChainID())
	l, err := replay(t.Context(), d, o.rules)
	require.NoError(t, err)
	// The account has a deposit already.
	fund := func(evm *vm.EVM) error {
		_, _, err := evm.Call(o.account.Address, o.contracts["TicketBroker"], contract.NewTicketBroker().PackFundDeposit(),
			vm.NewGasBudget(maxCallGas, maxCallGas), uint256.NewInt(initialDeposit))
		return err
	}
	require.NoError(t, l.mine(l.child(l.tip().header, 0), nil, fund))
	o.head, o.state = l.tip().header, l.tip().state
	return o
}

// initialDeposit is the account's deposit in the broker at the beginning, in wei.
const initialDeposit = 500

// startRound initializes the round that a block begins, as the devnet does; nil if it begins
// none.
func (o *origin) startRound(header *types.Header) func(*vm.EVM) error {
	const firstBlock = 1
	if (header.Number.Uint64()-firstBlock)%roundLength != 0 {
		return nil
	}
	return func(evm *vm.EVM) error {
		data := crypto.Keccak256([]byte("initializeRound()"))[:4]
		_, _, err := evm.Call(common.Address{}, o.contracts["RoundsManager"], data, vm.NewGasBudget(maxCallGas, maxCallGas), new(uint256.Int))
		return err
	}
}

// rulesOf are the devnet's.
func rulesOf(chainID *big.Int) *params.ChainConfig {
	rules := *params.AllDevChainProtocolChanges
	rules.ChainID, rules.BogotaTime = chainID, nil
	return &rules
}

// replay runs the blocks of a devnet from its first on.
func replay(ctx context.Context, d *devnet.Devnet, rules *params.ChainConfig) (*ledger, error) {
	node := d.Client()
	genesis, err := node.HeaderByNumber(ctx, new(big.Int))
	if err != nil {
		return nil, err
	}
	st, err := state.New(types.EmptyRootHash, state.NewDatabaseForTesting())
	if err != nil {
		return nil, err
	}
	l := newLedger(rules, genesis, st)
	head, err := node.BlockNumber(ctx)
	if err != nil {
		return nil, err
	}
	for number := uint64(1); number <= head; number++ {
		b, err := node.BlockByNumber(ctx, new(big.Int).SetUint64(number))
		if err != nil {
			return nil, err
		}
		for _, tx := range b.Transactions() {
			from, err := types.Sender(types.LatestSigner(rules), tx)
			if err != nil {
				return nil, err
			}
			if number > 1 || st.GetBalance(from).Sign() > 0 {
				continue
			}
			balance, err := node.BalanceAt(ctx, from, new(big.Int))
			if err != nil {
				return nil, err
			}
			st.SetBalance(from, uint256.MustFromBig(balance), tracing.BalanceChangeUnspecified)
		}
		for _, account := range d.Accounts() {
			if number == 1 {
				st.SetBalance(account.Address, uint256.MustFromBig(d.Balance().Big()), tracing.BalanceChangeUnspecified)
			}
		}
		st.Finalise(rules.Rules(b.Number(), true, b.Time()))
		if err := l.mine(b.Header(), b.Transactions(), nil); err != nil {
			return nil, err
		}
		for _, tx := range b.Transactions() {
			var theirs map[string]any
			if err := node.Client().CallContext(ctx, &theirs, "eth_getTransactionReceipt", tx.Hash()); err != nil {
				return nil, err
			}
			ours := l.mined[tx.Hash()]
			if got, want := hexutil.EncodeUint64(ours.GasUsed), theirs["gasUsed"]; got != want {
				return nil, fmt.Errorf("block %d: transaction %s uses %s gas, but %v on the devnet", number, tx.Hash(), got, want)
			}
		}
	}
	return l, nil
}

// begin returns a new ledger that begins here.
func (o *origin) begin() *ledger {
	o.mu.Lock()
	defer o.mu.Unlock()
	return newLedger(o.rules, o.head, o.state.Copy())
}
