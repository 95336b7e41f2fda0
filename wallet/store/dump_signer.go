package store

import (
	"database/sql"
	"fmt"
	"time"

	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

// DumpedSigner is what remote signers keep in a store. It has hashes of tokens, and no token.
type DumpedSigner struct {
	Clients      []DumpedClient       `json:"clients"`
	Sessions     []DumpedSession      `json:"sessions"`
	Payments     []DumpedPayment      `json:"payments"`
	Acknowledged []DumpedAcknowledged `json:"acknowledged"`
	Events       []DumpedEvent        `json:"events"`
}

// DumpedClient is a client with what it is recognized by and what was signed for it.
type DumpedClient struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Terms are JSON, as the store has them.
	Terms       string             `json:"terms"`
	CreatedAt   time.Time          `json:"created_at"`
	ExpiresAt   time.Time          `json:"expires_at,omitzero"`
	RevokedAt   time.Time          `json:"revoked_at,omitzero"`
	Credentials []DumpedCredential `json:"credentials"`
	Spending    []DumpedSpending   `json:"spending"`
}

// DumpedCredential is what a client is recognized by; of a secret, its hash.
type DumpedCredential struct {
	Kind       string    `json:"kind"`
	Identifier string    `json:"identifier"`
	CreatedAt  time.Time `json:"created_at"`
	ExpiresAt  time.Time `json:"expires_at,omitzero"`
}

// DumpedSpending is what was signed on a day, or in all where Day is "".
type DumpedSpending struct {
	Day            string `json:"day,omitempty"`
	Tickets        uint64 `json:"tickets"`
	TotalEVWei     string `json:"total_ev_wei"`
	TotalEVExact   string `json:"total_ev_exact"`
	TotalFaceValue string `json:"total_face_value"`
}

// DumpedSession is how far a live session has come.
type DumpedSession struct {
	ChainID  string `json:"chain_id"`
	Sender   string `json:"sender"`
	StateID  string `json:"state_id"`
	Client   string `json:"client,omitempty"`
	Sequence int64  `json:"sequence"`
	// Asked is nil for a payment without a state.
	Asked     *int64    `json:"asked_sequence,omitempty"`
	OpenedAt  time.Time `json:"opened_at"`
	UpdatedAt time.Time `json:"updated_at"`
}

// DumpedPayment is a payment of a live session, with the event about it.
type DumpedPayment struct {
	Position               int64     `json:"position"`
	ChainID                string    `json:"chain_id"`
	Sender                 string    `json:"sender"`
	Client                 string    `json:"client,omitempty"`
	Asked                  *int64    `json:"asked_sequence,omitempty"`
	Key                    string    `json:"request_key,omitempty"`
	Info                   string    `json:"info_digest"`
	RecipientRandHash      string    `json:"recipient_rand_hash"`
	FirstNonce             uint32    `json:"first_nonce"`
	Tickets                uint32    `json:"tickets"`
	CreationRound          int64     `json:"creation_round"`
	CreationRoundBlockHash string    `json:"creation_round_block_hash"`
	ManifestID             string    `json:"manifest_id"`
	Capabilities           string    `json:"capabilities"`
	State                  string    `json:"state"`
	Usage                  string    `json:"usage"`
	CreatedAt              time.Time `json:"created_at"`
}

// DumpedAcknowledged is up to where a consumer has a client's events.
type DumpedAcknowledged struct {
	Consumer string    `json:"consumer"`
	Client   string    `json:"client,omitempty"`
	Position int64     `json:"position"`
	At       time.Time `json:"acknowledged_at"`
}

// DumpedEvent is an event for the operator.
type DumpedEvent struct {
	Position int64     `json:"position"`
	Name     string    `json:"name"`
	Event    string    `json:"event"`
	RaisedAt time.Time `json:"raised_at"`
}

const (
	dumpClients     = `SELECT id, name, terms, created_at, expires_at, revoked_at FROM signer_clients ORDER BY name`
	dumpCredentials = `SELECT client, kind, value, created_at, expires_at FROM signer_credentials ORDER BY client, kind, value`
	dumpSpending    = `SELECT client, day, tickets, ev, face_value FROM signer_spending ORDER BY client, day`
	dumpSessions    = `SELECT chain_id, sender, state_id, client, sequence, asked, opened_at, updated_at FROM signer_sessions ORDER BY opened_at, state_id`
	dumpPayments    = `SELECT position, chain_id, sender, client, asked, request_key, info, recipient_rand_hash, first_nonce, nonces, creation_round,
		creation_round_block_hash, manifest_id, capabilities, state, usage, made_at FROM signer_payments ORDER BY position`
	dumpAcknowledged = `SELECT consumer, client, position, at FROM signer_acknowledged ORDER BY consumer, client`
	dumpEvents       = `SELECT position, name, event, raised_at FROM signer_events ORDER BY position`
)

