package pm

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/ethereum/go-ethereum/crypto"
)

// Mint signs one ticket for each nonce of the range and hands them to emit in
// nonce order. It neither checks the params against limits nor remembers nonces: the
// caller has reserved the range, durably where that matters. A nil expiration stands
// for the params' own.
//
// What emit is given is valid until it returns: its Sig may be reused. Mint stops at
// emit's first error, and when ctx ends, and returns that error. Before it signs
// anything it fails with *FieldError for numbers that do not fit their fields and
// with *NonceCapError for a range beyond 2^32-1.
func Mint(ctx context.Context, signer Signer, params *TicketParams, expiration *TicketExpirationParams, nonces NonceRange, emit func(TicketSenderParams) error) error {
	if err := params.CheckFields(); err != nil {
		return err
	}
	ticket := NewTicket(params, expiration, signer.Account().Address, 0)
	if err := ticket.CheckFields(); err != nil {
		return err
	}
	if nonces.Count == 0 {
		return ctx.Err()
	}
	if nonces.First == 0 {
		return fmt.Errorf("nonces begin at 1, not at 0")
	}
	last := uint64(nonces.First) + uint64(nonces.Count) - 1
	if last > math.MaxUint32 {
		return &NonceCapError{RecipientRandHash: params.RecipientRandHash, Used: nonces.First - 1, Asked: uint64(nonces.Count), Cap: math.MaxUint32}
	}
	// Only the nonce differs from one ticket's bytes to the next.
	template, keccak := ticket.flatten(), crypto.NewKeccakState()
	for nonce := uint64(nonces.First); nonce <= last; nonce++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		binary.BigEndian.PutUint32(template[nonceOffset:], uint32(nonce))
		hash := crypto.HashData(keccak, template)
		sig, err := signer.Sign(hash[:])
		if err != nil {
			return fmt.Errorf("sign the ticket with nonce %d: %w", nonce, err)
		}
		if !wellFormedSig(sig) {
			return fmt.Errorf("sign the ticket with nonce %d: the signer's answer is not 65 bytes R‖S‖V with low S and V 27 or 28", nonce)
		}
		if err := emit(TicketSenderParams{SenderNonce: uint32(nonce), Sig: sig}); err != nil {
			return err
		}
	}
	return nil
}
