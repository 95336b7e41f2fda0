package model

import (
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// tip is the nodes' suggestion, in wei per unit of gas.
const tip = 1_000_000

// pool is a node's, by nonce: one account sends.
type pool map[uint64]*types.Transaction

func (p pool) find(hash common.Hash) *types.Transaction {
	for _, tx := range p {
		if tx.Hash() == hash {
			return tx
		}
	}
	return nil
}

// put adds a transaction, which replaces another if it pays 10 % more.
func (p pool) put(tx *types.Transaction) error {
	if other := p[tx.Nonce()]; other != nil &&
		(!pays(tx.GasFeeCap(), other.GasFeeCap()) || !pays(tx.GasTipCap(), other.GasTipCap())) {
		return refused("replacement transaction underpriced")
	}
	p[tx.Nonce()] = tx
	return nil
}

func pays(price, other *big.Int) bool {
	least := new(big.Int).Mul(other, big.NewInt(110))
	return new(big.Int).Mul(price, big.NewInt(100)).Cmp(least) >= 0
}

// drop removes what has been mined.
func (p pool) drop(next uint64) {
	for nonce := range p {
		if nonce < next {
			delete(p, nonce)
		}
	}
}

// candidates are the transactions with a nonce that a block could include from any pool, the
// best paid first.
func candidates(nodes []*node, nonce uint64, header *types.Header) (list []*types.Transaction) {
	for _, n := range nodes {
		tx := n.pool[nonce]
		if tx == nil || tx.GasFeeCap().Cmp(header.BaseFee) < 0 {
			continue
		}
		if !slices.ContainsFunc(list, func(other *types.Transaction) bool { return other.Hash() == tx.Hash() }) {
			list = append(list, tx)
		}
	}
	slices.SortStableFunc(list, func(a, b *types.Transaction) int { return b.GasFeeCapCmp(a) })
	return list
}
