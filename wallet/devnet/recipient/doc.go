// Package recipient is the local network's recipient: it speaks the deployed
// node's wire protocol and is paid on the local chain.
//
// What it decides is decided by package pm: pm.Recipient makes the params and
// takes the tickets, pm.LocalSenderMonitor watches the senders and redeems the
// winners. This package adds what surrounds them in a node: the gRPC method
// GetOrchestrator and the HTTP method POST /payment on one port, over TLS and in
// the clear, auth tokens, the senders' credit, a status page, and faults that
// tests switch on. Winners wait in a store of package store: a recipient that is
// killed redeems them in its next life.
//
// # The default economy
//
// A demonstration wants a ticket to win soon, a sender's default limits want a
// ticket's EV at 3000 gwei or less and a batch's at 20000 gwei or less, and the
// redemption queue wants a face value above redeemGas · gasPrice. A recipient's
// face value is redeemGas · gasPrice · txCostMultiplier and its winProb is
// EV / faceValue, so DefaultEconomy takes
//
//	redeemGas = 200,000   gasPrice = 0.01 gwei   txCostMultiplier = 2   EV = 1000 gwei
//
// A redemption is then reckoned at 2000 gwei, a face value is 4000 gwei, winProb
// is 1/4, and a batch of up to 19 tickets passes the sender's default limits. The
// gas price is the one the recipient reckons with, Arbitrum One's in quiet times;
// what the local chain charges for the redemption is its own affair.
package recipient
