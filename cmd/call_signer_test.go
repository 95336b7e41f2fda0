package cmd

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/devnet"
)

// TestACallByARemoteSigner: a machine without a key calls, and the signer counts what that costs.
func TestACallByARemoteSigner(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	s.run(exitDone, "signer client add studio --ev-total 5000gwei")
	r := s.serveSigner("")
	token := s.run(exitDone, "signer client rotate studio")["token"].(string)
	file := filepath.Join(t.TempDir(), "token")
	require.NoError(t, os.WriteFile(file, []byte(token+"\n"), 0o600))
	keyless := newHome(t, s.net, t.TempDir())
	require.NoError(t, os.RemoveAll(filepath.Join(keyless.env["XDG_DATA_HOME"], "pmctl", "keystore")))
	url := s.net.Recipients()[0].State().URL
	call := func(code int, line string) map[string]any {
		t.Helper()
		return keyless.run(code, "call "+line+" --out "+filepath.Join(t.TempDir(), "answer")+" --signer "+r.url)
	}

	call(exitLocked, url+"/apps/fixed1/app -d hello")
	call(exitUsage, url+"/apps/fixed1/app -d hello --store other.db")
	keyless.env["PMCTL_SIGNER_TOKEN"] = token
	done := call(exitDone, url+"/apps/fixed1/app -d hello")
	require.EqualValues(t, 1, done["tickets"])
	require.Equal(t, "500000000000", done["fee_wei"])
	require.Equal(t, s.net.Accounts()[0].Address.Hex(), done["sender"])
	delete(keyless.env, "PMCTL_SIGNER_TOKEN")
	call(exitDone, url+"/apps/fixed1/app -d hello --signer-token-file "+file)
	call(exitLimit, url+"/apps/fixed1/app -d hello --max-price 1gwei/call --signer-token-file "+file)
	call(exitLimit, url+"/apps/fixed1/app -d hello --max-cost 10gwei --signer-token-file "+file)
	for _, limit := range []string{"--max-ticket-ev 1eth", "--max-total-ev 1eth", "--max-face-value 1eth", "--deposit-multiplier 1", "--max-head-age 1m", "--inactive-ok", "--network devnet", "--rpc-url " + s.net.RPCURL()} {
		call(exitUsage, url+"/apps/fixed1/app -d hello "+limit) // which would have no effect
	}
	call(exitLimit, url+"/apps/fixed1/app -d hello --recipient 0x00000000000000000000000000000000000000AA --signer-token-file "+file)

	// A second call under the same ID has another challenge: the signer signs nothing for it.
	call(exitDone, url+"/apps/fixed1/app -d hello --request-id once --signer-token-file "+file)
	code, said := keyless.try("call " + url + "/apps/fixed1/app -d hello --request-id once --out again --signer " + r.url + " --signer-token-file " + file)
	require.Equal(t, exitNotMined, code)
	require.Contains(t, said, "the remote signer signed a payment for request")

	// A ticket is worth a little more than 1000 gwei: the allowance is used up after one more.
	call(exitDone, url+"/apps/fixed1/app -d hello --signer-token-file "+file)
	call(exitFailed, url+"/apps/fixed1/app -d hello --signer-token-file "+file)
	r.stop()
	call(exitUnreachable, url+"/apps/fixed1/app -d hello --signer-token-file "+file)
}
