package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	lastPosition  = `(SELECT COALESCE(MAX(position), 0) FROM winners WHERE chain_id = $1)`
	winnersKey    = ` WHERE chain_id = $1 AND sender = $2 AND recipient_rand_hash = $3 AND sender_nonce = $4`
	winnersWait   = ` WHERE chain_id = $1 AND settled_at IS NULL AND creation_round >= $2`
	winnersOfOne  = winnersWait + ` AND sender = $3`
	winnersFields = `sender, recipient_rand_hash, sender_nonce, recipient, face_value, win_prob, creation_round,
		creation_round_block_hash, expiration_block, price_per_pixel, sig, recipient_rand, settled_at, settled_by`

	insertWinner = `INSERT INTO winners (chain_id, sender, recipient_rand_hash, sender_nonce, recipient, face_value, win_prob,
			creation_round, creation_round_block_hash, expiration_block, price_per_pixel, sig, recipient_rand, stored_at, position)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, ` + lastPosition + ` + 1)
		ON CONFLICT (chain_id, sender, recipient_rand_hash, sender_nonce) DO NOTHING`
	deleteWinner  = `DELETE FROM winners` + winnersKey
	requeueWinner = `UPDATE winners SET position = ` + lastPosition + ` + 1` + winnersKey
	// settleWinner keeps the first transaction that settled the ticket.
	settleWinner = `UPDATE winners SET settled_at = COALESCE(settled_at, $5), settled_by = COALESCE(settled_by, $6)` + winnersKey

	selectWinners        = `SELECT ` + winnersFields + ` FROM winners WHERE chain_id = $1 ORDER BY position`
	selectEarliestWinner = `SELECT ` + winnersFields + ` FROM winners` + winnersOfOne + ` ORDER BY position LIMIT 1`
	countWinners         = `SELECT COUNT(*) FROM winners` + winnersOfOne
	selectWinnerSenders  = `SELECT sender FROM winners` + winnersWait + ` GROUP BY sender ORDER BY MIN(position)`
)

// ErrNoWinner is returned for a winning ticket that is not in the store.
var ErrNoWinner = errors.New("the winning ticket is not in the store")

// Winners is the queue of a recipient's winning tickets on one chain: a pm.QueueStore. A change
// is on disk when its method returns. The methods fail as those of Chain do. Package pm's have
// no context, so they wait for another process's lock until ErrBusy.
type Winners struct {
	chain  *Chain
	active ActiveFunc
}

var _ pm.QueueStore = (*Winners)(nil)

// ActiveFunc reports whether a recipient is active in a round, according to the contracts.
type ActiveFunc func(recipient common.Address, round *big.Int) (bool, error)

// Winners returns the winning tickets received on the chain. active implements IsOrchActive.
func (c *Chain) Winners(active ActiveFunc) *Winners { return &Winners{chain: c, active: active} }

// Winner is a winning ticket and its state.
type Winner struct {
	*pm.SignedTicket
	// Settled is a ticket that no longer waits.
	Settled bool
	// SettledBy is the transaction that settled it; zero if it is not known.
	SettledBy common.Hash
}

// StoreWinningTicket appends a ticket to the queue. A ticket that is already there stays as it
// is. It fails with *pm.FieldError for a number that does not fit its field.
func (w *Winners) StoreWinningTicket(ticket *pm.SignedTicket) error {
	row, err := winnerRow(ticket)
	if err != nil {
		return fmt.Errorf("store a winning ticket: %w", err)
	}
	_, err = w.exec(fmt.Sprintf("store a winning ticket of %v", ticket.Sender), insertWinner, ticket, append(row, time.Now().UnixMilli())...)
	return err
}

// RemoveWinningTicket deletes a ticket, if it is there.
func (w *Winners) RemoveWinningTicket(ticket *pm.SignedTicket) error {
	_, err := w.exec("delete a winning ticket", deleteWinner, ticket)
	return err
}

// RequeueWinningTicket moves a ticket to the end of the queue. It fails with ErrNoWinner.
func (w *Winners) RequeueWinningTicket(ticket *pm.SignedTicket) error {
	return w.change("move a winning ticket to the end of the queue", requeueWinner, ticket)
}

