package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/num"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// Dump is a store's ledger as a document: reservations, requests, and what remote signers keep.
// It has no ticket params and no winning tickets: those can be fetched again, or are secret.
type Dump struct {
	StoreID    string    `json:"store_id"`
	ExportedAt time.Time `json:"exported_at"`

	Reservations []DumpedReservation `json:"reservations"`
	Requests     []DumpedRequest     `json:"requests"`

	// Signer is nil for a store without clients and payments of a remote signer.
	Signer *DumpedSigner `json:"signer,omitempty"`
}

// DumpedReservation is a range of nonces that was taken, one for each of the Tickets.
type DumpedReservation struct {
	RecipientRandHash string `json:"recipient_rand_hash"`
	FirstNonce        uint32 `json:"first_nonce"`
	Tickets           uint32 `json:"tickets"`
	ChainID           string `json:"chain_id"`
	Sender            string `json:"sender"`
	Recipient         string `json:"recipient"`
	FaceValue         string `json:"face_value"`
	// TicketEVExact is a fraction n/d, TicketEVWei the whole wei that is not below it.
	TicketEVWei     string      `json:"ticket_ev_wei"`
	TicketEVExact   string      `json:"ticket_ev_exact"`
	ExpirationBlock json.Number `json:"expiration_block"`
	ReservedAt      time.Time   `json:"reserved_at"`
	// Client is the ID of the remote signer's client whose tickets they are, if any.
	Client string `json:"client,omitempty"`
}

// DumpedRequest is tickets made for a request; a request has one for each of its deliveries.
type DumpedRequest struct {
	ChainID           string    `json:"chain_id"`
	Sender            string    `json:"sender"`
	ID                string    `json:"request_id"`
	Digest            string    `json:"digest"`
	RecipientRandHash string    `json:"recipient_rand_hash"`
	FirstNonce        uint32    `json:"first_nonce"`
	Tickets           uint32    `json:"tickets"`
	State             string    `json:"state"`
	Outcome           string    `json:"outcome"`
	MadeAt            time.Time `json:"created_at"`
}

const (
	selectAllReservations = `SELECT recipient_rand_hash, first_nonce, nonces, chain_id, sender, recipient, face_value, ticket_ev, expiration_block, reserved_at, client
		FROM reservations ORDER BY reserved_at, recipient_rand_hash, first_nonce`
	selectAllRequests = `SELECT r.chain_id, r.sender, r.request_id, r.digest, p.recipient_rand_hash, p.first_nonce, p.nonces, p.state, p.outcome, r.made_at
		FROM requests r JOIN request_parts p ON p.chain_id = r.chain_id AND p.sender = r.sender AND p.request_id = r.request_id
		ORDER BY r.made_at, r.chain_id, r.sender, r.request_id, p.set_number, p.first_nonce`
	insertRetired = `INSERT INTO sessions (recipient_rand_hash, used_nonces, retired_at) VALUES ($1, $2, $3)
		ON CONFLICT (recipient_rand_hash) DO UPDATE SET used_nonces = excluded.used_nonces`
	importRequest = insertRequest + ` ON CONFLICT DO NOTHING`
	countRows     = `SELECT (SELECT COUNT(*) FROM sessions) + (SELECT COUNT(*) FROM requests) + (SELECT COUNT(*) FROM signer_clients)`
)

// Export returns the ledger.
func (s *Store) Export(ctx context.Context) (*Dump, error) {
	return snapshot(ctx, s, "export the store", func(tx *db.Tx) (*Dump, error) {
		d := &Dump{StoreID: s.ID(), ExportedAt: time.Now().UTC().Truncate(time.Second), Reservations: []DumpedReservation{}, Requests: []DumpedRequest{}}
		err := listInto(tx, nil, &d.Reservations, func(rows db.Scanner) (r DumpedReservation, err error) {
			var ticketEV string
			err = rows.Scan(&r.RecipientRandHash, &r.FirstNonce, &r.Tickets, &r.ChainID, &r.Sender, &r.Recipient, &r.FaceValue, &ticketEV, &r.ExpirationBlock, (*millis)(&r.ReservedAt), &r.Client)
			if err == nil {
				r.TicketEVWei, r.TicketEVExact, err = dumpedEV(ticketEV)
			}
			return r, err
		}, selectAllReservations)
		err = listInto(tx, err, &d.Requests, db.Fields(func(r *DumpedRequest) []any {
			return []any{&r.ChainID, &r.Sender, &r.ID, &r.Digest, &r.RecipientRandHash, &r.FirstNonce, &r.Tickets, &r.State, &r.Outcome, (*millis)(&r.MadeAt)}
		}), selectAllRequests)
		if err == nil {
			d.Signer, err = exportSigner(tx)
		}
		return d, err
	})
}

// ErrBadDump is returned for a document that Export does not write.
var ErrBadDump = errors.New("not an exported ledger")

