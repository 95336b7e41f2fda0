package pm

import "context"

// NonceRange is a run of sender nonces: First, First+1, … First+Count-1.
type NonceRange struct {
	// First is the lowest nonce of the range; a session's first nonce is 1.
	First uint32

	// Count is how many nonces the range has.
	Count uint32
}

// Mint signs one ticket for each nonce of the range and hands them to emit in
// nonce order. It neither checks the params nor remembers nonces: the caller has
// reserved the range, durably where that matters.
//
// What emit is given is valid until it returns: its Sig is reused. Mint stops at
// emit's first error, and when ctx ends, and returns that error.
func Mint(ctx context.Context, signer Signer, params *TicketParams, expiration *TicketExpirationParams, nonces NonceRange, emit func(TicketSenderParams) error) error {
	panic("under construction")
}
