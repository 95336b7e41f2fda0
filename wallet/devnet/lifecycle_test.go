package devnet_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/wei"
)

// nodesOwn are goroutines of the node that Close does not wait for. None of them holds a port
// or a file.
var nodesOwn = []goleak.Option{
	// The filter API looks for idle filters until the process ends: it cannot be stopped.
	goleak.IgnoreTopFunction("github.com/ethereum/go-ethereum/eth/filters.(*FilterAPI).timeoutLoop"),
	// The first blocks that come together start helpers that serve all chains of the process
	// and never end.
	goleak.IgnoreTopFunction("github.com/ethereum/go-ethereum/core.(*txSenderCacher).cache"),
	// The list of peers is a database, which takes a second to free its buffers after it is
	// closed.
	goleak.IgnoreTopFunction("github.com/syndtr/goleveldb/leveldb.(*DB).mpoolDrain"),
}

func TestCloseLeavesNothing(t *testing.T) {
	for name, cfg := range map[string]devnet.Config{
		"plain":    {},
		"arbitrum": {Arbitrum: true},
		"timed":    {BlockTime: 1},
	} {
		t.Run(name, func(t *testing.T) {
			cfg.StatePath = filepath.Join(t.TempDir(), "state", "devnet.json")
			before := goleak.IgnoreCurrent()
			d, err := devnet.Start(t.Context(), cfg)
			require.NoError(t, err)
			require.NoError(t, d.Mine(t.Context(), 3))
			ports := []string{d.RPCURL(), d.WSURL(), d.ControlURL()}
			require.NoError(t, d.Close())
			require.NoError(t, d.Close(), "closing again is no error")

			http.DefaultTransport.(*http.Transport).CloseIdleConnections()
			require.NoError(t, goleak.Find(append(nodesOwn, before)...))
			for _, port := range ports {
				address, err := url.Parse(port)
				require.NoError(t, err)
				_, err = net.Dial("tcp", address.Host)
				require.Error(t, err, "%s is still open", port)
			}
			files, err := os.ReadDir(filepath.Dir(cfg.StatePath))
			require.NoError(t, err)
			require.Empty(t, files)
		})
	}
}

func TestFailedStartLeavesNothing(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer taken.Close()
	port := taken.Addr().(*net.TCPAddr).Port
	folder := t.TempDir()
	file := filepath.Join(folder, "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	cancelled, cancel := context.WithCancel(t.Context())
	cancel()
	fails := func(context.Context, devnet.RecipientEnv) (devnet.Recipient, error) {
		return nil, errors.New("no recipient today")
	}

	for name, c := range map[string]struct {
		ctx  context.Context
		cfg  devnet.Config
		want string
	}{
		"port taken":         {t.Context(), devnet.Config{Port: port}, strconv.Itoa(port)},
		"control port taken": {t.Context(), devnet.Config{ControlPort: port}, "control API"},
		"state in a file":    {t.Context(), devnet.Config{StatePath: filepath.Join(file, "devnet.json")}, "not a directory"},
		"cancelled":          {cancelled, devnet.Config{}, "canceled"},
		"no recipient":       {t.Context(), devnet.Config{Recipients: 1, StartRecipient: fails}, "no recipient today"},
	} {
		t.Run(name, func(t *testing.T) {
			before := goleak.IgnoreCurrent()
			_, err := devnet.Start(c.ctx, c.cfg)
			require.ErrorContains(t, err, c.want)
			require.NoError(t, goleak.Find(append(nodesOwn, before)...))
		})
	}
}

func TestBadConfig(t *testing.T) {
	for name, cfg := range map[string]devnet.Config{
		"recipients":        {Recipients: -1},
		"too many accounts": {Accounts: 1001},
		"block time":        {BlockTime: -1},
		"round length":      {RoundLength: 1 << 33},
		"plain L1 numbers":  {L1Numbers: devnet.L1Hex},
		"L1 numbers":        {Arbitrum: true, L1Numbers: "roman"},
		"port":              {Port: 65536},
		"control port":      {ControlPort: -1},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := devnet.Start(t.Context(), cfg)
			require.ErrorIs(t, err, devnet.ErrConfig)
		})
	}
}

