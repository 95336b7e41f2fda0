package model

import (
	"encoding/json"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// filter is the argument of eth_getLogs.
type filter struct {
	BlockHash *common.Hash      `json:"blockHash"`
	FromBlock *hexutil.Uint64   `json:"fromBlock"`
	ToBlock   json.RawMessage   `json:"toBlock"`
	Address   json.RawMessage   `json:"address"`
	Topics    []json.RawMessage `json:"topics"`
}

// logs answers eth_getLogs.
func (n *node) logs(req rpcRequest) (any, error) {
	f, err := param[filter](req, 0)
	if err != nil {
		return nil, err
	}
	from, to := uint64(0), n.ledger.behind(n.lag).header.Number.Uint64()
	if f.FromBlock != nil {
		from = uint64(*f.FromBlock)
	}
	var number hexutil.Uint64
	if json.Unmarshal(f.ToBlock, &number) == nil {
		to = min(to, uint64(number))
	}
	if f.BlockHash != nil {
		b := n.byHash(*f.BlockHash)
		if b == nil {
			return nil, refused("unknown block")
		}
		from = b.header.Number.Uint64()
		to = from
	}
	found := []*types.Log{}
	for _, b := range n.ledger.blocks {
		if at := b.header.Number.Uint64(); at < from || at > to {
			continue
		}
		for _, tx := range b.txs {
			for _, log := range n.ledger.mined[tx.Hash()].Logs {
				if f.matches(log) {
					found = append(found, log)
				}
			}
		}
	}
	return found, nil
}

// byHash is a block of the node, nil if it has none.
func (n *node) byHash(hash common.Hash) *block {
	head := n.ledger.behind(n.lag).header.Number
	for _, b := range n.ledger.blocks {
		if b.header.Hash() == hash && b.header.Number.Cmp(head) <= 0 {
			return b
		}
	}
	return nil
}

func (f filter) matches(log *types.Log) bool {
	if len(f.Topics) > len(log.Topics) || !among(f.Address, log.Address) {
		return false
	}
	for i, wanted := range f.Topics {
		if !among(wanted, log.Topics[i]) {
			return false
		}
	}
	return true
}

// among reports whether a value is the wanted one, or one of several; null accepts any.
func among[T common.Address | common.Hash](wanted json.RawMessage, value T) bool {
	if len(wanted) == 0 || string(wanted) == "null" {
		return true
	}
	var list []T
	if json.Unmarshal(wanted, &list) == nil {
		return slices.Contains(list, value)
	}
	var one T
	return json.Unmarshal(wanted, &one) == nil && one == value
}
