package pm

import (
	"cmp"
	"context"
	"math"

	"github.com/ethereum/go-ethereum/common"
)

// NonceRange is a range of sender nonces: First, First+1, … First+Count-1.
type NonceRange struct {
	// First is the lowest nonce of the range; a session's first nonce is 1.
	First uint32
	// Count is how many nonces the range has.
	Count uint32
}

// Last returns the highest nonce of a range that is not empty.
func (r NonceRange) Last() uint32 { return r.First + r.Count - 1 }

// NextNonces returns the range of count nonces after the first used ones of a session. It fails
// with *NonceCapError if they would go beyond limit, or beyond 2^32-1 with a limit of 0. Every
// NonceStore uses this arithmetic.
func NextNonces(recipientRandHash common.Hash, used, count, limit uint32) (NonceRange, error) {
	limit = cmp.Or(limit, math.MaxUint32)
	if uint64(used)+uint64(count) > uint64(limit) {
		return NonceRange{}, &NonceCapError{RecipientRandHash: recipientRandHash, Used: used, Asked: uint64(count), Cap: limit}
	}
	if count == 0 {
		return NonceRange{}, nil
	}
	return NonceRange{First: used + 1, Count: count}, nil
}

// NonceStore hands out the nonces of sessions and never the same one twice, to all that share
// the store and after any crash.
type NonceStore interface {
	// ReserveNonces takes the next count nonces of the session that sender and
	// params.RecipientRandHash identify. It returns once the reservation is durable; nonces
	// that are reserved and never used are lost, which costs nothing. It fails with
	// *NonceCapError, and takes none, if limit, unless it is 0, leaves too few: see NextNonces.
	ReserveNonces(ctx context.Context, sender common.Address, params *TicketParams, count, limit uint32) (NonceRange, error)
}
