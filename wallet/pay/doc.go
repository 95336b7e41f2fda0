// Package pay fetches ticket params from recipients, creates tickets from them, and delivers the
// tickets.
//
// Each payment takes these steps. Whatever can be refused is refused before the next step costs
// anything:
//
//	Client.Fetch      params from the recipient, for a signed request
//	Payer.Plan        how many tickets; the limits, the chain, the nonces left
//	Payer.Reserve     nonces, on disk
//	Tickets.Sign      one signature per nonce
//	SegmentHeader     the credentials sent with the payment
//	Client.Deliver    the recipient's answer, with fresh params
//
// A payment is an HTTP header. A Session delivers one that is too large in parts, and fetches fresh
// params if one set is too small: see Session.Pay.
//
// # Authentication
//
// Recipients use self-signed certificates, so TLS keeps the exchange private and authenticates no
// one: certificates are not verified. Nothing in a recipient's answer is signed either. The
// recipient's address inside the params decides who can redeem the tickets, and that address is
// what a user pins. Connections are direct: proxies in the environment are ignored.
package pay
