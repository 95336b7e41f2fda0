package redeem

import (
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/pmctl/pmctl/pm"
)

// ParseRand reads a recipient's secret number of at most 256 bits: decimal digits, or 0x and hex
// digits. It reports false for anything else.
func ParseRand(text string) (*big.Int, bool) {
	digits, base := strings.TrimSpace(text), 10
	if hex, ok := strings.CutPrefix(digits, "0x"); ok {
		digits, base = hex, 16
	}
	rand, ok := new(big.Int).SetString(digits, base)
	ok = ok && rand.Sign() >= 0 && rand.BitLen() <= 256 && !strings.ContainsAny(digits, "+_")
	return rand, ok
}

// Only leaves only tickets with these nonces in a batch; all when there are none. It fails for
// a nonce that no ticket has.
func Only(batch *pm.TicketBatch, nonces []int) error {
	if len(nonces) == 0 {
		return nil
	}
	found := make(map[int]bool)
	batch.SenderParams = slices.DeleteFunc(batch.SenderParams, func(ticket *pm.TicketSenderParams) bool {
		nonce := int(ticket.SenderNonce)
		found[nonce] = true
		return !slices.Contains(nonces, nonce)
	})
	for _, nonce := range nonces {
		if !found[nonce] {
			return fmt.Errorf("%d: no ticket of the batch has it", nonce)
		}
	}
	return nil
}
