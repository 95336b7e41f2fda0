package wallet

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// Config says which account acts, on which network, and within which limits.
type Config struct {
	// Network is where the account acts, Nodes are the URLs of its JSON-RPC nodes, the
	// preferred one first. Without any the wallet can sign, but ask nothing.
	Network chain.Network
	Nodes   []string

	// Timeout bounds what is asked of a node at once, and how long a transaction is waited
	// for; 0 is DefaultTimeout.
	Timeout time.Duration

	// AcceptContracts has the contracts that a node names replace the pinned ones.
	AcceptContracts bool

	// OnRequest, unless it is nil, is called after each request to a node or a recipient,
	// from any goroutine.
	OnRequest func(Request)

	// CacheDir is the folder of what is only quicker to have; "" for none.
	CacheDir string

	// Store is the location of the store: a file, or a database. "" opens none; such a
	// wallet sends and makes nothing.
	Store string

	// PinnedIn is the location of the store that pins the contracts, for a wallet without one.
	// It is only read.
	PinnedIn string

	// DatabasesDir is the folder in which this machine remembers the databases that it has
	// seen; "" for none.
	DatabasesDir string

	// Account acts; nil for a wallet that only looks. The wallet closes it.
	Account *signer.Account

	// Limits are the user's; policy.Default() where none are set.
	Limits policy.Limits

	// Accept are recipients that may be paid at a URL which paid another before.
	Accept []common.Address

	// RecipientTimeout bounds what is asked of a recipient at once; 0 is pay.Client's.
	RecipientTimeout time.Duration

	// Offline has tickets planned without the chain: whether params have expired and the
	// account can pay is then not known.
	Offline bool

	// UI speaks to the user; nil says nothing and asks nothing.
	UI UI

	// Now is the clock; nil is the system's.
	Now func() time.Time

	// Mined, unless it is nil, is told of each transaction of the account that was seen
	// mined.
	Mined func(ctx context.Context, account common.Address, transaction common.Hash)
}

// DefaultTimeout is the Timeout of a Config that has none.
const DefaultTimeout = 2 * time.Minute

// withDefaults is the Config with what it leaves out.
func (c Config) withDefaults() Config {
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	if c.Limits.MaxEV == nil && c.Limits.MaxFee == nil {
		c.Limits = policy.Default()
	}
	if c.UI == nil {
		c.UI = silent{}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// bound returns a context that ends after the Config's timeout.
func (c Config) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.Timeout)
}

// Wallet is an account with what it needs to act. It is for one goroutine at a time.
type Wallet struct {
	Config
	store   *store.Store
	journal *store.Journal
	node    *chain.Client
}

// Open opens the wallet's store, and makes it where there is none. No node is asked and no
// key is opened before a flow needs it. It fails with store.ErrLocation and as store.Open
// does.
func Open(ctx context.Context, config Config) (*Wallet, error) {
	w := &Wallet{Config: config.withDefaults()}
	if w.Store == "" {
		return w, nil
	}
	opened, err := OpenStore(ctx, w.Store, w.DatabasesDir, w.UI)
	if err != nil {
		return nil, err
	}
	w.store, w.journal = opened, opened.Journal(w.Network.ID())
	return w, nil
}

// ErrNoAccount and ErrNoStore are returned by flows of a wallet that was opened without
// what they need.
var (
	ErrNoAccount = errors.New("this needs an account: set Account in the wallet's Config")
	ErrNoStore   = errors.New("this needs a store: set Store in the wallet's Config")
)

// requireAccount fails where the wallet lacks what a flow needs that signs.
func (w *Wallet) requireAccount() error {
	if w.Account == nil {
		return ErrNoAccount
	}
	return w.requireStore()
}

func (w *Wallet) requireStore() error {
	if w.store == nil {
		return ErrNoStore
	}
	return nil
}

// OpenStore opens a store, and makes it where there is none. It says so when the store is
// not where, or what, it was.
func OpenStore(ctx context.Context, location, databasesDir string, ui UI) (*store.Store, error) {
	s, err := store.Open(ctx, location, store.RememberIn(databasesDir))
	if err != nil {
		return nil, err
	}
	if retired := s.Retirement(); retired != nil {
		ui.Note(fmt.Sprintf("the store %s was moved, copied or restored: %s", s.Path(), retired.Reason))
		ui.Note(fmt.Sprintf("%s retired: fetch fresh ticket params; until pmctl store acknowledge, today's budget counts as spent, and transactions and unknown request IDs are refused",
			words.Count(retired.Sessions, "session")))
	} else if s.Unremembered() {
		ui.Note(fmt.Sprintf("this machine has not used the store %s before: it cannot tell whether the database was restored from a backup", s.Path()))
	}
	return s, nil
}

// Close clears the key, and closes the connection to the node and the store. It is the
// last thing that a program does with the wallet: what it has not reported by then, the
// next run of the same continues.
func (w *Wallet) Close() {
	if w.Account != nil {
		w.Account.Close()
	}
	if w.node != nil {
		w.node.Close()
	}
	if w.store != nil {
		// Whatever was recorded is on disk; a lock that stays is taken for a run that died.
		_ = w.store.Close()
		_ = w.journal.Close()
	}
}

// note says something about what is going on.
func (w *Wallet) note(format string, args ...any) { w.UI.Note(fmt.Sprintf(format, args...)) }
