package cli

import (
	"fmt"
	"math/big"

	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/wei"
)

// NonceRange is tickets' nonces for a person: nonce 4, or nonces 4 to 7.
func NonceRange(t *pay.Tickets) string {
	if t.Nonces.Count == 1 {
		return fmt.Sprintf("nonce %d", t.Nonces.First)
	}
	return fmt.Sprintf("nonces %d to %d", t.Nonces.First, t.Nonces.Last())
}

// Overpays is by how much tickets exceed the value that was asked for.
func Overpays(over *big.Rat) string {
	if one := big.NewRat(1, 1); over.Sign() > 0 && over.Cmp(one) < 0 {
		return "less than 1 wei"
	}
	return wei.Format(over)
}
