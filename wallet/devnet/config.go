package devnet

import (
	"cmp"
	"context"
	"crypto/ecdsa"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Chain IDs of the local network. No public network has them, so a signature for it cannot be
// replayed elsewhere.
const (
	ChainID         = 1337
	ArbitrumChainID = 412346
)

// ArbitrumL1Offset is how far L1 block numbers are ahead of the chain's own in the Arbitrum
// mode: far enough that the two cannot be confused.
const ArbitrumL1Offset = 300_000_000

// Defaults of Config.
const (
	// DefaultAccounts is how many funded accounts there are.
	DefaultAccounts = 10

	// DefaultRoundLength is in L1 blocks. A recipient's params last 40 blocks, and their
	// winners can be redeemed only after that, in the round of their creation or the next one:
	// a shorter round would leave too little time.
	DefaultRoundLength = 50

	// DefaultUnlockPeriod is in rounds.
	DefaultUnlockPeriod = 7
)

// defaultBalance is the balance of an account of the local network.
const defaultBalance = "1000eth"

// ErrConfig is wrapped by errors about an invalid Config.
var ErrConfig = errors.New("invalid settings for the local network")

// Config has the settings of a local network. The zero value is good for most uses.
type Config struct {
	// Port serves JSON-RPC over HTTP and WebSocket, ControlPort the control API, both on
	// 127.0.0.1. 0 takes a free port.
	Port, ControlPort int

	// Accounts is the number of funded accounts, each with Balance wei (1000 ETH if it is
	// zero). A negative number means none; 0 means DefaultAccounts.
	Accounts int
	Balance  wei.Wei

	// Seed derives the accounts' keys, the same at each start. Without it they are random.
	// Anyone can derive the keys of a seed.
	Seed string

	// RoundLength is in L1 blocks, UnlockPeriod in rounds. 0 means the default.
	RoundLength, UnlockPeriod uint64

	// ManualRounds leaves rounds uninitialized until a caller initializes them.
	ManualRounds bool

	// BlockTime seals a block each period instead of one per transaction.
	BlockTime time.Duration

	// Arbitrum adds an L1 block number, ArbitrumL1Offset ahead, to every block that the node
	// returns, formatted as L1Numbers.
	Arbitrum  bool
	L1Numbers L1NumberFormat

	// Recipients is the number of recipients to run, each an active transcoder from the first
	// round on. StartRecipient starts one; nil means the package's own.
	Recipients     int
	StartRecipient StartRecipient

	// StatePath is the file by which other programs find the network. Without it there is no
	// file.
	StatePath string
}

// StartRecipient starts a recipient. ctx limits the start only.
type StartRecipient func(ctx context.Context, env RecipientEnv) (Recipient, error)

// RecipientEnv is the environment of a starting recipient.
type RecipientEnv struct {
	// Index counts from 0.
	Index int

	// Key belongs to the recipient's funded account.
	Key *ecdsa.PrivateKey

	// RPCURL and WSURL serve JSON-RPC over HTTP and WebSocket.
	RPCURL, WSURL string
	ChainID       *big.Int

	// Controller is the registry contract, Contracts are all contracts by name.
	Controller common.Address
	Contracts  map[string]common.Address

	// Handle adds a route to the control API, for example "POST /recipient/0/fault".
	Handle func(pattern string, handler http.Handler)
}

// Recipient is a running recipient.
type Recipient interface {
	// State has the recipient's addresses; its URL becomes its service URI.
	State() chain.DevnetRecipient

	// Close ends it and everything that it runs.
	Close() error
}

// withDefaults fills in the defaults and checks the settings.
func (c Config) withDefaults() (Config, error) {
	switch {
	case c.Accounts == 0:
		c.Accounts = DefaultAccounts
	case c.Accounts < 0:
		c.Accounts = 0
	}
	if c.Balance.IsZero() {
		balance, err := wei.Parse(defaultBalance)
		if err != nil {
			return c, err
		}
		c.Balance = balance
	}
	c.RoundLength = cmp.Or(c.RoundLength, DefaultRoundLength)
	c.UnlockPeriod = cmp.Or(c.UnlockPeriod, DefaultUnlockPeriod)
	if c.StartRecipient == nil {
		c.StartRecipient = startRecipient
	}
	return c, c.check()
}

// check rejects invalid settings.
func (c Config) check() error {
	refuse := func(format string, args ...any) error {
		return fmt.Errorf("%w: "+format, append([]any{ErrConfig}, args...)...)
	}
	const mostAccounts, mostRounds, mostPort = 1000, 1 << 32, 1<<16 - 1
	_, l1Err := c.L1Numbers.encoder(0)
	switch {
	case c.Accounts > mostAccounts:
		return refuse("%d accounts, at most %d", c.Accounts, mostAccounts)
	case c.Recipients < 0 || c.Recipients > mostAccounts:
		return refuse("%d recipients, 0 to %d", c.Recipients, mostAccounts)
	case c.Port < 0 || c.Port > mostPort || c.ControlPort < 0 || c.ControlPort > mostPort:
		return refuse("ports %d and %d, 0 to %d", c.Port, c.ControlPort, mostPort)
	case c.BlockTime < 0:
		return refuse("the block time %s must not be negative", duration.Text(c.BlockTime))
	case c.RoundLength > mostRounds || c.UnlockPeriod > mostRounds:
		return refuse("a round length of %d and an unlock period of %d, at most %d", c.RoundLength, c.UnlockPeriod, uint64(mostRounds))
	case c.L1Numbers != "" && !c.Arbitrum:
		return refuse("a plain chain has no L1 block numbers to write: use the Arbitrum mode")
	case l1Err != nil:
		return refuse("%w", l1Err)
	}
	return nil
}

// l1Offset is added to a block's number to get its L1 number.
func (c Config) l1Offset() uint64 {
	if c.Arbitrum {
		return ArbitrumL1Offset
	}
	return 0
}

func (c Config) chainID() uint64 {
	if c.Arbitrum {
		return ArbitrumChainID
	}
	return ChainID
}

// keys returns keys for a role: random ones, or those of the seed.
func (c Config) keys(role string, n int) ([]*ecdsa.PrivateKey, error) {
	keys := make([]*ecdsa.PrivateKey, n)
	for i := range keys {
		var err error
		if c.Seed == "" {
			keys[i], err = crypto.GenerateKey()
		} else {
			// One hash in 2^128 is above the curve's order and not a key.
			keys[i], err = crypto.ToECDSA(crypto.Keccak256(fmt.Appendf(nil, "pmctl-devnet\x00%s\x00%s\x00%d", c.Seed, role, i)))
		}
		if err != nil {
			return nil, err
		}
	}
	return keys, nil
}