// MarkWinningTicketRedeemed records that a ticket is settled, by the transaction txHash or, if
// txHash is zero, by an unknown one. Of several calls the first with a transaction counts. It
// fails with ErrNoWinner.
func (w *Winners) MarkWinningTicketRedeemed(ticket *pm.SignedTicket, txHash common.Hash) error {
	by := sql.NullString{String: txHash.Hex(), Valid: txHash != common.Hash{}}
	return w.change("record that a winning ticket is settled", settleWinner, ticket, time.Now().UnixMilli(), by)
}

// SelectEarliestWinningTicket implements pm.TicketStore.
func (w *Winners) SelectEarliestWinningTicket(sender common.Address, minCreationRound int64) (*pm.SignedTicket, error) {
	what := fmt.Sprintf("read the earliest winning ticket of %v", sender)
	found, err := w.query(context.Background(), what, selectEarliestWinner, minCreationRound, sender.Hex())
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return found[0].SignedTicket, nil
}

// WinningTicketCount implements pm.TicketStore.
func (w *Winners) WinningTicketCount(sender common.Address, minCreationRound int64) (int, error) {
	what := fmt.Sprintf("count the winning tickets of %v", sender)
	return read(context.Background(), w.chain.store, what, func(tx *db.Tx) (count int, err error) {
		err = tx.Row(countWinners, w.chain.id, minCreationRound, sender.Hex()).Scan(&count)
		return count, err
	})
}

// WinningTicketSenders implements pm.QueueStore. The sender that has waited longest is the first.
func (w *Winners) WinningTicketSenders(minCreationRound int64) ([]common.Address, error) {
	return read(context.Background(), w.chain.store, "list the senders of winning tickets", func(tx *db.Tx) ([]common.Address, error) {
		return db.List(tx, func(rows db.Scanner) (common.Address, error) {
			text, err := db.One[string](rows)
			if err != nil {
				return common.Address{}, err
			}
			return parseAddress(text)
		}, selectWinnerSenders, w.chain.id, minCreationRound)
	})
}

// IsOrchActive reports whether the recipient addr is active in a round.
func (w *Winners) IsOrchActive(addr common.Address, round *big.Int) (bool, error) {
	return w.active(addr, round)
}

// All returns every winning ticket, settled or not, in the order of the queue.
func (w *Winners) All(ctx context.Context) ([]Winner, error) {
	return w.query(ctx, "read the winning tickets", selectWinners)
}

// change is exec on a ticket that must be in the store.
func (w *Winners) change(what, statement string, ticket *pm.SignedTicket, args ...any) error {
	changed, err := w.exec(what, statement, ticket, args...)
	if err == nil && changed == 0 {
		err = fmt.Errorf("%s: %w: nonce %d of %v, recipientRandHash %v", what, ErrNoWinner, ticket.SenderNonce, ticket.Sender, ticket.RecipientRandHash)
	}
	return err
}

// exec runs a statement on one ticket, whose key is the statement's first arguments. what is
// the operation's name in errors.
func (w *Winners) exec(what, statement string, ticket *pm.SignedTicket, args ...any) (changed int64, err error) {
	if ticket == nil || ticket.Ticket == nil {
		return 0, fmt.Errorf("%s: %w", what, errNoTicket)
	}
	args = append([]any{w.chain.id, ticket.Sender.Hex(), ticket.RecipientRandHash.Hex(), ticket.SenderNonce}, args...)
	err = w.chain.store.writeFor(context.Background(), what, func(tx *db.Tx) (err error) {
		changed, err = tx.Change(statement, args...)
		return err
	})
	return changed, err
}

func (w *Winners) query(ctx context.Context, what, statement string, args ...any) ([]Winner, error) {
	return read(ctx, w.chain.store, what, func(tx *db.Tx) ([]Winner, error) {
		return db.List(tx, scanWinner, statement, append([]any{w.chain.id}, args...)...)
	})
}
