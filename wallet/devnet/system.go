package devnet

import (
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/accounts/abi"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet/contracts"
)

// Additional names of contracts. The broker is a proxy: its code is registered as brokerTarget,
// and the minter expects it as jobsManager, as on the deployed network.
const (
	jobsManager  = "JobsManager"
	brokerTarget = "TicketBrokerTarget"
)

// aiServiceRegistry is a second ServiceRegistry, for AI work. As on the deployed network the
// controller does not have it.
const aiServiceRegistry = chain.AIServiceRegistry

// ticketValidityPeriod is the deployed network's, in rounds.
const ticketValidityPeriod = 2

// ownerTip places the owner's transactions before others of their block, whatever those pay: a
// round must be initialized before them. othersTip is what recipients pay, from which the node
// derives its suggested price; it ignores the owner's.
const (
	ownerTip  = 10_000 * params.GWei
	othersTip = 2 * params.GWei
)

// deployGas and callGas limit the owner's transactions.
const (
	deployGas = 6_000_000
	callGas   = 500_000
)

// system is the deployed contracts, and their owner's key.
type system struct {
	node      *fullNode
	chainID   *big.Int
	key       *ecdsa.PrivateKey
	owner     common.Address
	artifacts *contracts.Artifacts
	addresses map[string]common.Address // as registered, and the controller
}

func newSystem(node *fullNode, chainID uint64, key *ecdsa.PrivateKey) (*system, error) {
	artifacts, err := contracts.Load()
	if err != nil {
		return nil, err
	}
	return &system{
		node:      node,
		chainID:   new(big.Int).SetUint64(chainID),
		key:       key,
		owner:     crypto.PubkeyToAddress(key.PublicKey),
		artifacts: artifacts,
		addresses: make(map[string]common.Address),
	}, nil
}

// deploy deploys the whole system in the chain's first block: it creates and registers the
// contracts, fills the pool with transcoders and initializes round 1.
func (s *system) deploy(ctx context.Context, cfg Config, l1Offset uint64, transcoders []common.Address) error {
	var txs []*types.Transaction
	var failed error
	add := func(tx *types.Transaction, err error) {
		txs, failed = append(txs, tx), errors.Join(failed, err)
	}
	create := func(name string, args ...any) common.Address {
		nonce := s.nonce()
		code, err := s.artifacts.Contracts[name].CreationCode(args...)
		if err == nil {
			var tx *types.Transaction
			tx, err = s.submit(s.key, nil, code, deployGas)
			add(tx, nil)
		}
		failed = errors.Join(failed, err)
		return crypto.CreateAddress(s.owner, nonce)
	}
	register := func(name string, address common.Address) {
		s.addresses[name] = address
		add(s.send(contracts.Controller, "setContractInfo", contractID(name), address, [20]byte{}))
	}

	controller := create(contracts.Controller)
	s.addresses[contracts.Controller] = controller
	register(contracts.Minter, create(contracts.Minter, controller))
	register(contracts.BondingManager, create(contracts.BondingManager, controller))
	register(contracts.ServiceRegistry, create(contracts.ServiceRegistry, controller))
	register(contracts.RoundsManager, create(contracts.RoundsManager, controller,
		new(big.Int).SetUint64(cfg.RoundLength), new(big.Int).SetUint64(l1Offset)))
	register(brokerTarget, create(contracts.TicketBroker, controller,
		new(big.Int).SetUint64(cfg.UnlockPeriod), big.NewInt(ticketValidityPeriod)))
	broker := create(contracts.ManagerProxy, controller, contractID(brokerTarget))
	register(contracts.TicketBroker, broker)
	register(jobsManager, broker)
	s.addresses[aiServiceRegistry] = create(contracts.ServiceRegistry, controller)
	for _, transcoder := range transcoders {
		add(s.send(contracts.BondingManager, "addTranscoder", transcoder))
	}
	add(s.send(contracts.RoundsManager, "initializeRound"))
	if failed != nil {
		return failed
	}
	if err := s.node.seal(); err != nil {
		return err
	}
	for _, tx := range txs {
		if err := s.succeeded(ctx, tx); err != nil {
			return fmt.Errorf("cannot deploy the contracts: %w", err)
		}
	}
	return nil
}

