package store

import (
	"context"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	creditKey    = ` WHERE chain_id = $1 AND sender = $2 AND recipient_url = $3`
	selectCredit = `SELECT session_id, credit, credited_at FROM credits` + creditKey
	deleteCredit = `DELETE FROM credits` + creditKey
	insertCredit = `INSERT INTO credits (chain_id, sender, recipient_url, session_id, credit, credited_at) VALUES ($1, $2, $3, $4, $5, $6)`
)

// Credit is what a session's recipient was paid beyond what was asked for.
type Credit struct {
	// Session is the id of the auth token that was paid under.
	Session string
	// Amount is in wei, and At when it was last added to; nil for no credit.
	Amount *big.Int
	At     time.Time
}

// Credit returns the credit at a recipient's URL, of the session that was paid last there.
func (c *Chain) Credit(ctx context.Context, sender common.Address, url string) (Credit, error) {
	return read(ctx, c.store, "read the credit at "+url, func(tx *db.Tx) (Credit, error) { return creditAt(tx, c.id, sender, url) })
}

// TakeCredit takes the credit, so that one payment alone uses it. It takes nothing, and
// returns false, when the credit is not what it was seen as.
func (c *Chain) TakeCredit(ctx context.Context, sender common.Address, url string, seen Credit) (taken bool, err error) {
	err = c.store.writeFor(ctx, "take the credit at "+url, func(tx *db.Tx) error {
		now, err := creditAt(tx, c.id, sender, url)
		taken = err == nil && now.Amount != nil && now.Session == seen.Session && now.Amount.Cmp(num.OrZero(seen.Amount)) == 0
		if taken {
			tx.Later(db.Do(deleteCredit, c.id, sender.Hex(), url))
		}
		return err
	})
	return taken && err == nil, err
}

// AddCredit adds to a session's credit. It replaces the credit of another session, and one from
// which more is as long as life away or longer. No amount, or one that is not positive, changes nothing.
func (c *Chain) AddCredit(ctx context.Context, sender common.Address, url string, more Credit, life time.Duration) error {
	if num.OrZero(more.Amount).Sign() <= 0 {
		return nil
	}
	return c.store.writeFor(ctx, "keep the credit at "+url, func(tx *db.Tx) error {
		was, err := creditAt(tx, c.id, sender, url)
		if err != nil {
			return err
		}
		if was.Amount != nil && was.Session == more.Session && was.At.Sub(more.At).Abs() < life {
			more.Amount = new(big.Int).Add(more.Amount, was.Amount)
			if was.At.After(more.At) {
				more.At = was.At
			}
		}
		tx.Later(
			db.Do(deleteCredit, c.id, sender.Hex(), url),
			db.Do(insertCredit, c.id, sender.Hex(), url, more.Session, more.Amount.String(), more.At.UnixMilli()))
		return nil
	})
}

func creditAt(tx *db.Tx, chainID string, sender common.Address, url string) (Credit, error) {
	var found Credit
	var amount string
	ok, err := tx.Row(selectCredit, chainID, sender.Hex(), url).Find(&found.Session, &amount, (*millis)(&found.At))
	if err != nil || !ok {
		return Credit{}, err
	}
	return found, column("credit", &found.Amount, parseNatural, amount)
}
