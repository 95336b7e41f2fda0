package history

import (
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// cachedLog is what is kept of an event.
type cachedLog struct {
	Address   common.Address `json:"address"`
	Topics    []common.Hash  `json:"topics"`
	Data      hexutil.Bytes  `json:"data"`
	Block     uint64         `json:"block"`
	BlockHash common.Hash    `json:"block_hash"`
	Time      int64          `json:"time"` // seconds since 1970
	Tx        common.Hash    `json:"tx"`
	Index     uint           `json:"index"`
}

func newCachedLog(l Log) cachedLog {
	return cachedLog{l.Address, l.Topics, l.Data, l.BlockNumber, l.BlockHash, l.Time.Unix(), l.TxHash, l.Index}
}

func (c cachedLog) log() Log {
	return Log{types.Log{
		Address: c.Address, Topics: c.Topics, Data: c.Data, BlockNumber: c.Block,
		BlockHash: c.BlockHash, TxHash: c.Tx, Index: c.Index,
	}, time.Unix(c.Time, 0).UTC()}
}
