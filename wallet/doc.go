// Package wallet pays Livepeer orchestrators with probabilistic micropayments, and manages the
// deposit and the reserve behind the tickets. It does for a Go program what the command pmctl does
// for a shell.
//
// Open takes a Config (network, nodes, store, account, limits, UI) and returns a Wallet. Each flow
// is a method: Pay, Mint, Stream, Fund, Exit and others. A flow that sends a transaction calls the
// packages below this one in an order that keeps money safe:
//
//  1. Read the account's state from one node. Its contracts must be the built-in or pinned
//     ones.
//  2. Resume: if the journal has an unfinished transaction of the same action, continue it and
//     begin no second one.
//  3. Plan: decide what to send, simulate it, and check its price against the user's limits.
//  4. Confirm: show what will be sent, and which pending transactions of the account may be
//     mined with it. If the answer took time, read the state and plan again.
//  5. Sign with a nonce that no other transaction has, and write the journal durably.
//  6. Send. Whatever the node answers, the intent keeps its nonce.
//  7. Wait until the chain shows which transaction used the nonce, and record the result.
//  8. Report to the user, and only then mark the intent as reported, so that a run that dies
//     in between is resumed by the next one.
package wallet
