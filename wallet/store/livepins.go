package store

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const selectPinsIn = `SELECT recipient_url, recipient FROM recipients WHERE chain_id = $1 AND sender = $2 AND recipient_url`

// ErrPinned is returned for a payment to another address than the one that is pinned to the orchestrator's
// URL. Nothing was signed.
var ErrPinned = errors.New("another address is pinned to the orchestrator's URL")

// readPins reads the addresses that the sender's own payments have pinned. A live payment pins
// none: a client names the URL, and could keep others from the orchestrator that is there.
func (b *liveBatch) readPins(urls []string) db.Statement {
	type row struct{ url, recipient string }
	return db.AskIn(b.tx, func(rows db.Scanner) (one row, err error) {
		return one, rows.Scan(&one.url, &one.recipient)
	}, func(one row) error {
		if !common.IsHexAddress(one.recipient) {
			return fmt.Errorf("%w: the address pinned to %s is %.50q", ErrDamaged, one.url, one.recipient)
		}
		b.pins[one.url] = common.HexToAddress(one.recipient)
		return nil
	}, selectPinsIn, []any{b.chain.id, b.sender.Hex()}, urls)
}

func (b *liveBatch) checkPin(r LiveRequest) error {
	if pinned := b.pins[r.URL]; pinned != (common.Address{}) && pinned != r.Params.Recipient {
		err := fmt.Errorf("%s now asks for payments to %s, and the signer's account pays %s there", r.URL, r.Params.Recipient.Hex(), pinned.Hex())
		return live.Refuse(http.StatusBadRequest, "%w", hint.Kind(ErrPinned, err))
	}
	return nil
}
