package store

import (
	"encoding/json"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// A remote signer's clients, sessions, payments and events are in the store that imports them. The
// other store may have been used since: its ticket params are retired, and no allowance counts as left.
func TestExportOfASigner(t *testing.T) { onEach(t, exportOfASigner) }

func exportOfASigner(t *testing.T, place place) {
	from := open(t, filepath.Join(t.TempDir(), "store.db"))
	credential := Credential{Kind: "token", Value: "hash"}
	client, err := from.Clients().Add(t.Context(), Client{Name: "ann", Terms: Terms{EVTotal: worth(t, 3)}, ExpiresAt: liveDay.AddDate(1, 0, 0)}, credential)
	require.NoError(t, err)
	revoked := addClient(t, from, "bob", Terms{Apps: []string{"a"}})
	require.NoError(t, from.Clients().Change(t.Context(), "bob", func(c *Client) error {
		c.RevokedAt = liveDay
		return nil
	}))
	request := func(session byte) LiveRequest {
		r := liveRequest(session, 1)
		r.Client, r.Credential = client.ID, credential
		return r
	}
	keyed := request(1)
	keyed.Key = "key"
	first := pay(t, from, keyed)
	second := pay(t, from, request(1).with(first))
	none := pay(t, from, liveRequest(2, 1))
	require.NoError(t, from.LiveUsage().Acknowledge(t.Context(), ConsumerCollector, client.ID, first.Position))
	_, err = from.SignerEvents().Raise(t.Context(), "once", liveDay, func(int64) ([]byte, error) { return []byte("event"), nil })
	require.NoError(t, err)

	dump, err := from.Export(t.Context())
	require.NoError(t, err)
	text, err := json.Marshal(dump)
	require.NoError(t, err)
	read := new(Dump)
	require.NoError(t, json.Unmarshal(text, read))
	location := place(t)
	to := open(t, location)
	require.NoError(t, to.Import(t.Context(), read))
	again, err := to.Export(t.Context())
	require.NoError(t, err)
	require.Equal(t, dump.Signer, again.Signer)
	require.Equal(t, dump.Reservations, again.Reservations, "each with its client")
	requireSound(t, location)

	// The same clients, with the same token and terms.
	found, err := to.Clients().With(t.Context(), credential, liveDay)
	require.NoError(t, err)
	require.Equal(t, client, found)
	bob, err := to.Clients().Named(t.Context(), "bob")
	require.NoError(t, err)
	require.Equal(t, revoked, bob.ID)
	require.Equal(t, liveDay, bob.RevokedAt)

	// What was not delivered still is, and what was, is not again.
	behind, err := to.LiveUsage().Behind(t.Context(), ConsumerCollector)
	require.NoError(t, err)
	require.Equal(t, []Lag{{"", 0}, {client.ID, first.Position}}, behind)
	left, err := to.LiveUsage().OfClient(t.Context(), client.ID, first.Position, 10)
	require.NoError(t, err)
	require.Equal(t, []*LivePayment{second}, left)
	raised, err := to.SignerEvents().Raise(t.Context(), "once", liveDay, func(int64) ([]byte, error) { return nil, nil })
	require.NoError(t, err)
	require.False(t, raised)

	// Answers are given again; nothing new is signed with what the other store may have used.
	requireAgain(t, second, pay(t, to, request(1).with(first)))
	requireAgain(t, first, pay(t, to, keyed))
	_, err = livePayments(to).Pay(t.Context(), request(1).with(second))
	require.ErrorIs(t, err, ErrRetired)
	_, err = livePayments(to).Pay(t.Context(), request(3).with(second))
	errorAs[*UnacknowledgedError](t, err)
	shown, err := to.Restored(t.Context())
	require.NoError(t, err)
	require.NoError(t, to.Acknowledge(t.Context(), *shown))
	third := pay(t, to, request(3).with(second))
	require.Equal(t, none.Position+1, third.Position)
	require.EqualValues(t, 2, third.Session.SequenceNumber, "the session goes on")
	_, err = livePayments(to).Pay(t.Context(), request(3).with(third))
	errorAs[*AllowanceError](t, err)

	clients := open(t, filepath.Join(t.TempDir(), "store.db"))
	addClient(t, clients, "ann", Terms{})
	require.ErrorIs(t, clients.Import(t.Context(), read), ErrNotEmpty)
}

func TestImportRefusesANonsensicalSigner(t *testing.T) {
	whole, err := busy(t).Export(t.Context())
	require.NoError(t, err)
	text, err := json.Marshal(whole)
	require.NoError(t, err)
	for name, change := range map[string]func(*DumpedSigner){
		"a client twice":      func(d *DumpedSigner) { d.Clients = append(d.Clients, d.Clients[0]) },
		"no ID":               func(d *DumpedSigner) { d.Clients[0].ID = "" },
		"terms":               func(d *DumpedSigner) { d.Clients[0].Terms = "{" },
		"a credential twice":  func(d *DumpedSigner) { d.Clients[0].Credentials = []DumpedCredential{{Kind: "a"}, {Kind: "a"}} },
		"spending":            func(d *DumpedSigner) { d.Clients[0].Spending = d.Clients[0].Spending[:1] },
		"exact":               func(d *DumpedSigner) { d.Clients[0].Spending[0].TotalEVExact = "2/2" },
		"day":                 func(d *DumpedSigner) { d.Clients[0].Spending[1].Day = "today" },
		"a payment twice":     func(d *DumpedSigner) { d.Payments = append(d.Payments, d.Payments[0]) },
		"position":            func(d *DumpedSigner) { d.Payments[0].Position = 0 },
		"payment of no one":   func(d *DumpedSigner) { d.Payments[0].Client = "x" },
		"state":               func(d *DumpedSigner) { d.Payments[0].State = "none" },
		"nonces":              func(d *DumpedSigner) { d.Payments[0].FirstNonce = 0 },
		"round":               func(d *DumpedSigner) { d.Payments[0].CreationRoundBlockHash = "0x" },
		"capabilities":        func(d *DumpedSigner) { d.Payments[0].Capabilities = "0xg" },
		"chain":               func(d *DumpedSigner) { d.Payments[0].ChainID = "one" },
		"session of no one":   func(d *DumpedSigner) { d.Sessions[0].Client = "x" },
		"no last payment":     func(d *DumpedSigner) { d.Sessions[0].Sequence = 7 },
		"acknowledged by one": func(d *DumpedSigner) { d.Acknowledged[0].Client = "x" },
		"acknowledged":        func(d *DumpedSigner) { d.Acknowledged[0].Position = -1 },
	} {
		bad := new(Dump)
		require.NoError(t, json.Unmarshal(text, bad))
		change(bad.Signer)
		s := open(t, filepath.Join(t.TempDir(), "store.db"))
		require.ErrorIs(t, s.Import(t.Context(), bad), ErrBadDump, name)
		all, err := s.Clients().Accounts(t.Context(), time.Now())
		require.NoError(t, err)
		require.Empty(t, all, name)
	}
}
