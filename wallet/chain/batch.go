package chain

import (
	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/internal/nodes"
)

// batch is reads of the network's contracts in one request.
type batch struct{ nodes.Batch }

// call appends a contract's view at the newest block.
func call[T any](b *batch, to common.Address, data []byte, unpack func([]byte) (T, error), into *T) {
	nodes.Call(&b.Batch, to, data, unpack, into, "latest")
}
