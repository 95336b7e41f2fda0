package cmd

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// refuses runs a command line that must fail with the exit code and code, and returns the
// error's message and hint.
func (s *shell) refuses(exit int, code, line string) string {
	s.t.Helper()
	got, _, errs := s.speak(line + " --output json")
	var said errorDocument
	require.NoError(s.t, json.Unmarshal([]byte(errs), &said), "%s: exit %d", line, got)
	require.Equal(s.t, exit, got, "%s: %s", line, errs)
	require.Equal(s.t, code, said.Error.Code, errs)
	return said.Error.Message + "\n" + said.Error.Hint
}

// TestNoTicketsForAnInactiveRecipient: a recipient that has left the pool refuses every
// payment and keeps the tickets, so that none is made for it.
func TestNoTicketsForAnInactiveRecipient(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 2})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	url, recipient := s.net.Recipients()[0].State().URL, s.net.Recipients()[0].State().Address
	params := s.params(url)
	batch := filepath.Join(t.TempDir(), "batch.json")
	s.run(exitDone, "pay --value 1wei "+url)
	s.print("ticket batch --count 1 --params " + params + " --out " + batch)
	require.NoError(t, s.net.DeactivateTranscoder(t.Context(), recipient))

	spent := s.run(exitDone, "budget")
	for _, line := range []string{
		"pay --value 1wei " + url, // on params that were kept
		"pay --value 1wei --request-id once " + url,
		"ticket batch --count 1 --params " + params,
		"ticket batch --count 1 --recipient-url " + url,
		"ticket deliver " + url + " " + batch,
		"params show " + params,
		"doctor " + url,
	} {
		says := s.refuses(exitUnacceptable, "inactive_recipient", line)
		require.Contains(t, says, recipient.Hex(), line)
		require.Contains(t, says, "pmctl recipient list", line)
	}
	require.Equal(t, spent, s.run(exitDone, "budget"), "nothing was reserved")

	// Who knows better is not kept from it. The local recipient refuses, as real ones do.
	s.run(exitDone, "ticket batch --inactive-ok --count 1 --params "+params)
	for _, line := range []string{
		"pay --inactive-ok --value 1wei " + url,
		"ticket deliver --inactive-ok " + url + " " + batch,
	} {
		require.Contains(t, s.refuses(exitFailed, "refused", line), "inactive", line)
	}
}

// TestNoTicketsForARecipientOnAnotherChain: two networks that nothing but their rounds'
// block hashes tells apart.
func TestNoTicketsForARecipientOnAnotherChain(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	other, err := devnet.Start(t.Context(), devnet.Config{Recipients: 1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, other.Close()) })
	give(t, other, crypto.PubkeyToAddress(s.net.Accounts()[0].Key.PublicKey))
	s.env["PMCTL_NETWORK"] = ""
	network := " --controller " + other.Controller().Hex() + " --chain-id 1337 --rpc-url " + other.RPCURL()
	there := network + " --store " + filepath.Join(t.TempDir(), "there.db")
	s.run(exitDone, "fund --deposit 0.4eth --reserve 0.4eth --yes"+there)
	s.env["PMCTL_NETWORK"] = "devnet"
	url := other.Recipients()[0].State().URL
	params := s.params(url)
	batch := filepath.Join(t.TempDir(), "batch.json")
	s.env["PMCTL_NETWORK"] = ""
	s.print("ticket batch --count 1 --recipient-url " + url + " --out " + batch + there)
	s.env["PMCTL_NETWORK"] = "devnet"

	for _, line := range []string{
		"pay --value 1wei --inactive-ok " + url,
		"ticket batch --count 1 --inactive-ok --params " + params,
		"ticket batch --count 1 --recipient-url " + url,
		"ticket deliver --inactive-ok " + url + " " + batch,
		"params show " + params,
		"doctor " + url,
	} {
		says := s.refuses(exitUnacceptable, "other_chain", line)
		require.Contains(t, says, "another chain", line)
		require.Contains(t, says, "--rpc-url", line)
	}
	// The recipient takes each nonce once: it takes the batch, which was not sent before.
	s.env["PMCTL_NETWORK"] = ""
	s.run(exitDone, "ticket deliver "+url+" "+batch+network)
	s.env["PMCTL_NETWORK"] = "devnet"

	// Of a later round than here the node may only be behind.
	require.NoError(t, other.NextRound(t.Context(), 3))
	require.Contains(t, s.refuses(exitUnacceptable, "other_chain", "pay --value 1wei "+url), "or your node is behind")
}

// params fetches a recipient's ticket params into a file.
func (s *shell) params(url string) string {
	s.t.Helper()
	path := filepath.Join(s.t.TempDir(), "params.json")
	require.NoError(s.t, os.WriteFile(path, []byte(s.print("params fetch --output json "+url)), 0o600))
	return path
}
