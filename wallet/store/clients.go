package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/store/internal/db"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Client is a client of a remote signer.
type Client struct {
	// ID never changes, Name is for people.
	ID, Name string

	Terms Terms

	// CreatedAt is when it was added. From ExpiresAt on nothing is signed for it; zero is never.
	// RevokedAt is when it was revoked: once it is set nothing is signed, whatever a machine's
	// clock says.
	CreatedAt, ExpiresAt, RevokedAt time.Time
}

// Terms are what a client may have signed. The zero value allows what the signer's own limits
// allow.
type Terms struct {
	// EVPerDay and FaceValuePerDay are the most in a day in UTC, EVTotal in all.
	EVPerDay        *wei.Wei `json:"ev_per_day_wei,omitempty"`
	FaceValuePerDay *wei.Wei `json:"face_value_per_day_wei,omitempty"`
	EVTotal         *wei.Wei `json:"ev_total_wei,omitempty"`
	// Recipients and Apps are those that it may pay; none is any.
	Recipients []common.Address `json:"recipients,omitempty"`
	Apps       []string         `json:"apps,omitempty"`
	// MaxPrices are the highest prices of the types of payments.
	MaxPrices live.MaxPrices `json:"max_prices,omitempty"`
	// Overcommit says that the operator set an allowance without regard to what can pay it.
	Overcommit bool `json:"overcommit,omitempty"`
}

// EndedAt reports whether nothing more is signed for the client at a time: it was revoked, or has
// expired.
func (c *Client) EndedAt(at time.Time) bool {
	return c.CheckActive(at) != nil
}

// Credential is what a client is recognized by.
type Credential struct {
	// Kind is how it is shown, such as "token". Value is what is compared: the hash of a
	// secret, so that the time that takes reveals nothing of the secret.
	Kind, Value string
}

var (
	// ErrNoClient is returned for a name or a credential that belongs to no client.
	ErrNoClient = hint.With(errors.New("no such client"), "pmctl signer client list shows the clients")
	// ErrClientExists is returned for a name or a credential that another client has.
	ErrClientExists = hint.With(errors.New("a client with this name or credential exists"), "pmctl signer client set changes a client; pmctl signer client list shows all")
	// ErrClientName is returned for a name that no client can have.
	ErrClientName = errors.New("not a name for a client")
)

const (
	clientFields     = `SELECT c.id, c.name, c.terms, c.created_at, c.expires_at, c.revoked_at FROM signer_clients c`
	selectClients    = clientFields + ` ORDER BY c.name`
	selectClientsIn  = clientFields + ` WHERE c.id`
	selectOwnersIn   = `SELECT kind, value, client, expires_at FROM signer_credentials WHERE kind = $1 AND value`
	selectClientName = clientFields + ` WHERE c.name = $1`
	selectClientOf   = clientFields + ` JOIN signer_credentials k ON k.client = c.id WHERE k.kind = $1 AND k.value = $2 AND (k.expires_at IS NULL OR k.expires_at > $3)`

	insertClient      = `INSERT INTO signer_clients (id, name, terms, created_at, expires_at, revoked_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`
	updateClient      = `UPDATE signer_clients SET terms = $1, expires_at = $2, revoked_at = $3 WHERE id = $4`
	insertCredential  = `INSERT INTO signer_credentials (kind, value, client, created_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`
	expireCredentials = `UPDATE signer_credentials SET expires_at = $1 WHERE client = $2 AND kind = $3 AND (expires_at IS NULL OR expires_at > $1)`
)

// Clients are those of the store.
type Clients struct {
	store *Store

	// check is called at a time for each client that is added or changed; nil is for none.
	check func(ClientChange) error
	at    time.Time
}

// Clients returns the clients of the remote signers that use the store.
func (s *Store) Clients() *Clients { return &Clients{store: s} }

// clientName is what a client may be called: it stands before the colon of an auth ID.
const clientName = `^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`

