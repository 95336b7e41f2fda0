// Package nodes asks the nodes of a network over JSON-RPC: one of several, whatever their
// quirks, and the next one if it does not answer. It reads blocks, accounts and transactions,
// and does not interpret contracts.
//
// Reads that belong together are one Batch, which one node answers in as few requests as it
// accepts. A failure to answer is a *NodeError.
package nodes
