// Package wallet is what a wallet does: it is to a Go program what pmctl is to a shell.
//
// Open takes a Config: the network and its nodes, the store, the account, the user's
// limits, and a UI to ask and tell. Each flow is a method, in a file of its own. What keeps
// money safe is the order in which a flow calls the packages below this one, and no caller
// has to know it:
//
//  1. Look: read where the account stands, through one node, whose contracts must be those
//     that are built in or pinned.
//  2. Resume: what an earlier run of the same began, as the journal has it, is continued,
//     and nothing new is begun beside it.
//  3. Plan: decide what to send, simulate it, and hold its price to the user's limits.
//  4. Agree: show the user what will be sent, and what else of the account may be mined with
//     it. When the answer took time, look and plan again.
//  5. Sign, with a nonce that nothing else has, and write the journal, durably.
//  6. Send. Whatever the node answers, the intent keeps its nonce.
//  7. Wait until the chain shows what became of the nonce, and record that.
//  8. Report to the user, and only then mark the intent as reported: a run that dies in
//     between is continued by the next one.
package wallet
