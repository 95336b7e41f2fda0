package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/tx"
)

const (
	// peekPatience is how long a peek waits for others who use the file.
	peekPatience = 100 * time.Millisecond

	selectKnownRecipients = `SELECT recipient_url, recipient FROM recipients WHERE chain_id = $1 ORDER BY saved_at DESC LIMIT 200`
	selectKnownAttempts   = `SELECT a.hash, i.label, i.state FROM attempts a JOIN intents i ON i.id = a.intent
		WHERE i.network = $1 ORDER BY a.signed_at DESC, a.position DESC, a.hash LIMIT 200`
)

// Peek reads what is of use while a command line is typed. Unlike Open and Check it
// makes no file where there is none, brings nothing up to date and asks no server: it
// fails with ErrNoStore for anything but a store in a file, as this package writes it.
type Peek struct{ store *Store }

// PeekAt looks at the store at a location.
func PeekAt(ctx context.Context, location string) (*Peek, error) {
	if strings.Contains(location, "://") {
		return nil, fmt.Errorf("%w in a file at %s", ErrNoStore, location)
	}
	path, err := filepath.Abs(location)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAccess, err)
	}
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() || info.Size() < smallestDatabase {
		return nil, errors.Join(fmt.Errorf("%w at %s", ErrNoStore, path), err)
	}
	db, err := openSQLite(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAccess, err)
	}
	s := &Store{path: path, db: db, backend: sqliteFile{path: path}, patience: peekPatience}
	err = s.read(ctx, func(t *sql.Tx) error {
		version, _, err := s.inspect(ctx, t)
		if err == nil && version != schemaVersion() {
			err = fmt.Errorf("%w of version %d at %s", ErrNoStore, schemaVersion(), path)
		}
		return err
	})
	if err != nil {
		s.Close()
		return nil, err
	}
	return &Peek{s}, nil
}

// Close ends the peek.
func (p *Peek) Close() error { return p.store.Close() }

// KnownRecipient is somebody who was paid.
type KnownRecipient struct {
	URL     string
	Address common.Address
}

// Recipients returns who was paid on a chain, whoever paid, the latest first.
func (p *Peek) Recipients(ctx context.Context, chainID uint64) (found []KnownRecipient, err error) {
	err = p.each(ctx, selectKnownRecipients, fmt.Sprint(chainID), func(rows *sql.Rows) error {
		var r KnownRecipient
		var address string
		err := rows.Scan(&r.URL, &address)
		r.Address = common.HexToAddress(address)
		found = append(found, r)
		return err
	})
	return found, err
}

// KnownTransaction is a transaction of the journal.
type KnownTransaction struct {
	Hash common.Hash
	// Label is what it does, State what became of it.
	Label tx.Label
	State tx.State
}

// Transactions returns the transactions of a network, which is named as for
// Store.Journal, the latest first.
func (p *Peek) Transactions(ctx context.Context, network string) (found []KnownTransaction, err error) {
	err = p.each(ctx, selectKnownAttempts, network, func(rows *sql.Rows) error {
		var t KnownTransaction
		var hash, label, state string
		err := rows.Scan(&hash, &label, &state)
		t.Hash, t.Label, t.State = common.HexToHash(hash), tx.ReadLabel(label), tx.State(state)
		found = append(found, t)
		return err
	})
	return found, err
}

func (p *Peek) each(ctx context.Context, query, of string, do func(*sql.Rows) error) error {
	return p.store.read(ctx, func(t *sql.Tx) error {
		rows, err := t.QueryContext(ctx, query, of)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			if err := do(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}