// Add adds a client under its name, with a new ID, which it returns. It fails with
// ErrClientName and ErrClientExists, and with a live.Refusal for a credential that is not recorded.
func (c *Clients) Add(ctx context.Context, client Client, credentials ...Credential) (*Client, error) {
	if !regexp.MustCompile(clientName).MatchString(client.Name) {
		return nil, hint.Kind(ErrClientName, fmt.Errorf("client name %q is not valid: use at most 64 letters, digits, dots, dashes and underscores, starting with a letter or digit", client.Name))
	}
	client.ID = newID()
	client.CreatedAt = fromMillis(time.Now().UnixMilli())
	terms, err := json.Marshal(client.Terms)
	if err != nil {
		return nil, err
	}
	err = c.store.writeFor(ctx, fmt.Sprintf("add client %q", client.Name), func(tx *db.Tx) error {
		err := insertNew(tx, ErrClientExists, insertClient, client.ID, client.Name, string(terms), client.CreatedAt.UnixMilli(), millisOrNull(client.ExpiresAt), millisOrNull(client.RevokedAt))
		for _, credential := range credentials {
			if err == nil {
				err = addCredential(tx, client.ID, credential)
			}
		}
		if err == nil {
			err = c.examine(tx, &client, nil)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &client, nil
}

func addCredential(tx *db.Tx, id string, credential Credential) error {
	if err := CheckText("the client's "+credential.Kind, credential.Value); err != nil {
		return err
	}
	err := insertNew(tx, ErrClientExists, insertCredential, credential.Kind, credential.Value, id, time.Now().UnixMilli())
	if errors.Is(err, ErrClientExists) {
		// Also a client that was revoked keeps its credentials.
		owner, found := findClient(tx, selectClientOf, credential.Kind, credential.Value, 0)
		if found == nil {
			err = fmt.Errorf("%w: client %q has this credential (%s)", err, owner.Name, credential.Kind)
		}
	}
	return err
}

// insertNew runs a statement that inserts a row unless there is such a row, and fails with exists then.
func insertNew(tx *db.Tx, exists error, statement string, row ...any) error {
	added, err := tx.Change(statement, row...)
	if err == nil && added == 0 {
		err = exists
	}
	return err
}

// Change changes the terms of a client, when it expires and when it was revoked, in one
// transaction. It fails with ErrNoClient, and with the error of change.
func (c *Clients) Change(ctx context.Context, name string, change func(*Client) error) error {
	return c.store.writeFor(ctx, fmt.Sprintf("change client %q", name), func(tx *db.Tx) error {
		before, err := findClient(tx, selectClientName, name)
		if err != nil {
			return err
		}
		changed := *before
		client := &changed
		if err = change(client); err == nil {
			err = c.examine(tx, client, before)
		}
		if err != nil {
			return err
		}
		terms, err := json.Marshal(client.Terms)
		if err != nil {
			return err
		}
		return tx.Exec(updateClient, string(terms), millisOrNull(client.ExpiresAt), millisOrNull(client.RevokedAt), client.ID)
	})
}

// Rotate gives a client a new credential. Those of its kind that the client has are accepted until
// a time; the zero time is none, whatever a machine's clock says. It fails with
// ErrNoClient and ErrClientExists, and with *ClientError for a client that was revoked.
func (c *Clients) Rotate(ctx context.Context, name string, to Credential, until time.Time) error {
	return c.store.writeFor(ctx, fmt.Sprintf("replace the credentials of client %q", name), func(tx *db.Tx) error {
		client, err := findClient(tx, selectClientName, name)
		if err == nil && !client.RevokedAt.IsZero() {
			err = client.refuse(ClientRevoked, client.RevokedAt)
		}
		if err == nil {
			err = tx.Exec(expireCredentials, until.UnixMilli(), client.ID, to.Kind)
		}
		if err == nil {
			err = addCredential(tx, client.ID, to)
		}
		return err
	})
}

// All returns the clients, by name.
func (c *Clients) All(ctx context.Context) ([]*Client, error) {
	return read(ctx, c.store, "list the clients", func(tx *db.Tx) ([]*Client, error) {
		return db.List(tx, scanClient, selectClients)
	})
}

// Named returns the client with a name, or ErrNoClient.
func (c *Clients) Named(ctx context.Context, name string) (*Client, error) {
	return read(ctx, c.store, fmt.Sprintf("read client %q", name), func(tx *db.Tx) (*Client, error) {
		return findClient(tx, selectClientName, name)
	})
}

// With returns the client with a credential that is accepted at a time, or ErrNoClient. Whether
// something may be signed for it is decided with the payment.
func (c *Clients) With(ctx context.Context, credential Credential, at time.Time) (*Client, error) {
	if CheckText(credential.Kind, credential.Value) != nil {
		return nil, ErrNoClient // no client was added with it
	}
	return read(ctx, c.store, "look for a client", func(tx *db.Tx) (*Client, error) {
		return findClient(tx, selectClientOf, credential.Kind, credential.Value, at.UnixMilli())
	})
}

func findClient(tx *db.Tx, query string, args ...any) (*Client, error) {
	found, err := db.List(tx, scanClient, query, args...)
	if err == nil && len(found) == 0 {
		err = ErrNoClient
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

func scanClient(rows db.Scanner) (*Client, error) {
	c := new(Client)
	var terms []byte
	if err := rows.Scan(&c.ID, &c.Name, &terms, (*millis)(&c.CreatedAt), (*millis)(&c.ExpiresAt), (*millis)(&c.RevokedAt)); err != nil {
		return nil, err
	}
	return c, json.Unmarshal(terms, &c.Terms)
}

func millisOrNull(at time.Time) sql.NullInt64 {
	return sql.NullInt64{Int64: at.UnixMilli(), Valid: !at.IsZero()}
}

// ClientError is a request that a client may not make.
type ClientError struct {
	// Client is the client's name.
	Client string
	// Reason is a code, and Detail what it is about.
	Reason ClientReason
	Detail string
}

// ClientReason is why a client may not have something signed.
type ClientReason string

// The reasons.
const (
	ClientRevoked   ClientReason = "revoked"
	ClientExpired   ClientReason = "expired"
	ClientRecipient ClientReason = "recipient"
	ClientApp       ClientReason = "app"
	ClientSession   ClientReason = "session"
)

func (e *ClientError) Error() string {
	switch e.Reason {
	case ClientRevoked:
		return fmt.Sprintf("client %q was revoked at %s", e.Client, e.Detail)
	case ClientExpired:
		return fmt.Sprintf("client %q expired at %s", e.Client, e.Detail)
	case ClientRecipient:
		return fmt.Sprintf("client %q may not pay recipient %s", e.Client, e.Detail)
	case ClientApp:
		return fmt.Sprintf("client %q may not pay for app %q", e.Client, e.Detail)
	}
	return fmt.Sprintf("session %q is not client %q's", e.Detail, e.Client)
}

// Status implements live.Refusal.
func (e *ClientError) Status() int {
	if e.Reason == ClientRevoked || e.Reason == ClientExpired {
		return http.StatusUnauthorized
	}
	return http.StatusForbidden
}

// CheckActive fails with *ClientError for a client that was revoked or has expired.
func (c *Client) CheckActive(at time.Time) error {
	switch {
	case !c.RevokedAt.IsZero():
		return c.refuse(ClientRevoked, c.RevokedAt)
	case !c.ExpiresAt.IsZero() && !at.Before(c.ExpiresAt):
		return c.refuse(ClientExpired, c.ExpiresAt)
	}
	return nil
}

func (c *Client) refuse(reason ClientReason, since time.Time) error {
	return &ClientError{c.Name, reason, since.Format(time.RFC3339)}
}

// checkTerms fails with *ClientError for a new payment that the client's terms do not allow,
// whatever it costs.
func (c *Client) checkTerms(recipient common.Address, app string) error {
	refuse := func(reason ClientReason, detail string) error { return &ClientError{c.Name, reason, detail} }
	switch {
	case len(c.Terms.Recipients) > 0 && !slices.Contains(c.Terms.Recipients, recipient):
		return refuse(ClientRecipient, recipient.Hex())
	case len(c.Terms.Apps) > 0 && !slices.Contains(c.Terms.Apps, app):
		return refuse(ClientApp, app)
	}
	return nil
}
