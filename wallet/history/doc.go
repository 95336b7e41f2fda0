// Package history is what became of a sender's funds: the contract's events about it,
// each redemption beside the entry of the sender's own ledger that its ticket came from.
//
// A Scanner reads the events, in as many requests as the node wants, and keeps what no
// reorg can change any more in a file (Cache). Decode puts events together: a redemption
// is up to three of them. Match finds the tickets in the ledger, and Draw holds how many
// won against how many should have.
package history
