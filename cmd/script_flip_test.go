package cmd

import (
	"os"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pmctl/pmctl/pm/wire"
)

// flip changes one bit of the first signature in a file of headers: flip FILE.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: flip FILE")
	}
	lines := strings.SplitAfter(ts.ReadFile(args[0]), "\n")
	name, value, found := strings.Cut(strings.TrimSpace(lines[0]), ": ")
	if !found || name != wire.PaymentHeader {
		ts.Fatalf("%s does not begin with a %s header", args[0], wire.PaymentHeader)
	}
	payment, err := wire.DecodePaymentHeader(value)
	ts.Check(err)
	payment.TicketSenderParams[0].Sig[10] ^= 1
	value, err = wire.EncodeHeader(payment)
	ts.Check(err)
	lines[0] = name + ": " + value + "\n"
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(lines, "")), 0o600))
}