func TestAccounts(t *testing.T) {
	balance, err := wei.Parse("3eth")
	require.NoError(t, err)
	w := newWorld(t, devnet.Config{Accounts: 3, Balance: balance})
	require.Len(t, w.net.Accounts(), 3)
	for _, account := range w.net.Accounts() {
		require.Equal(t, crypto.PubkeyToAddress(account.Key.PublicKey), account.Address)
		require.Equal(t, balance.Big(), w.balance(account.Address))
	}
	require.Empty(t, start(t, devnet.Config{Accounts: -1}).Accounts())
	require.Len(t, start(t, devnet.Config{}).Accounts(), devnet.DefaultAccounts)
}

func TestSeed(t *testing.T) {
	addresses := func(seed string) (all []string) {
		d := start(t, devnet.Config{Seed: seed, Accounts: 2})
		for _, account := range d.Accounts() {
			all = append(all, account.Address.Hex())
		}
		return append(all, d.Controller().Hex())
	}
	require.Equal(t, addresses("a"), addresses("a"))
	require.NotEqual(t, addresses("a"), addresses("b"))
	require.NotEqual(t, addresses(""), addresses(""))
}

func TestStateFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "folder", "devnet.json")
	d := start(t, devnet.Config{StatePath: path, Accounts: 1})
	info, err := os.Stat(path)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	state, err := chain.ReadDevnetState(path)
	require.NoError(t, err)
	require.Equal(t, d.State(), *state)
	require.Equal(t, os.Getpid(), state.PID)
	key, err := crypto.HexToECDSA(state.Accounts[0].PrivateKey[2:])
	require.NoError(t, err)
	require.Equal(t, state.Accounts[0].Address, crypto.PubkeyToAddress(key.PublicKey))
	for _, name := range []string{"Controller", "TicketBroker", "RoundsManager", "BondingManager", "Minter", "ServiceRegistry"} {
		require.NotZero(t, state.Contracts[name], name)
	}

	// Another network does not start, and leaves the file alone.
	_, err = devnet.Start(t.Context(), devnet.Config{StatePath: path})
	require.ErrorIs(t, err, devnet.ErrRunning)
	require.ErrorContains(t, err, fmt.Sprintf("(process %d, %s)", os.Getpid(), d.RPCURL()))
	again, err := chain.ReadDevnetState(path)
	require.NoError(t, err)
	require.Equal(t, state, again)
}

func TestStaleStateFileIsReplaced(t *testing.T) {
	gone := start(t, devnet.Config{Accounts: 1})
	stale := gone.State()
	require.NoError(t, gone.Close())

	for name, change := range map[string]func(*chain.DevnetState){
		"nothing listens": func(*chain.DevnetState) {},
		"no process":      func(s *chain.DevnetState) { s.PID = 1 << 30 },
		"nonsense":        func(s *chain.DevnetState) { s.PID = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "devnet.json")
			state := stale
			change(&state)
			data, err := json.Marshal(state)
			require.NoError(t, err)
			require.NoError(t, os.WriteFile(path, data, 0o600))
			d := start(t, devnet.Config{StatePath: path})
			now, err := chain.ReadDevnetState(path)
			require.NoError(t, err)
			require.Equal(t, d.RPCURL(), now.RPCURL)
		})
	}
}

func TestForeignFileIsLeftAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "diary.txt")
	require.NoError(t, os.WriteFile(path, []byte("dear diary"), 0o600))
	_, err := devnet.Start(t.Context(), devnet.Config{StatePath: path})
	require.ErrorContains(t, err, "not a local network's state file")
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, "dear diary", string(data))
}

// A file that belongs to another network by then survives this one's end.
func TestCloseLeavesAnothersFileAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "devnet.json")
	first, err := devnet.Start(t.Context(), devnet.Config{StatePath: path})
	require.NoError(t, err)
	require.NoError(t, os.Remove(path))
	second := start(t, devnet.Config{StatePath: path})
	require.NoError(t, first.Close())
	state, err := chain.ReadDevnetState(path)
	require.NoError(t, err)
	require.Equal(t, second.RPCURL(), state.RPCURL)
}
