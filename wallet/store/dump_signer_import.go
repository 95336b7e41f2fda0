package store

import (
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
)

const (
	importCredential   = `INSERT INTO signer_credentials (kind, value, client, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)`
	importSpending     = intoClientSpending + `($1, $2, $3, $4, $5)`
	importSession      = intoLiveSessions + `($1, $2, $3, $4, $5, $6, $7, $8)`
	importPayment      = intoLivePayments + `($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`
	importAcknowledged = `INSERT INTO signer_acknowledged (consumer, client, position, at) VALUES ($1, $2, $3, $4)`
)

// importInto writes the rows into an empty store.
func (d *DumpedSigner) importInto(tx *db.Tx) (err error) {
	if d == nil {
		return nil
	}
	insert := func(statement string, row ...any) {
		if err == nil {
			err = tx.Exec(statement, row...)
		}
	}
	for _, c := range d.Clients {
		insert(insertClient, c.ID, c.Name, c.Terms, c.CreatedAt.UnixMilli(), millisOrNull(c.ExpiresAt), millisOrNull(c.RevokedAt))
		for _, k := range c.Credentials {
			insert(importCredential, k.Kind, k.Identifier, c.ID, k.CreatedAt.UnixMilli(), millisOrNull(k.ExpiresAt))
		}
		for _, s := range c.Spending {
			ev, bad := s.ev()
			if bad != nil {
				return bad
			}
			insert(importSpending, c.ID, s.Day, int64(s.Tickets), ev.RatString(), s.TotalFaceValue)
		}
	}
	for _, s := range d.Sessions {
		insert(importSession, s.ChainID, s.Sender, s.StateID, s.Client, s.Sequence, stored(s.Asked), s.OpenedAt.UnixMilli(), s.UpdatedAt.UnixMilli())
	}
	for _, p := range d.Payments {
		session, bad := live.DecodeSession([]byte(p.State))
		if bad != nil {
			return bad
		}
		insert(importPayment, p.Position, p.ChainID, p.Sender, p.Client, session.StateID, int64(session.SequenceNumber), stored(p.Asked),
			sql.NullString{String: p.Key, Valid: p.Key != ""}, p.Info, p.RecipientRandHash, p.FirstNonce, p.Tickets, p.CreationRound,
			p.CreationRoundBlockHash, p.ManifestID, strings.TrimPrefix(p.Capabilities, "0x"), p.State, p.Usage, p.CreatedAt.UnixMilli())
	}
	for _, a := range d.Acknowledged {
		insert(importAcknowledged, a.Consumer, a.Client, a.Position, a.At.UnixMilli())
	}
	for _, e := range d.Events {
		insert(insertEvent, e.Position, e.Name, e.Event, e.RaisedAt.UnixMilli())
	}
	return err
}

func (s *DumpedSpending) ev() (*big.Rat, error) {
	return parseEV("total_ev", s.TotalEVWei, s.TotalEVExact)
}

// check fails for entries that contradict each other, or that the signer could not use.
func (d *DumpedSigner) check() error {
	if d == nil {
		return nil
	}
	clients, names, credentials := map[string]bool{"": true}, make(map[string]bool), make(map[Credential]bool)
	for _, c := range d.Clients {
		if clients[c.ID] || names[c.Name] {
			return fmt.Errorf("client %.40q occurs twice, or has no ID", c.Name)
		}
		clients[c.ID], names[c.Name] = true, true
		if err := c.check(); err != nil {
			return fmt.Errorf("client %.40q: %w", c.Name, err)
		}
		for _, k := range c.Credentials {
			credential := Credential{k.Kind, k.Identifier}
			if credentials[credential] {
				return fmt.Errorf("client %.40q: a credential occurs twice", c.Name)
			}
			credentials[credential] = true
		}
	}
	type turn struct {
		chain, sender, state string
		sequence             int64
	}
	paid, positions := make(map[turn]bool), make(map[int64]bool)
	for _, p := range d.Payments {
		session, err := p.check()
		switch {
		case err != nil:
			return fmt.Errorf("payment %d: %w", p.Position, err)
		case positions[p.Position] || !clients[p.Client]:
			return fmt.Errorf("payment %d occurs twice, or is of no client here", p.Position)
		}
		positions[p.Position], paid[turn{p.ChainID, p.Sender, session.StateID, int64(session.SequenceNumber)}] = true, true
	}
	for _, s := range d.Sessions {
		if !clients[s.Client] || !paid[turn{s.ChainID, s.Sender, s.StateID, s.Sequence}] {
			return fmt.Errorf("session %.40q is of no client here, or lacks its last payment", s.StateID)
		}
	}
	for _, a := range d.Acknowledged {
		if a.Position < 0 || a.Consumer == "" || a.Consumer != ConsumerOperator && !clients[a.Client] {
			return fmt.Errorf("what consumer %.40q has acknowledged is of no client here", a.Consumer)
		}
	}
	return nil
}

func (c *DumpedClient) check() error {
	if err := json.Unmarshal([]byte(c.Terms), new(Terms)); err != nil {
		return fmt.Errorf("terms: %w", err)
	}
	var days, total policy.Sum
	for _, s := range c.Spending {
		ev, err := s.ev()
		if err != nil {
			return err
		}
		faceValue, err := parseNatural(s.TotalFaceValue)
		if err != nil {
			return err
		}
		sum := policy.Sum{Tickets: s.Tickets, EV: ev, FaceValue: faceValue}
		if s.Day == "" {
			total = total.Plus(sum)
		} else if _, err := time.Parse(time.DateOnly, s.Day); err != nil {
			return err
		} else {
			days = days.Plus(sum)
		}
	}
	if !days.Equal(total) {
		return errors.New("the days do not come to what was spent in all")
	}
	return nil
}

func (p *DumpedPayment) check() (*live.Session, error) {
	session, err := live.DecodeSession([]byte(p.State))
	if err != nil {
		return nil, err
	}
	if err := checkKey(p.RecipientRandHash, p.FirstNonce, p.Tickets, p.Sender); err != nil {
		return nil, err
	}
	if _, err := parseHash(p.CreationRoundBlockHash); err != nil {
		return nil, err
	}
	if _, err := hex.DecodeString(strings.TrimPrefix(p.Capabilities, "0x")); err != nil {
		return nil, err
	}
	if _, err := parseNatural(p.ChainID); err != nil {
		return nil, err
	}
	if p.Position < 1 || p.CreationRound < 0 {
		return nil, errors.New("a number is below its least value")
	}
	return session, nil
}
