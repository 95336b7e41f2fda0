package store

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	// peekPatience is how long a peek waits for other users of the file.
	peekPatience = 100 * time.Millisecond

	selectKnownRecipients = `SELECT recipient_url, recipient FROM recipients WHERE chain_id = $1 ORDER BY saved_at DESC LIMIT 200`
	selectKnownAttempts   = `SELECT a.hash, i.label, i.state FROM attempts a JOIN intents i ON i.id = a.intent
		WHERE i.network = $1 ORDER BY a.signed_at DESC, a.position DESC, a.hash LIMIT 200`
)

// Peek reads what shell completion offers. Unlike Open and Check it creates and upgrades nothing,
// and asks no server: it fails with ErrNoStore for anything but a current store in a file.
type Peek struct{ db *db.DB }

// PeekAt opens the store at a location for completion.
func PeekAt(ctx context.Context, location string) (*Peek, error) {
	at, err := db.Locate(location)
	if err != nil || !at.IsFile() {
		return nil, fmt.Errorf("%w in a file at %s", ErrNoStore, Display(location))
	}
	if info, err := os.Stat(at.Name); err != nil || !info.Mode().IsRegular() || info.Size() < db.SmallestFile {
		return nil, errors.Join(fmt.Errorf("%w at %s", ErrNoStore, at.Name), err)
	}
	p := new(Peek)
	if p.db, err = at.Open(); err != nil {
		return nil, err
	}
	p.db.Patience = peekPatience
	err = p.db.Read(ctx, func(t *db.Tx) error {
		version, _, err := inspect(p.db, t)
		if err == nil && version != schemaVersion {
			err = fmt.Errorf("%w of version %d at %s", ErrNoStore, schemaVersion, at.Name)
		}
		return err
	})
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Close ends the peek.
func (p *Peek) Close() error { return p.db.Close() }

// KnownRecipient is a recipient that was paid.
type KnownRecipient struct {
	URL     string
	Address common.Address
}

// Recipients returns the recipients that any sender paid on a chain, the latest first.
func (p *Peek) Recipients(ctx context.Context, chainID uint64) ([]KnownRecipient, error) {
	return peek(ctx, p, func(rows db.Scanner) (r KnownRecipient, err error) {
		var address string
		err = rows.Scan(&r.URL, &address)
		r.Address = common.HexToAddress(address)
		return r, err
	}, selectKnownRecipients, fmt.Sprint(chainID))
}

// KnownTransaction is a transaction of the journal.
type KnownTransaction struct {
	Hash common.Hash
	// Label is what it does, State its state.
	Label tx.Label
	State tx.State
}

// Transactions returns the transactions of a network, by the name that Store.Journal takes, the
// latest first.
func (p *Peek) Transactions(ctx context.Context, network string) ([]KnownTransaction, error) {
	return peek(ctx, p, func(rows db.Scanner) (t KnownTransaction, err error) {
		var hash, label string
		err = rows.Scan(&hash, &label, &t.State)
		t.Hash, t.Label = common.HexToHash(hash), tx.ReadLabel(label)
		return t, err
	}, selectKnownAttempts, network)
}

func peek[T any](ctx context.Context, p *Peek, scan func(db.Scanner) (T, error), query, of string) (found []T, err error) {
	err = p.db.Read(ctx, func(t *db.Tx) (err error) {
		found, err = db.List(t, scan, query, of)
		return err
	})
	return found, err
}
