package model

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/tracing"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/params"
	"github.com/holiman/uint256"
)

// ledger is a chain without a node: real transactions run the network's real contracts in
// go-ethereum's EVM, and every block keeps the state after it.
type ledger struct {
	core.ChainContext // for methods that the EVM does not call
	rules             *params.ChainConfig
	blocks            []*block
	mined             map[common.Hash]*types.Receipt
	sent              map[common.Hash]*types.Transaction
}

type block struct {
	header *types.Header
	state  *state.StateDB
	txs    []*types.Transaction
}

func newLedger(rules *params.ChainConfig, head *types.Header, after *state.StateDB) *ledger {
	return &ledger{
		rules:  rules,
		blocks: []*block{{header: head, state: after}},
		mined:  map[common.Hash]*types.Receipt{},
		sent:   map[common.Hash]*types.Transaction{},
	}
}

// tip is the newest block.
func (l *ledger) tip() *block { return l.blocks[len(l.blocks)-1] }

// behind is the newest block of a node that lags by some blocks.
func (l *ledger) behind(lag int) *block { return l.blocks[max(0, len(l.blocks)-1-lag)] }

// GetHeader implements core.ChainContext.
func (l *ledger) GetHeader(hash common.Hash, number uint64) *types.Header {
	for i := len(l.blocks) - 1; i >= 0; i-- {
		if h := l.blocks[i].header; h.Number.Uint64() == number && h.Hash() == hash {
			return h
		}
	}
	return nil
}

// Config implements core.ChainContext.
func (l *ledger) Config() *params.ChainConfig { return l.rules }

// child is the header of a block after another.
func (l *ledger) child(parent *types.Header, time uint64) *types.Header {
	return &types.Header{
		ParentHash:       parent.Hash(),
		Number:           new(big.Int).Add(parent.Number, big.NewInt(1)),
		Time:             max(time, parent.Time+1),
		GasLimit:         parent.GasLimit,
		BaseFee:          eip1559.CalcBaseFee(l.rules, parent),
		Difficulty:       new(big.Int),
		Coinbase:         parent.Coinbase,
		ExcessBlobGas:    new(uint64),
		BlobGasUsed:      new(uint64),
		WithdrawalsHash:  parent.WithdrawalsHash,
		ParentBeaconRoot: parent.ParentBeaconRoot,
	}
}

func (l *ledger) evm(header *types.Header, on *state.StateDB, config vm.Config) *vm.EVM {
	return vm.NewEVM(core.NewEVMBlockContext(header, l, &header.Coinbase), on, l.rules, config)
}

// mine makes a block of transactions, which must be valid in this order. setup, unless nil,
// changes the state first, as a call without a sender.
func (l *ledger) mine(header *types.Header, txs []*types.Transaction, setup func(*vm.EVM) error) error {
	b := &block{header: header, state: l.tip().state.Copy(), txs: txs}
	evm := l.evm(header, b.state, vm.Config{})
	if setup != nil {
		if err := setup(evm); err != nil {
			return err
		}
		b.state.Finalise(l.rules.Rules(header.Number, true, header.Time))
	}
	gas, logs := core.NewGasPool(header.GasLimit), uint(0)
	for i, tx := range txs {
		b.state.SetTxContext(tx.Hash(), i, uint32(i+1))
		receipt, _, err := core.ApplyTransaction(context.Background(), evm, gas, b.state, header, tx)
		if err != nil {
			return fmt.Errorf("transaction %d of block %v: %w", i, header.Number, err)
		}
		receipt.EffectiveGasPrice = new(big.Int).Add(header.BaseFee, tx.EffectiveGasTipValue(header.BaseFee))
		for _, log := range receipt.Logs {
			log.Index = logs // the state has counted them since the first block
			logs++
		}
		l.mined[tx.Hash()], l.sent[tx.Hash()] = receipt, tx
	}
	l.blocks = append(l.blocks, b)
	return nil
}

// message is a call as a node simulates it.
type message struct {
	from  common.Address
	to    *common.Address
	value *big.Int
	data  []byte
	gas   uint64
	rich  bool // the caller has enough ether
}

// call simulates a message on a block's state, without changing it.
func (l *ledger) call(at *block, m message) (*core.ExecutionResult, error) {
	before := at.state.Snapshot()
	defer at.state.RevertToSnapshot(before)
	if m.rich {
		at.state.SetBalance(m.from, new(uint256.Int).Lsh(uint256.NewInt(1), 200), tracing.BalanceChangeUnspecified)
	}
	value, _ := uint256.FromBig(m.value)
	msg := &core.Message{
		From: m.from, To: m.to, Value: value, Data: m.data, GasLimit: m.gas,
		GasPrice: new(uint256.Int), GasFeeCap: new(uint256.Int), GasTipCap: new(uint256.Int),
	}
	msg.SkipNonceCheck().SkipEOACheck()
	evm := l.evm(at.header, at.state, vm.Config{NoBaseFee: true})
	return core.ApplyMessage(evm, msg, core.NewGasPool(at.header.GasLimit))
}

// maxCallGas is the most gas of a simulated call.
const maxCallGas = 10_000_000

// estimate returns a message's gas; the result is that of a failed call.
func (l *ledger) estimate(at *block, m message) (uint64, *core.ExecutionResult, error) {
	m.gas = maxCallGas
	result, err := l.call(at, m)
	if err != nil || result.Failed() {
		return 0, result, err
	}
	low, high := result.UsedGas-1, uint64(maxCallGas)
	for m.gas = result.MaxUsedGas + params.CallStipend; low+1 < high; m.gas = (low + high) / 2 {
		result, err := l.call(at, m)
		if err != nil && !errors.Is(err, core.ErrIntrinsicGas) && !errors.Is(err, core.ErrFloorDataGas) {
			return 0, nil, err
		}
		if err == nil && !result.Failed() {
			high = m.gas
		} else {
			low = m.gas
		}
		if high-low < high/64 {
			break // close enough
		}
	}
	return high, nil, nil
}
