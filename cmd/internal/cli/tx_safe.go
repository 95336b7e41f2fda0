package cli

import (
	"encoding/json"
	"strconv"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/format"
)

// OutputSafe is an unsigned transaction as the Transaction Builder of a Safe reads it.
const OutputSafe = "safe"

// safeBatch is the Transaction Builder's file, version 1.0, with one transaction. The
// Safe chooses nonce and gas itself.
type safeBatch struct {
	Version      string            `json:"version"`
	ChainID      string            `json:"chainId"`
	CreatedAt    int64             `json:"createdAt"` // in milliseconds since 1970
	Meta         safeMeta          `json:"meta"`
	Transactions []safeTransaction `json:"transactions"`
}

type safeMeta struct {
	Name        string         `json:"name"`
	Description string         `json:"description"`
	Safe        format.Address `json:"createdFromSafeAddress"`
}

// safeTransaction names no method: a Safe shows what data says, and signs that.
type safeTransaction struct {
	To     format.Address  `json:"to"`
	Value  string          `json:"value"` // in wei
	Data   string          `json:"data"`
	Method json.RawMessage `json:"contractMethod"`
	Inputs json.RawMessage `json:"contractInputsValues"`
}

// writeSafe writes a transaction for a Safe, which is the account that acts.
func writeSafe(r *Run, t *format.Transaction) error {
	null := json.RawMessage("null")
	encoder := json.NewEncoder(r.Out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(safeBatch{
		Version:   "1.0",
		ChainID:   strconv.FormatInt(int64(t.ChainID), 10),
		CreatedAt: r.Now().UnixMilli(),
		Meta:      safeMeta{Name: wallet.LabelText(t.Label), Description: "TicketBroker on " + t.Network, Safe: t.From},
		Transactions: []safeTransaction{{
			To: t.To, Value: t.Value.Decimal(), Data: hexutil.Encode(t.Data), Method: null, Inputs: null,
		}},
	})
}
