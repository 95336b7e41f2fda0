// Package chain reads the network's contracts: their addresses, what they store about a sender,
// and the time in rounds and L1 blocks.
//
// Dial connects to a node and reads nothing yet. The first read checks that the node serves the
// right chain, and finds the contracts through the network's controller. Reads that belong
// together are one JSON-RPC batch. Package nodes sends it.
//
// Watch follows the chain for a recipient: with each new block that the node announces over
// WebSocket, or at an interval. It detects reorgs.
package chain
