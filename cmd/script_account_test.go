package cmd

import (
	"path/filepath"
	"strings"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/rogpeppe/go-internal/testscript"
)

// makeAccount makes an account that a script has: account KEY [VARIABLE]. Its key file, under the
// passphrase in the file pass, is where pmctl account import would write it, and the
// variable becomes its address.
func makeAccount(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 || len(args) > 2 {
		ts.Fatalf("usage: account KEY [VARIABLE]")
	}
	key, err := crypto.HexToECDSA(strings.TrimPrefix(strings.TrimSpace(ts.ReadFile(args[0])), "0x"))
	ts.Check(err)
	passphrase, _, _ := strings.Cut(ts.ReadFile("pass"), "\n")
	ts.Check(writeKey(filepath.Join(ts.Getenv("XDG_DATA_HOME"), "pmctl", "keystore"), key, passphrase))
	if len(args) == 2 {
		ts.Setenv(args[1], crypto.PubkeyToAddress(key.PublicKey).Hex())
	}
}
