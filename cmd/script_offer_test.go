package cmd

import (
	"context"
	"crypto/rand"
	"flag"
	"math/big"
	"os"
	"path/filepath"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/wei"
)

// makeOffer writes ticket params as a recipient makes them whose secret number the
// script knows:
//
//	offer [-win all|some|none] [-face AMOUNT] [-blocks N] SENDER PARAMS RAND
//
// The devnet's recipient is paid. All is all but one in 2^128, some is one in two.
func makeOffer(ts *testscript.TestScript, neg bool, args []string) {
	flags := flag.NewFlagSet("offer", flag.ContinueOnError)
	win := flags.String("win", "all", "")
	face := flags.String("face", "1000000gwei", "")
	blocks := flags.Uint64("blocks", 10, "")
	ts.Check(flags.Parse(args))
	if neg || flags.NArg() != 3 {
		ts.Fatalf("usage: offer [-win all|some|none] [-face AMOUNT] [-blocks N] SENDER PARAMS RAND")
	}
	winProb, ok := map[string]*big.Int{"all": alwaysWins(), "some": new(big.Int).Lsh(big.NewInt(1), 255), "none": big.NewInt(1)}[*win]
	if !ok {
		ts.Fatalf("-win %s", *win)
	}
	state, err := chain.ReadDevnetState(filepath.Join(ts.Getenv("XDG_STATE_HOME"), "pmctl", "devnet.json"))
	ts.Check(err)
	client, err := chain.Dial(context.Background(), ts.Getenv("RPC"), state.Network())
	ts.Check(err)
	defer client.Close()
	head, err := client.Head(context.Background())
	ts.Check(err)
	amount, err := wei.Parse(*face)
	ts.Check(err)
	number, err := writeOffer(ts.MkAbs(flags.Arg(1)), common.HexToAddress(flags.Arg(0)), pm.TicketParams{
		Recipient:       common.HexToAddress(ts.Getenv("RECIPIENT")),
		FaceValue:       amount.Big(),
		WinProb:         winProb,
		ExpirationBlock: new(big.Int).SetUint64(head.L1Block + *blocks),
	})
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(flags.Arg(2)), []byte(number+"\n"), 0o600))
}

// alwaysWins is the win probability of all but one ticket in 2^128.
func alwaysWins() *big.Int {
	return new(big.Int).Sub(new(big.Int).Lsh(big.NewInt(1), 256), new(big.Int).Lsh(big.NewInt(1), 128))
}

// writeOffer writes ticket params for a sender to a file, and returns their secret number.
func writeOffer(path string, sender common.Address, offer pm.TicketParams) (number string, err error) {
	secret := make([]byte, 32)
	if _, err := rand.Read(secret); err != nil {
		return "", err
	}
	offer.RecipientRandHash, offer.Seed = crypto.Keccak256Hash(secret), big.NewInt(1)
	params, err := wire.FromTicketParams(&offer)
	if err != nil {
		return "", err
	}
	document, err := format.ParamsFromInfo(&wire.OrchestratorInfo{TicketParams: params}, sender, "", "", time.Now())
	if err != nil {
		return "", err
	}
	out, err := os.Create(path)
	if err != nil {
		return "", err
	}
	defer out.Close()
	return new(big.Int).SetBytes(secret).String(), format.Write(out, format.KindParams, document)
}
