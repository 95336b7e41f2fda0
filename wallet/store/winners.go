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
)

// ErrNoWinner is returned for a winning ticket that is not kept.
var ErrNoWinner = errors.New("the winning ticket is not kept")

// Winners is the store as it serves a recipient on one chain: a pm.QueueStore. What a
// method has done is on disk when it returns. The methods fail as those of Chain do;
// since package pm's have no context, they wait for another process's lock for as
// long as it takes, at most until ErrBusy.
type Winners struct {
	chain  *Chain
	active ActiveFunc
}

var _ pm.QueueStore = (*Winners)(nil)

// ActiveFunc tells whether a recipient is active in a round, as the contracts say.
type ActiveFunc func(recipient common.Address, round *big.Int) (bool, error)

// Winners returns the winning tickets that were received on the chain. active answers
// IsOrchActive.
func (c *Chain) Winners(active ActiveFunc) *Winners { return &Winners{chain: c, active: active} }

// Winner is a ticket that won, and what became of it.
type Winner struct {
	*pm.SignedTicket

	// Settled tells that the ticket waits no longer.
	Settled bool

	// SettledBy is the transaction that did it; zero where it is not known.
	SettledBy common.Hash
}

// StoreWinningTicket keeps a ticket, behind those already there. A ticket that is
// already kept stays as it is. It fails with *pm.FieldError for a number that does
// not fit its field.
func (w *Winners) StoreWinningTicket(ticket *pm.SignedTicket) error {
	row, err := winnerRow(ticket)
	if err != nil {
		return fmt.Errorf("keep a winning ticket: %w", err)
	}
	if _, err := w.exec(insertWinner, ticket, append(row, time.Now().UnixMilli())...); err != nil {
		return fmt.Errorf("keep a winning ticket of %v: %w", ticket.Sender, err)
	}
	return nil
}

// RemoveWinningTicket forgets a ticket, if it is kept.
func (w *Winners) RemoveWinningTicket(ticket *pm.SignedTicket) error {
	if _, err := w.exec(deleteWinner, ticket); err != nil {
		return fmt.Errorf("forget a winning ticket: %w", err)
	}
	return nil
}

// RequeueWinningTicket puts a ticket behind all others. It fails with ErrNoWinner.
func (w *Winners) RequeueWinningTicket(ticket *pm.SignedTicket) error {
	if err := w.change(requeueWinner, ticket); err != nil {
		return fmt.Errorf("put a winning ticket behind the others: %w", err)
	}
	return nil
}

// MarkWinningTicketRedeemed records that a ticket is settled: by the transaction
// txHash, or without one that is known when txHash is zero. Of several calls the
// first that knows the transaction counts. It fails with ErrNoWinner.
func (w *Winners) MarkWinningTicketRedeemed(ticket *pm.SignedTicket, txHash common.Hash) error {
	by := sql.NullString{String: txHash.Hex(), Valid: txHash != common.Hash{}}
	if err := w.change(settleWinner, ticket, time.Now().UnixMilli(), by); err != nil {
		return fmt.Errorf("record that a winning ticket is settled: %w", err)
	}
	return nil
}

// SelectEarliestWinningTicket returns the sender's ticket that has waited longest of
// those created in minCreationRound or later, nil when none waits.
func (w *Winners) SelectEarliestWinningTicket(sender common.Address, minCreationRound int64) (*pm.SignedTicket, error) {
	found, err := w.query(context.Background(), selectEarliestWinner, minCreationRound, sender.Hex())
	if err != nil {
		return nil, fmt.Errorf("read the earliest winning ticket of %v: %w", sender, err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	return found[0].SignedTicket, nil
}

// WinningTicketCount returns how many of the sender's tickets, created in
// minCreationRound or later, wait.
func (w *Winners) WinningTicketCount(sender common.Address, minCreationRound int64) (count int, err error) {
	ctx := context.Background()
	err = w.chain.store.read(ctx, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, countWinners, w.chain.id, minCreationRound, sender.Hex()).Scan(&count)
	})
	if err != nil {
		return 0, fmt.Errorf("count the winning tickets of %v: %w", sender, err)
	}
	return count, nil
}

// WinningTicketSenders returns the senders whose tickets, created in minCreationRound
// or later, wait; the one that has waited longest comes first.
func (w *Winners) WinningTicketSenders(minCreationRound int64) (senders []common.Address, err error) {
	ctx := context.Background()
	err = w.chain.store.read(ctx, func(tx *sql.Tx) error {
		senders = nil
		return eachRow(ctx, tx, func(rows *sql.Rows) error {
			var text string
			if err := rows.Scan(&text); err != nil {
				return err
			}
			sender, err := parseAddress(text)
			senders = append(senders, sender)
			return err
		}, selectWinnerSenders, w.chain.id, minCreationRound)
	})
	if err != nil {
		return nil, fmt.Errorf("list the senders of winning tickets: %w", err)
	}
	return senders, nil
}

// IsOrchActive tells whether the recipient addr is active in a round.
func (w *Winners) IsOrchActive(addr common.Address, round *big.Int) (bool, error) {
	return w.active(addr, round)
}

// All returns every winning ticket that is kept, settled or not, in the queue's order.
func (w *Winners) All(ctx context.Context) ([]Winner, error) {
	all, err := w.query(ctx, selectWinners)
	if err != nil {
		return nil, fmt.Errorf("read the winning tickets: %w", err)
	}
	return all, nil
}

// change is exec on a ticket that must be kept.
func (w *Winners) change(statement string, ticket *pm.SignedTicket, args ...any) error {
	changed, err := w.exec(statement, ticket, args...)
	if err == nil && changed == 0 {
		err = fmt.Errorf("%w: nonce %d of %v, recipientRandHash %v", ErrNoWinner, ticket.SenderNonce, ticket.Sender, ticket.RecipientRandHash)
	}
	return err
}

// exec runs a statement on one ticket, whose key is the statement's first arguments.
func (w *Winners) exec(statement string, ticket *pm.SignedTicket, args ...any) (changed int64, err error) {
	if ticket == nil || ticket.Ticket == nil {
		return 0, errNoTicket
	}
	ctx := context.Background()
	args = append([]any{w.chain.id, ticket.Sender.Hex(), ticket.RecipientRandHash.Hex(), ticket.SenderNonce}, args...)
	err = w.chain.store.write(ctx, func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, statement, args...)
		if err != nil {
			return err
		}
		changed, err = result.RowsAffected()
		return err
	})
	return changed, err
}

// query reads the chain's winners that a SELECT of winnersFields finds.
func (w *Winners) query(ctx context.Context, statement string, args ...any) (found []Winner, err error) {
	args = append([]any{w.chain.id}, args...)
	err = w.chain.store.read(ctx, func(tx *sql.Tx) error {
		found = nil
		return eachRow(ctx, tx, func(rows *sql.Rows) error {
			winner, err := scanWinner(rows)
			found = append(found, winner)
			return err
		}, statement, args...)
	})
	return found, err
}

// eachRow has scan read each row that a statement finds. What scan cannot read is
// damaged.
func eachRow(ctx context.Context, tx querier, scan func(*sql.Rows) error, statement string, args ...any) error {
	rows, err := tx.QueryContext(ctx, statement, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	return rows.Err()
}
