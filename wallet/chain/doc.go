// Package chain reads the network's contracts: which network this is, where its
// contracts are, what they keep for a sender, and what time it is, in rounds and in
// L1 blocks.
//
// Dial connects to a node and reads nothing yet. The first read checks that the node
// serves the chain that was meant and finds the contracts through the network's
// controller. What belongs together is read in one JSON-RPC batch. How nodes are asked is
// package nodes'.
//
// Watch follows the chain for a recipient: each block as the node tells of it over
// WebSocket, or at an interval. It finds out when other blocks replace those it has
// seen.
package chain
