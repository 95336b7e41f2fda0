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

// Config configures a Wallet: which account acts, on which network, within which limits.
type Config struct {
	// Network is the network to act on. Nodes are the URLs of its JSON-RPC nodes, the preferred one
	// first. A wallet without nodes can only sign.
	Network chain.Network
	Nodes   []string

	// Timeout limits each request to a node, and the wait for a transaction. 0 is DefaultTimeout.
	Timeout time.Duration

	// AcceptContracts replaces the pinned contracts by those that the node names.
	AcceptContracts bool

	// OnRequest, if set, is called after each request to another program, from any goroutine.
	OnRequest func(Request)

	// CacheDir is the folder for cached data that can be deleted at any time; "" for none.
	CacheDir string

	// Store is the location of the store: a file or a database URL. A wallet with "" has no store
	// and can neither send transactions nor create tickets.
	Store string

	// PinnedIn is the location of a store to read pinned contracts from, for a wallet without a
	// store of its own.
	PinnedIn string

	// DatabasesDir is the folder in which this machine records the databases it has used; "" for
	// none.
	DatabasesDir string

	// Account is the account that acts; nil for a wallet that only reads. Close closes it, so that
	// wallets which are open at the same time need one each.
	Account *signer.Account

	// Limits are the user's limits. If neither MaxEV nor MaxFee is set, those of policy.Default()
	// apply beside the limits that are: see policy.Limits.OrDefault.
	Limits policy.Limits

	// Accept lists recipients that may be paid at a URL that is pinned to another address.
	Accept []common.Address

	// RecipientTimeout limits each request to a recipient; 0 is the default of pay.Client.
	RecipientTimeout time.Duration

	// Offline plans tickets without asking the chain. Expired params and missing funds are then not
	// noticed.
	Offline bool

	// UI shows notes and asks questions; nil shows nothing and agrees to everything.
	UI UI

	// Now is the clock; nil is the system's.
	Now func() time.Time

	// Mined, if set, is called for each of the account's transactions that is seen mined.
	Mined func(ctx context.Context, account common.Address, transaction common.Hash)
}

// DefaultTimeout is used if Config.Timeout is 0.
const DefaultTimeout = 2 * time.Minute

func (c Config) withDefaults() Config {
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.Limits = c.Limits.OrDefault()
	c.UI = cmp.Or[UI](c.UI, silent{})
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

func (c Config) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.Timeout)
}

// Wallet pays and sends transactions for one account. It is not safe for concurrent use.
type Wallet struct {
	Config
	store   *store.Store
	journal *store.Journal
	node    *chain.Client
}

// Open opens the wallet's store, creating it if it does not exist. Nodes are dialled and the key is
// opened only when a flow needs them. It returns store.ErrLocation and the errors of store.Open.
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

// Errors of a wallet that was opened without what the flow needs, and of an Action's zero value.
var (
	ErrNoAccount = errors.New("no account: set Account in the wallet's Config")
	ErrNoAction  = errors.New("no action: use what Funding, Unlock, CancelUnlock, Withdraw or Redeem returns")
	ErrNoStore   = errors.New("no store: set Store in the wallet's Config")
	// ErrNoDocument is returned for a document that is nil.
	ErrNoDocument = errors.New("no document: it is nil")
)

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

// OpenStore opens a store, creating it if it does not exist. It notes through ui when the store was
// moved, copied or restored, and when this machine has not used its database before; ui may be nil. It
// returns ErrNoStore for the location "", and the errors of store.Open.
func OpenStore(ctx context.Context, location, databasesDir string, ui UI) (*store.Store, error) {
	if location == "" {
		return nil, ErrNoStore
	}
	s, err := store.Open(ctx, location, store.RememberIn(databasesDir))
	if err != nil {
		return nil, err
	}
	ui = cmp.Or[UI](ui, silent{})
	if retired := s.Retirement(); retired != nil {
		ui.Note(fmt.Sprintf("the store %s was moved, copied or restored: %s", s.Path(), retired.Reason))
		ui.Note(fmt.Sprintf("%s retired: fetch fresh ticket params; until pmctl store acknowledge, today's budget counts as spent, and transactions and unknown request IDs are refused",
			words.Count(retired.Sessions, "session")))
	} else if s.Unremembered() {
		ui.Note(fmt.Sprintf("this machine has not used the store %s before, so it cannot tell whether the database was restored from a backup", s.Path()))
	}
	return s, nil
}

// Close clears the key and closes the store and the connection to the node. Call it after the
// result was shown: a transaction that was not reported by then is resumed by the next run of the
// same action.
func (w *Wallet) Close() {
	if w.Account != nil {
		w.Account.Close()
	}
	if w.node != nil {
		w.node.Close()
	}
	if w.store != nil {
		// Everything recorded is on disk; a lock that remains is taken for a run that died.
		_ = w.store.Close()
		_ = w.journal.Close()
	}
}

func (w *Wallet) note(format string, args ...any) { w.UI.Note(fmt.Sprintf(format, args...)) }
