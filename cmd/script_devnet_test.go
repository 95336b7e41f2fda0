package cmd

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/wei"
)

// startDevnet serves a local network until the script ends:
//
//	devnet [-round-length N] [-unlock-period N] [-recipients N] [-accounts N]
//	       [-balance AMOUNT] [-arbitrum]
//
// pmctl finds it by its state file. The script gets CONTROL, RPC, CONTROLLER and
// BROKER, the accounts' private keys as the files key0, key1 and so on, and of the
// first recipient RECIPIENT, RECIPIENT_URL and RECIPIENT_STATUS, and to the others
// RECIPIENT_URL_1 and so on.
func startDevnet(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		ts.Fatalf("unsupported: ! devnet")
	}
	cfg := devnet.Config{StatePath: filepath.Join(ts.Getenv("XDG_STATE_HOME"), "pmctl", "devnet.json")}
	flags := flag.NewFlagSet("devnet", flag.ContinueOnError)
	flags.Uint64Var(&cfg.RoundLength, "round-length", 0, "")
	flags.Uint64Var(&cfg.UnlockPeriod, "unlock-period", 0, "")
	flags.IntVar(&cfg.Recipients, "recipients", 0, "")
	flags.IntVar(&cfg.Accounts, "accounts", 2, "")
	flags.BoolVar(&cfg.Arbitrum, "arbitrum", false, "")
	flags.Func("balance", "", func(text string) (err error) {
		cfg.Balance, err = wei.Parse(text)
		return err
	})
	ts.Check(flags.Parse(args))

	d, err := devnet.Start(context.Background(), cfg)
	ts.Check(err)
	ts.Defer(func() { ts.Check(d.Close()) })
	ts.Setenv("CONTROL", d.ControlURL())
	ts.Setenv("RPC", d.RPCURL())
	ts.Setenv("CONTROLLER", d.Controller().Hex())
	ts.Setenv("BROKER", d.Contracts()["TicketBroker"].Hex())
	for i, account := range d.Accounts() {
		key := hex.EncodeToString(crypto.FromECDSA(account.Key))
		ts.Check(os.WriteFile(ts.MkAbs(fmt.Sprintf("key%d", i)), []byte(key), 0o600))
	}
	if recipients := d.Recipients(); len(recipients) > 0 {
		ts.Setenv("RECIPIENT", recipients[0].State().Address.Hex())
		ts.Setenv("RECIPIENT_URL", recipients[0].State().URL)
		ts.Setenv("RECIPIENT_STATUS", recipients[0].State().StatusURL)
		for i, other := range recipients[1:] {
			ts.Setenv(fmt.Sprintf("RECIPIENT_URL_%d", i+1), other.State().URL)
		}
	}
}
