// Package agent keeps one account's key open for other processes of the same user, and
// signs for them what the user's limits allow.
//
// A Service is the policy: it signs tickets, a transaction, a request for params and a
// payment's credentials, each recomputed from what it is for, and never a hash that
// somebody hands it. Handler is the service over HTTP, whatever carries that; Listen is
// the Unix socket that carries it here, which only the user's own processes can reach.
// Client and Signer are the other end.
//
// Tickets are made in this order, the one that keeps money safe: the limits and the
// chain are asked, the key must be open, the nonces go to the store together with what
// they cost, and then all signatures are made and answered at once. What is lost on the
// way burns nonces and never repeats one.
package agent
