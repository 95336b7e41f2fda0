// Package recipient is the local network's recipient: it speaks the deployed node's wire
// protocol and is paid on the local chain.
//
// Package pm makes its decisions: pm.Recipient creates the params and receives the tickets,
// pm.LocalSenderMonitor watches the senders and redeems the winners. This package adds the rest
// of a node: the gRPC method GetOrchestrator and the HTTP method POST /payment on one port,
// with and without TLS, auth tokens, the senders' credit, a status page, and faults that tests
// switch on. Winners wait in a store of package store: a recipient that is killed redeems them
// after its restart.
//
// # The default economy
//
// For a demonstration tickets should win soon, a sender's default limits need a ticket's EV of
// at most 3000 gwei and a batch's of at most 20000 gwei, and the redemption queue needs a face
// value above redeemGas · gasPrice. A recipient's face value is redeemGas · gasPrice ·
// txCostMultiplier and its winProb is EV / faceValue, so DefaultEconomy takes
//
//	redeemGas = 200,000   gasPrice = 0.01 gwei   txCostMultiplier = 2   EV = 1000 gwei
//
// A redemption then costs 2000 gwei, a face value is 4000 gwei, winProb is 1/4, and a batch of
// up to 19 tickets passes the sender's default limits. The gas price is the one the recipient
// assumes, Arbitrum One's in quiet times; the local chain's own price for the redemption does
// not matter.
package recipient
