// Package nodes asks the nodes of a network over JSON-RPC: one of several, whatever their
// quirks, and another one where that does not answer. It knows blocks, accounts and
// transactions, and nothing of what a contract means.
//
// What belongs together is one Batch, which one node answers in as few requests as it
// takes. What a node does in place of answering is a *NodeError.
package nodes
