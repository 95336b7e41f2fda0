// Package agent keeps one account's key open for other processes of the same user, and signs what
// the user's limits allow.
//
// A Service enforces the limits. It signs tickets, transactions, requests for params and payments'
// credentials, each recomputed from its meaning, and never a hash that a client sends. Handler
// serves it over HTTP. Listen opens the Unix socket for it, which only the user's own processes can
// reach. Client and Signer are the clients' side.
//
// Tickets are created in an order that keeps money safe: check the limits and the chain, require
// the open key, reserve the nonces in the store together with their cost, then create all
// signatures and send them in one answer. A lost answer leaves nonces unused and never repeats one.
package agent
