package cmd

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"

	geth "github.com/ethereum/go-ethereum/accounts/keystore"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/google/uuid"
	"github.com/rogpeppe/go-internal/testscript"
)

// cheapN is what a key of a script costs to open. The strength that pmctl itself writes, of
// which the scripts of pmctl account are, would be most of what all scripts cost.
const cheapN = 2

// makeAccount makes an account that a script has: account KEY [VARIABLE]. Its key file, under the
// passphrase in the file pass, is where pmctl account import would write it, and the
// variable becomes its address.
func makeAccount(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: account KEY [VARIABLE]")
	}
	private, err := crypto.HexToECDSA(strings.TrimPrefix(strings.TrimSpace(ts.ReadFile(args[0])), "0x"))
	ts.Check(err)
	key := &geth.Key{Id: uuid.New(), Address: crypto.PubkeyToAddress(private.PublicKey), PrivateKey: private}
	passphrase, _, _ := strings.Cut(ts.ReadFile("pass"), "\n")
	file, err := geth.EncryptKey(key, passphrase, cheapN, 1)
	ts.Check(err)
	dir := filepath.Join(ts.Getenv("XDG_DATA_HOME"), "pmctl", "keystore")
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(os.WriteFile(filepath.Join(dir, "UTC--2026-01-02T03-04-05.678901234Z--"+hex.EncodeToString(key.Address[:])), file, 0o600))
	if len(args) == 2 {
		ts.Setenv(args[1], key.Address.Hex())
	}
}