// noState is how the store writes that a payment was asked without a state.
const noState = -1

func askedOf(stored int64) *int64 {
	if stored == noState {
		return nil
	}
	return &stored
}

func stored(asked *int64) int64 {
	if asked == nil {
		return noState
	}
	return *asked
}

// listInto appends the rows of a query to a list.
func listInto[T any](tx *db.Tx, err error, list *[]T, scan func(db.Scanner) (T, error), query string) error {
	if err != nil {
		return err
	}
	found, err := db.List(tx, scan, query)
	*list = append(*list, found...)
	return err
}

// exportSigner returns nil for a store that no remote signer has used.
func exportSigner(tx *db.Tx) (*DumpedSigner, error) {
	d := &DumpedSigner{
		Clients: []DumpedClient{}, Sessions: []DumpedSession{}, Payments: []DumpedPayment{}, Acknowledged: []DumpedAcknowledged{}, Events: []DumpedEvent{},
	}
	err := listInto(tx, nil, &d.Clients, func(rows db.Scanner) (c DumpedClient, err error) {
		err = rows.Scan(&c.ID, &c.Name, &c.Terms, (*millis)(&c.CreatedAt), (*millis)(&c.ExpiresAt), (*millis)(&c.RevokedAt))
		c.Credentials, c.Spending = []DumpedCredential{}, []DumpedSpending{}
		return c, err
	}, dumpClients)
	clients := make(map[string]*DumpedClient)
	for i := range d.Clients {
		clients[d.Clients[i].ID] = &d.Clients[i]
	}
	of := func(id string) (*DumpedClient, error) {
		if clients[id] == nil {
			return nil, fmt.Errorf("%w: there is no client %q", ErrDamaged, id)
		}
		return clients[id], nil
	}
	if err == nil {
		_, err = db.List(tx, func(rows db.Scanner) (c DumpedCredential, err error) {
			var id string
			if err := rows.Scan(&id, &c.Kind, &c.Identifier, (*millis)(&c.CreatedAt), (*millis)(&c.ExpiresAt)); err != nil {
				return c, err
			}
			client, err := of(id)
			if err == nil {
				client.Credentials = append(client.Credentials, c)
			}
			return c, err
		}, dumpCredentials)
	}
	if err == nil {
		_, err = db.List(tx, func(rows db.Scanner) (s DumpedSpending, err error) {
			var id, text string
			if err := rows.Scan(&id, &s.Day, &s.Tickets, &text, &s.TotalFaceValue); err != nil {
				return s, err
			}
			if s.TotalEVWei, s.TotalEVExact, err = dumpedEV(text); err != nil {
				return s, err
			}
			client, err := of(id)
			if err == nil {
				client.Spending = append(client.Spending, s)
			}
			return s, err
		}, dumpSpending)
	}
	err = listInto(tx, err, &d.Sessions, func(rows db.Scanner) (s DumpedSession, err error) {
		var asked int64
		err = rows.Scan(&s.ChainID, &s.Sender, &s.StateID, &s.Client, &s.Sequence, &asked, (*millis)(&s.OpenedAt), (*millis)(&s.UpdatedAt))
		s.Asked = askedOf(asked)
		return s, err
	}, dumpSessions)
	err = listInto(tx, err, &d.Payments, func(rows db.Scanner) (p DumpedPayment, err error) {
		var asked int64
		var key sql.NullString
		err = rows.Scan(&p.Position, &p.ChainID, &p.Sender, &p.Client, &asked, &key, &p.Info, &p.RecipientRandHash, &p.FirstNonce, &p.Tickets,
			&p.CreationRound, &p.CreationRoundBlockHash, &p.ManifestID, &p.Capabilities, &p.State, &p.Usage, (*millis)(&p.CreatedAt))
		p.Asked, p.Key, p.Capabilities = askedOf(asked), key.String, "0x"+p.Capabilities
		return p, err
	}, dumpPayments)
	err = listInto(tx, err, &d.Acknowledged, db.Fields(func(a *DumpedAcknowledged) []any {
		return []any{&a.Consumer, &a.Client, &a.Position, (*millis)(&a.At)}
	}), dumpAcknowledged)
	err = listInto(tx, err, &d.Events, db.Fields(func(e *DumpedEvent) []any {
		return []any{&e.Position, &e.Name, &e.Event, (*millis)(&e.RaisedAt)}
	}), dumpEvents)
	if err != nil || len(d.Clients)+len(d.Payments)+len(d.Events) == 0 {
		return nil, err
	}
	return d, nil
}
