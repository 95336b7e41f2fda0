// Package pay asks recipients for ticket params, makes tickets from them, and
// delivers the tickets.
//
// One payment is always these steps, and what can be refused is refused before the
// next one costs anything:
//
//	Client.Fetch      params from the recipient, signed for
//	Payer.Plan        how many tickets; the limits, the chain, the nonces left
//	Payer.Reserve     nonces, on disk
//	Tickets.Sign      signatures, one a nonce
//	SegmentHeader     the credentials that go with the payment
//	Client.Deliver    the recipient's answer, with fresh params
//
// A payment is an HTTP header. A Session delivers one that is too large for that in parts,
// and goes on with fresh params where one set takes too few tickets: see Session.Pay.
//
// # Who is at the other end
//
// Recipients use certificates that nobody has signed, so TLS keeps what is said
// private from onlookers and proves nothing about who says it: certificates are not
// verified. Nothing in a recipient's answer is signed either. What tickets are worth
// to whom is decided by the recipient's address inside the params, and that is what a
// user pins. Connections are direct: no proxy of the environment's is asked.
package pay