// contractID is the key of a name in the controller.
func contractID(name string) [32]byte {
	return crypto.Keccak256Hash([]byte(name))
}

// interfaceOf is the ABI of a registered name.
func (s *system) interfaceOf(name string) abi.ABI {
	if name == aiServiceRegistry {
		name = contracts.ServiceRegistry
	}
	return s.artifacts.Contracts[name].ABI
}

func (s *system) nonce() uint64 {
	return s.node.eth.TxPool().PoolNonce(s.owner)
}

// send puts a call by the owner into the pool.
func (s *system) send(contract, method string, args ...any) (*types.Transaction, error) {
	return s.sendAs(s.key, contract, method, args...)
}

// sendAs puts a call by any key into the pool.
func (s *system) sendAs(key *ecdsa.PrivateKey, contract, method string, args ...any) (*types.Transaction, error) {
	data, err := s.interfaceOf(contract).Pack(method, args...)
	if err != nil {
		return nil, err
	}
	to := s.addresses[contract]
	return s.submit(key, &to, data, callGas)
}

func (s *system) submit(key *ecdsa.PrivateKey, to *common.Address, data []byte, gas uint64) (*types.Transaction, error) {
	pool := s.node.eth.TxPool()
	tip := big.NewInt(othersTip)
	if key == s.key {
		tip = big.NewInt(ownerTip)
	}
	baseFee := s.node.eth.BlockChain().CurrentBlock().BaseFee
	feeCap := new(big.Int).Add(tip, new(big.Int).Mul(baseFee, big.NewInt(2)))
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(s.chainID), &types.DynamicFeeTx{
		ChainID:   s.chainID,
		Nonce:     pool.PoolNonce(crypto.PubkeyToAddress(key.PublicKey)),
		GasTipCap: tip,
		GasFeeCap: feeCap,
		Gas:       gas,
		To:        to,
		Data:      data,
	})
	if err != nil {
		return nil, err
	}
	if err := errors.Join(pool.Add([]*types.Transaction{tx}, true)...); err != nil {
		return nil, err
	}
	return tx, nil
}

// succeeded fails unless a transaction is in a block and did not revert.
func (s *system) succeeded(ctx context.Context, tx *types.Transaction) error {
	receipt, err := s.node.client.TransactionReceipt(ctx, tx.Hash())
	if err != nil {
		return fmt.Errorf("transaction %s: %w", tx.Hash(), err)
	}
	if receipt.Status == types.ReceiptStatusSuccessful {
		return nil
	}
	// The state is unchanged: the same call fails again, with its reason.
	_, err = s.node.client.CallContract(ctx, ethereum.CallMsg{From: s.owner, To: tx.To(), Data: tx.Data()}, nil)
	return fmt.Errorf("transaction %s reverted: %w", tx.Hash(), err)
}

// read calls a view with one result.
func read[T any](ctx context.Context, s *system, contract, method string) (T, error) {
	var none T
	contractABI := s.interfaceOf(contract)
	data, err := contractABI.Pack(method)
	if err != nil {
		return none, err
	}
	to := s.addresses[contract]
	answer, err := s.node.client.CallContract(ctx, ethereum.CallMsg{To: &to, Data: data}, nil)
	if err != nil {
		return none, fmt.Errorf("%s.%s: %w", contract, method, err)
	}
	values, err := contractABI.Unpack(method, answer)
	if err != nil {
		return none, fmt.Errorf("%s.%s: %w", contract, method, err)
	}
	value, ok := values[0].(T)
	if !ok {
		return none, fmt.Errorf("%s.%s returned %T, not %T", contract, method, values[0], none)
	}
	return value, nil
}
