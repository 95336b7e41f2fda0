package cmd

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/hex"
	"encoding/json"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/google/uuid"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// shell runs command lines in a home of their own, beside a local network.
type shell struct {
	t   *testing.T
	net *devnet.Devnet
	env map[string]string
}

func newShell(t *testing.T, cfg devnet.Config) *shell {
	t.Helper()
	home := t.TempDir()
	cfg.StatePath = filepath.Join(home, "devnet.json")
	d, err := devnet.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	return newHome(t, d, home)
}

// newHome is a shell with a home folder of its own beside a network that is there.
func newHome(t *testing.T, d *devnet.Devnet, home string) *shell {
	t.Helper()
	s := &shell{t: t, net: d, env: map[string]string{
		"XDG_STATE_HOME": filepath.Join(home, "state"), "XDG_DATA_HOME": filepath.Join(home, "data"),
		"PMCTL_NETWORK": "devnet", "PMCTL_DEVNET_STATE": filepath.Join(home, "devnet.json"),
		"ETH_PASSWORD": filepath.Join(home, "pass"),
	}}
	require.NoError(t, os.WriteFile(s.env["ETH_PASSWORD"], []byte("correct horse\n"), 0o600))
	keepKey(t, filepath.Join(s.env["XDG_DATA_HOME"], "pmctl", "keystore"), d.Accounts()[0].Key, "correct horse")
	return s
}

// keepKey writes a key file as writeKey does.
func keepKey(t *testing.T, folder string, key *ecdsa.PrivateKey, passphrase string) {
	t.Helper()
	require.NoError(t, writeKey(folder, key, passphrase))
}

// writeKey writes a key file that opens without work: what most tests are about is not how
// hard a passphrase is to guess.
func writeKey(folder string, key *ecdsa.PrivateKey, passphrase string) error {
	address := crypto.PubkeyToAddress(key.PublicKey)
	file, err := keystore.EncryptKey(&keystore.Key{Id: uuid.New(), Address: address, PrivateKey: key}, passphrase, 2, 1)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	name := "UTC--2026-01-02T03-04-05.000000000Z--" + hex.EncodeToString(address[:])
	return os.WriteFile(filepath.Join(folder, name), file, 0o600)
}

// run runs a command line that must end with the exit code and returns the data of
// the JSON that it prints.
func (s *shell) run(code int, line string) map[string]any {
	s.t.Helper()
	var out, errs bytes.Buffer
	got := Main(s.t.Context(), append(strings.Fields(line), "--output", "json"), &Env{
		In: strings.NewReader(""), Out: &out, Err: &errs, Now: time.Now,
		Getenv: func(name string) string { return s.env[name] },
	})
	require.Equal(s.t, code, got, "%s: %s", line, errs.String())
	var document struct{ Data map[string]any }
	if code == exitDone {
		require.NoError(s.t, json.Unmarshal(out.Bytes(), &document))
	} else {
		require.Empty(s.t, out.String())
	}
	return document.Data
}

// number is a field that holds a count or, as a string, an amount.
func (s *shell) number(data map[string]any, field string) *big.Int {
	s.t.Helper()
	if count, ok := data[field].(float64); ok {
		return big.NewInt(int64(count))
	}
	text, ok := data[field].(string)
	require.True(s.t, ok, "%s is %v", field, data[field])
	n, ok := new(big.Int).SetString(text, 10)
	require.True(s.t, ok, text)
	return n
}

// TestEveryWeiIsAccountedFor takes a deposit and a reserve all the way, and back:
// what the account has at the end is what it had, less the gas that was told.
func TestEveryWeiIsAccountedFor(t *testing.T) {
	s := newShell(t, devnet.Config{UnlockPeriod: 2})
	start := s.number(s.run(exitDone, "status"), "balance")
	spent := new(big.Int)
	act := func(line string) map[string]any {
		t.Helper()
		data := s.run(exitDone, line+" --yes")
		spent.Add(spent, s.number(data, "fee"))
		return data
	}
	total := func() *big.Int {
		t.Helper()
		data := s.run(exitDone, "status")
		sum := new(big.Int)
		for _, field := range []string{"balance", "deposit", "reserve"} {
			sum.Add(sum, s.number(data, field))
		}
		return sum
	}

	act("fund --deposit 1.000000000000000001eth --reserve 0.3eth")
	act("unlock")
	act("unlock cancel")
	act("unlock")
	require.Equal(t, new(big.Int).Sub(start, spent), total())
	s.run(exitFailed, "withdraw --yes")
	require.NoError(t, s.net.NextRound(t.Context(), 1))
	s.run(exitFailed, "withdraw --yes")
	require.Equal(t, new(big.Int).Sub(start, spent), total(), "what is refused costs nothing")
	require.NoError(t, s.net.NextRound(t.Context(), 1))
	withdrawn := act("withdraw")
	events, ok := withdrawn["events"].([]any)
	require.True(t, ok)
	require.Len(t, events, 1)
	require.Equal(t, map[string]any{
		"deposit": "1000000000000000001", "reserve": "300000000000000000", "sender": s.net.Accounts()[0].Address.Hex(),
	}, events[0].(map[string]any)["fields"])

	end := s.run(exitDone, "status")
	require.Equal(t, new(big.Int).Sub(start, spent), s.number(end, "balance"))
	require.Zero(t, s.number(end, "deposit").Sign())
	require.Zero(t, s.number(end, "reserve").Sign())
	require.Positive(t, spent.Sign())
}

// TestStatusOnArbitrum shows the L1 block beside the chain's own.
func TestStatusOnArbitrum(t *testing.T) {
	for _, as := range []devnet.L1NumberFormat{devnet.L1Hex, devnet.L1Number} {
		s := newShell(t, devnet.Config{Arbitrum: true, L1Numbers: as})
		block, ok := s.run(exitDone, "status")["block"].(map[string]any)
		require.True(t, ok)
		require.EqualValues(t, devnet.ArbitrumL1Offset, block["l1_block"].(float64)-block["number"].(float64))
		s.run(exitDone, "fund --deposit 1eth --reserve 1gwei --yes")
	}
}