// Import reads the ledger of another store into an unused one. The other store may have been
// used since the export, so all sessions are retired, requests count as made and cannot be
// repeated, today's budget and clients' allowances count as spent, and nothing else is begun
// until Acknowledge. A remote signer's usage that was not delivered is delivered from here. It
// fails with ErrNotEmpty and ErrBadDump.
func (s *Store) Import(ctx context.Context, d *Dump) error {
	if err := d.check(); err != nil {
		return fmt.Errorf("%w: %w", ErrBadDump, err)
	}
	now := time.Now()
	return s.writeFor(ctx, "import a store", func(tx *db.Tx) (err error) {
		var rows int64
		if err := tx.Row(countRows).Scan(&rows); err != nil {
			return err
		}
		if rows > 0 {
			return hint.With(ErrNotEmpty, nameAnother)
		}
		insert := func(statement string, row ...any) {
			if err == nil {
				err = tx.Exec(statement, row...)
			}
		}
		used := make(map[string]int64)
		for _, r := range d.Reservations {
			ev, bad := r.ticketEV()
			if bad != nil {
				return bad
			}
			last := int64(r.FirstNonce) + int64(r.Tickets) - 1
			used[r.RecipientRandHash] = max(used[r.RecipientRandHash], last)
			insert(insertRetired, r.RecipientRandHash, used[r.RecipientRandHash], now.UnixMilli())
			insert(insertReservation, r.RecipientRandHash, r.FirstNonce, r.Tickets, r.ChainID, r.Sender, r.Recipient,
				r.FaceValue, ev.RatString(), r.ExpirationBlock.String(), r.ReservedAt.UnixMilli(), r.Client)
		}
		if err == nil {
			err = requireEven(tx)
		}
		for i, r := range d.Requests {
			insert(importRequest, r.ChainID, r.Sender, r.ID, r.Digest, r.MadeAt.UnixMilli())
			// Sets order tickets that can be made again; imported ones cannot.
			insert(insertPart, r.ChainID, r.Sender, r.ID, i+1, r.RecipientRandHash, r.FirstNonce, r.Tickets, r.State, r.Outcome, 0)
		}
		if err == nil {
			err = bookReserved(tx, now)
		}
		if err == nil {
			err = d.Signer.importInto(tx)
		}
		if err == nil {
			err = setRestored(tx, Cause{Code: CauseImported}, now)
		}
		return err
	})
}

// requireEven fails for sessions whose reservations leave nonces out, or have some twice: Check would
// call the store damaged.
func requireEven(tx *db.Tx) error {
	uneven, err := db.List(tx, db.One[string], selectUneven)
	if err != nil || len(uneven) == 0 {
		return err
	}
	return fmt.Errorf("%w: the reservations of session %s do not have each nonce from 1 on once", ErrBadDump, uneven[0])
}

// check fails for entries that could not be found again under their own keys.
func (d *Dump) check() error {
	if d == nil {
		return errors.New("there is no document")
	}
	type key struct {
		hash  string
		first uint32
	}
	next := make(map[key]bool)
	for _, r := range d.Reservations {
		if next[key{r.RecipientRandHash, r.FirstNonce}] {
			return fmt.Errorf("session %.66s: nonce %d occurs twice", r.RecipientRandHash, r.FirstNonce)
		}
		next[key{r.RecipientRandHash, r.FirstNonce}] = true
		_, err := r.ticketEV()
		_, valueErr := parseNatural(r.FaceValue)
		_, chainErr := parseNatural(r.ChainID)
		_, blockErr := parseNatural(r.ExpirationBlock.String())
		if err = cmp.Or(err, valueErr, chainErr, blockErr, checkKey(r.RecipientRandHash, r.FirstNonce, r.Tickets, r.Sender, r.Recipient)); err != nil {
			return fmt.Errorf("the reservation of nonce %d of %.66s: %w", r.FirstNonce, r.RecipientRandHash, err)
		}
	}
	digests := make(map[[3]string]string)
	for _, r := range d.Requests {
		id := [3]string{r.ChainID, r.Sender, r.ID}
		if digest, known := digests[id]; known && digest != r.Digest {
			return fmt.Errorf("request %.40q occurs twice, with different arguments", r.ID)
		}
		digests[id] = r.Digest
		if err := checkKey(r.RecipientRandHash, r.FirstNonce, r.Tickets, r.Sender, r.Sender); err != nil {
			return fmt.Errorf("request %.40q: %w", r.ID, err)
		}
	}
	return d.Signer.check()
}

func (r *DumpedReservation) ticketEV() (*big.Rat, error) {
	return parseEV("ticket_ev", r.TicketEVWei, r.TicketEVExact)
}

// dumpedEV returns a stored expected value as its two fields: rounded up, and exact.
func dumpedEV(stored string) (whole, exact string, err error) {
	ev, err := parseFraction(stored, parseNatural)
	if err != nil {
		return "", "", err
	}
	return num.Ceil(ev).String(), ev.String(), nil
}

// parseEV reads an expected value from its two fields, which begin with name.
func parseEV(name, whole, exact string) (*big.Rat, error) {
	ev, err := parseFraction(exact, parseNatural)
	if err == nil && (ev.String() != exact || num.Ceil(ev).String() != whole) {
		err = fmt.Errorf("%s_exact %.80q is not in lowest terms, or %s_wei %.80q not the same rounded up", name, exact, name, whole)
	}
	return ev, err
}

func checkKey(hash string, first, count uint32, addresses ...string) error {
	parsed, err := parseHash(hash)
	if err == nil && parsed.Hex() != hash {
		err = errors.New("not a lower-case hash")
	}
	if err == nil && (first == 0 || count == 0 || uint64(first)+uint64(count)-1 > 1<<32-1) {
		err = errors.New("not a valid range of nonces")
	}
	for _, text := range addresses {
		if err == nil && (!common.IsHexAddress(text) || common.HexToAddress(text).Hex() != text) {
			err = errors.New("not an address with a valid checksum")
		}
	}
	return err
}
