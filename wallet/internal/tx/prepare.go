package tx

import (
	"context"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Backend is the part of a node that sending needs; *chain.Client is one.
type Backend interface {
	ChainID() *big.Int
	Head(ctx context.Context) (chain.Head, error)
	UpToDate(head chain.Head) error
	Quote(ctx context.Context, call ethereum.CallMsg) (*chain.Quote, error)
	EstimateGasAsRich(ctx context.Context, msg ethereum.CallMsg) (uint64, error)
	CallContract(ctx context.Context, msg ethereum.CallMsg, block *big.Int) ([]byte, error)
	NonceAt(ctx context.Context, account common.Address) (uint64, error)
	Nonces(ctx context.Context, account common.Address) (used, pending uint64, err error)
	NonceUses(ctx context.Context, account common.Address, nonce uint64) []chain.NonceUse
	KnowsTransaction(ctx context.Context, hash common.Hash) (bool, error)
	SendTransaction(ctx context.Context, tx *types.Transaction) error
	TransactionReceipt(ctx context.Context, hash common.Hash) (*types.Receipt, error)
}

// Call is what a transaction does.
type Call struct {
	To    common.Address
	Value wei.Wei
	Data  []byte

	// Gas is the gas limit if the caller knows a better one than the node's estimate; 0 otherwise.
	Gas uint64
}

// Prepared is a call with its price, before it is signed.
type Prepared struct {
	Call
	From common.Address

	// GasLimit is the most gas that it may use.
	GasLimit uint64

	// FeeCap is the highest price per unit of gas, and TipCap the highest tip within it, in
	// wei. On a chain without a base fee both are the price.
	FeeCap, TipCap *big.Int

	// legacy is set on a chain without a base fee.
	legacy bool

	// MaxFee is the most that the gas can cost: GasLimit · FeeCap.
	MaxFee wei.Wei
}

// gasMargin is added to the estimate, as a fraction of it: the call may cost a little more by
// the time it is mined.
const gasMargin = 5

// typicalGas is a usual amount for the contracts' functions, to price a call that cannot be
// simulated.
const typicalGas = 150_000

// Prepare simulates a call, prices it and checks that the account can pay. It fails with
// *chain.StaleError if the node is behind, with *contract.RevertError if the contract would
// revert, with *InsufficientFundsError if the account cannot pay, with *PriceError if the gas
// costs more than the caps allow, and with the node's errors.
func Prepare(ctx context.Context, node Backend, from common.Address, call Call, caps Caps) (*Prepared, error) {
	quote, err := node.Quote(ctx, call.message(from))
	if err != nil {
		return nil, err
	}
	return PrepareQuoted(ctx, node, from, call, quote, caps)
}

// PrepareQuoted is Prepare with a node's quote for the same call.
func PrepareQuoted(ctx context.Context, node Backend, from common.Address, call Call, quote *chain.Quote, caps Caps) (*Prepared, error) {
	if err := node.UpToDate(quote.Head); err != nil {
		return nil, err
	}
	gas, notSimulated, err := simulate(ctx, node, call.message(from), quote)
	if err != nil {
		return nil, err
	}
	p := &Prepared{Call: call, From: from, GasLimit: withHeadroom(gas, quote.Head)}
	if call.Gas != 0 {
		p.GasLimit = call.Gas
	}
	if err := p.price(quote, caps); err != nil {
		return nil, err
	}
	if err := p.payable(quote.Balance); err != nil {
		return nil, err
	}
	if notSimulated != nil {
		return nil, notSimulated
	}
	return p, nil
}

// payable fails with *InsufficientFundsError if a balance does not cover the call.
func (p *Prepared) payable(held *big.Int) error {
	balance, err := wei.FromBig(held)
	if err != nil {
		return err
	}
	need, err := p.Value.Add(p.MaxFee)
	if err != nil {
		need = p.Value // which no balance reaches, even without the gas
	}
	missing, err := need.Sub(balance)
	if err != nil || missing.IsZero() {
		return nil // the balance is at least what is needed
	}
	return &InsufficientFundsError{Account: p.From, Have: balance, Need: need, Missing: missing, Value: p.Value, MaxFee: p.MaxFee}
}

// simulate returns the gas that a simulation of the call used. If the account cannot pay for
// the call, and the node cannot simulate it with a higher balance, the gas is a guess, and
// notSimulated has the node's error.
func simulate(ctx context.Context, node Backend, msg ethereum.CallMsg, quote *chain.Quote) (gas uint64, notSimulated, err error) {
	if quote.GasErr == nil || quote.Balance.Cmp(msg.Value) > 0 {
		return quote.Gas, nil, quote.GasErr
	}
	// The node answered that the account lacks funds before it ran the contract, and could not
	// quote the price.
	gas, err = node.EstimateGasAsRich(ctx, msg)
	if answered(err) {
		return typicalGas, quote.GasErr, nil
	}
	return gas, nil, err
}

// withHeadroom is the gas limit for an estimate. Unused gas costs nothing.
func withHeadroom(gas uint64, head chain.Head) uint64 {
	if head.OnL2() {
		// A part of it pays for L1, at a price that can double within minutes.
		return 2 * gas
	}
	return gas + gas/gasMargin
}

// message is the call as an account simulates it.
func (c Call) message(from common.Address) ethereum.CallMsg {
	return ethereum.CallMsg{From: from, To: &c.To, Value: c.Value.Big(), Data: c.Data}
}

// price sets the gas price, within the caps.
func (p *Prepared) price(quote *chain.Quote, caps Caps) error {
	asked, err := ask(quote)
	if err != nil {
		return err
	}
	if asked, err = caps.under(asked, p.GasLimit); err != nil {
		return err
	}
	return p.set(asked)
}

func (p *Prepared) set(asked prices) error {
	p.FeeCap, p.TipCap, p.legacy = asked.cap, asked.tip, asked.legacy
	feeCap, err := wei.FromBig(p.FeeCap)
	if err != nil {
		return err
	}
	p.MaxFee, err = feeCap.Mul(p.GasLimit)
	return err
}

// Legacy reports whether the chain has no base fee.
func (p *Prepared) Legacy() bool { return p.legacy }

// Transaction is the call as an unsigned transaction with its nonce.
func (p *Prepared) Transaction(chainID *big.Int, nonce uint64) *types.Transaction {
	if p.legacy {
		return types.NewTx(&types.LegacyTx{Nonce: nonce, GasPrice: p.FeeCap, Gas: p.GasLimit, To: &p.To, Value: p.Value.Big(), Data: p.Data})
	}
	return types.NewTx(&types.DynamicFeeTx{
		ChainID: chainID, Nonce: nonce, GasTipCap: p.TipCap, GasFeeCap: p.FeeCap,
		Gas: p.GasLimit, To: &p.To, Value: p.Value.Big(), Data: p.Data,
	})
}
