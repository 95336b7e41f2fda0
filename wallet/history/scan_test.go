package history_test

import (
	"context"
	"errors"
	"math"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

// world is a network with a sender that funds its deposit.
type world struct {
	t      *testing.T
	net    *devnet.Devnet
	client *chain.Client
	broker common.Address
	acts   *devnet.Sender
	sender common.Address
}

func newWorld(t *testing.T) *world {
	t.Helper()
	d, err := devnet.Start(t.Context(), devnet.Config{Accounts: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	state := d.State()
	client, err := chain.Dial(t.Context(), d.RPCURL(), state.Network())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	key, err := signer.RawKey([]byte(common.Bytes2Hex(crypto.FromECDSA(d.Accounts()[0].Key))))
	require.NoError(t, err)
	t.Cleanup(key.Close)
	return &world{t, d, client, d.Contracts()["TicketBroker"], devnet.NewSender(client, key), key.Address()}
}

// fund adds to the deposit, in a block of its own.
func (w *world) fund(amount uint64) {
	w.t.Helper()
	sent, err := w.acts.Send(w.t.Context(), w.broker, wei.FromUint64(amount), contract.NewTicketBroker().PackFundDeposit())
	require.NoError(w.t, err)
	_, err = w.acts.Wait(w.t.Context(), sent.Hash())
	require.NoError(w.t, err)
}

// limited is a node that answers for so many blocks at once, and counts what it answers.
type limited struct {
	*chain.Client
	blocks uint64
	// asked are the requests that were answered.
	asked [][2]uint64
	// fails ends a scan before a request, when it is not nil.
	fails func() error
}

func (l *limited) SenderLogs(ctx context.Context, sender common.Address, first, last uint64) ([]types.Log, error) {
	if last-first+1 > l.blocks {
		return nil, chain.ErrTooMuch
	}
	if l.fails != nil {
		if err := l.fails(); err != nil {
			return nil, err
		}
	}
	l.asked = append(l.asked, [2]uint64{first, last})
	return l.Client.SenderLogs(ctx, sender, first, last)
}

// amounts are what was funded.
func amounts(t *testing.T, scan *history.Scan) (all []uint64) {
	t.Helper()
	events, err := history.Decode(scan.Logs)
	require.NoError(t, err)
	for _, e := range events {
		require.Equal(t, history.DepositFunded, e.Kind)
		require.False(t, e.Time.IsZero())
		all = append(all, e.Deposit.Big().Uint64())
	}
	return all
}

// once is how many of the first blocks were asked for, each of which must be asked for
// once.
func (l *limited) once(t *testing.T, below uint64) (count uint64) {
	t.Helper()
	seen := make(map[uint64]bool)
	for _, r := range l.asked {
		require.LessOrEqual(t, r[1]-r[0]+1, l.blocks)
		for n := r[0]; n <= r[1] && n < below; n++ {
			require.False(t, seen[n], "block %d is read twice", n)
			seen[n] = true
		}
	}
	return uint64(len(seen))
}

func TestScan(t *testing.T) {
	w := newWorld(t)
	w.fund(1)
	require.NoError(t, w.net.Mine(t.Context(), 200))
	w.fund(2)
	require.NoError(t, w.net.Mine(t.Context(), 200))
	w.fund(3)
	folder := filepath.Join(t.TempDir(), "new", "cache")
	cache := func() *history.Cache {
		return history.NewCache(folder, w.net.ChainID().Uint64(), w.broker, w.sender)
	}
	head, err := w.client.Head(t.Context())
	require.NoError(t, err)

	// A node with a limit is asked for as much as it answers, each block once.
	node := &limited{Client: w.client, blocks: 7}
	scanner := &history.Scanner{Node: node, Sender: w.sender}
	scan, err := scanner.Scan(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 2, 3}, amounts(t, scan))
	require.Equal(t, head.Number+1, node.once(t, math.MaxUint64))
	done, total := scanner.Progress()
	require.Equal(t, []uint64{head.Number + 1, head.Number + 1}, []uint64{done, total})

	events, err := history.Decode(scan.Logs)
	require.NoError(t, err)
	var deposits []string
	balances, _ := history.Balances(events, wei.FromUint64(6), wei.Wei{})
	for _, b := range balances {
		deposits = append(deposits, b.Wei.RatString())
	}
	require.Equal(t, []string{"0", "1", "3", "6"}, deposits)

	// One that ends before it is done goes on where it was.
	node = &limited{Client: w.client, blocks: 7}
	away, left := errors.New("away"), 0
	node.fails = func() error {
		if left--; left < 0 {
			return away
		}
		return nil
	}
	var reached []uint64
	old := head.Number - 63 // blocks from here on are too young to be kept
	for {
		left = 20
		scan, err = (&history.Scanner{Node: node, Sender: w.sender, Cache: cache()}).Scan(t.Context(), 0)
		if err == nil {
			break
		}
		require.ErrorIs(t, err, away)
		reached = append(reached, node.once(t, old))
		require.Less(t, len(reached), 100)
	}
	require.Equal(t, old, node.once(t, old))
	require.Equal(t, []uint64{1, 2, 3}, amounts(t, scan))
	require.Greater(t, len(reached), 2)

	// What is kept is not read again, but for the youngest.
	node = &limited{Client: w.client, blocks: 1000}
	w.fund(4)
	scan, err = (&history.Scanner{Node: node, Sender: w.sender, Cache: cache()}).Scan(t.Context(), 0)
	require.NoError(t, err)
	require.Equal(t, []uint64{1, 2, 3, 4}, amounts(t, scan))
	require.EqualValues(t, 65, node.once(t, math.MaxUint64))

	// A changed file counts as missing, and so does one of another chain.
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Len(t, files, 1)
	path := filepath.Join(folder, files[0].Name())
	kept, err := os.ReadFile(path)
	require.NoError(t, err)
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	for i := 0; i < len(kept); i += len(kept) / 20 {
		bad := append([]byte(nil), kept...)
		bad[i] ^= 1
		require.NoError(t, os.WriteFile(path, bad, 0o600))
		node = &limited{Client: w.client, blocks: 1000}
		scan, err = (&history.Scanner{Node: node, Sender: w.sender, Cache: cache()}).Scan(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, []uint64{1, 2, 3, 4}, amounts(t, scan))
		require.Equal(t, head.Number+2, node.once(t, math.MaxUint64), "byte %d", i)
	}
	other := newWorld(t)
	require.NoError(t, other.net.Mine(t.Context(), 500))
	elsewhere := history.NewCache(folder, other.net.ChainID().Uint64(), w.broker, w.sender)
	node = &limited{Client: other.client, blocks: 1000}
	scan, err = (&history.Scanner{Node: node, Sender: w.sender, Cache: elsewhere}).Scan(t.Context(), 0)
	require.NoError(t, err)
	require.Empty(t, scan.Logs)
}

// A node's newest block may be older than that of an earlier scan, if servers behind one URL differ.
// What that scan saved is not read again.
func TestScanOfAnOlderHead(t *testing.T) {
	w := newWorld(t)
	w.fund(1)
	require.NoError(t, w.net.Mine(t.Context(), 200))
	older, err := w.client.Head(t.Context())
	require.NoError(t, err)
	folder := t.TempDir()
	scan := func(newest chain.Head) (done, total, asked uint64) {
		t.Helper()
		node := &limited{Client: w.client, blocks: 1000}
		scanner := &history.Scanner{
			Node: node, Sender: w.sender, Newest: newest, Cache: history.NewCache(folder, w.net.ChainID().Uint64(), w.broker, w.sender),
		}
		scan, err := scanner.Scan(t.Context(), 0)
		require.NoError(t, err)
		require.Equal(t, []uint64{1}, amounts(t, scan))
		done, total = scanner.Progress()
		return done, total, node.once(t, math.MaxUint64)
	}
	require.NoError(t, w.net.Mine(t.Context(), 1))
	scan(chain.Head{})
	done, total, asked := scan(older)
	require.Equal(t, []uint64{63, 63, 63}, []uint64{done, total, asked})

	// All that is asked for is saved already.
	require.NoError(t, w.net.Mine(t.Context(), 100))
	scan(chain.Head{})
	done, total, asked = scan(older)
	require.Equal(t, []uint64{0, 0, 0}, []uint64{done, total, asked})
	_, _, asked = scan(chain.Head{})
	require.EqualValues(t, 165, asked)
}

// What others replace is forgotten, if it was young, or read again if it was old.
func TestScanAfterReorg(t *testing.T) {
	w := newWorld(t)
	w.fund(1)
	require.NoError(t, w.net.Mine(t.Context(), 80))
	w.fund(2)
	require.NoError(t, w.net.Mine(t.Context(), 10))
	scanner := &history.Scanner{
		Node: w.client, Sender: w.sender, Cache: history.NewCache(t.TempDir(), w.net.ChainID().Uint64(), w.broker, w.sender),
	}
	read := func() []uint64 {
		t.Helper()
		scan, err := scanner.Scan(t.Context(), 0)
		require.NoError(t, err)
		return amounts(t, scan)
	}
	require.Equal(t, []uint64{1, 2}, read())
	require.NoError(t, w.net.Reorg(t.Context(), 11))
	require.Equal(t, []uint64{1}, read())
	w.fund(3)
	require.Equal(t, []uint64{1, 3}, read())
	require.NoError(t, w.net.Reorg(t.Context(), 94))
	require.NoError(t, w.net.Mine(t.Context(), 5))
	require.Empty(t, read(), "a kept block was replaced")
}

// Events that do not fit together are none of the contract's.
func TestDecodeRefuses(t *testing.T) {
	broker := contract.NewTicketBroker().GetABI()
	word := func(n int64) []byte { return common.BigToHash(big.NewInt(n)).Bytes() }
	log := func(name string, tx byte, data ...[]byte) types.Log {
		var all []byte
		for _, d := range data {
			all = append(all, d...)
		}
		topics := []common.Hash{broker.Events[name].ID, {31: 1}}
		if name == "WinningTicketTransfer" || name == "WinningTicketRedeemed" {
			topics = append(topics, common.Hash{31: 2})
		}
		return types.Log{Topics: topics, Data: all, TxHash: common.Hash{tx}}
	}
	transfer, funded := log("WinningTicketTransfer", 1, word(5)), log("DepositFunded", 1, word(5))
	ticket := log("WinningTicketRedeemed", 1, word(5), word(6), word(7), word(8), word(160), word(0))
	events, err := history.Decode([]types.Log{transfer, ticket, funded})
	require.NoError(t, err)
	require.Len(t, events, 2)
	require.Equal(t, "5", events[0].Redemption.Paid.Decimal())
	require.Equal(t, crypto.Keccak256Hash(word(8)), events[0].Redemption.RecipientRandHash)

	for name, logs := range map[string][]types.Log{
		"no kind":              {{}},
		"another kind":         {{Topics: []common.Hash{{1}}}},
		"no ticket":            {transfer},
		"another transaction":  {transfer, log("WinningTicketRedeemed", 2, ticket.Data)},
		"something else":       {transfer, funded, ticket},
		"more claimed":         {log("ReserveClaimed", 1, word(2), word(6)), transfer, ticket},
		"an empty ticket":      {log("WinningTicketRedeemed", 1)},
		"half a ticket":        {log("WinningTicketRedeemed", 1, word(5), word(6))},
		"a sender and no more": {{Topics: []common.Hash{broker.Events["DepositFunded"].ID}, Data: word(5)}},
	} {
		_, err := history.Decode(logs)
		require.ErrorIs(t, err, history.ErrEvents, name)
	}
	_, err = history.Decode([]types.Log{log("DepositFunded", 1)})
	require.Error(t, err)
}
