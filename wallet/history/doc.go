// Package history shows what happened to a sender's funds: the contract's events about the sender,
// and for each redemption the entry of the sender's own ledger.
//
// A Scanner reads the events, in as many requests as the node needs, and saves those that no reorg
// can change in a file (Cache). Decode combines events: a redemption has up to three of them.
// MatchAll finds the tickets in the ledger, and Draw compares the number of wins with the expected
// one.
package history
