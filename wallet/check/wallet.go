package check

import (
	"slices"

	"github.com/pmctl/pmctl/wallet/pay"
)

// Wallet returns the checks of a whole wallet after the caller's own: the node, the funds, the
// store, and the recipient with its offer. They need checks of the caller's with the IDs config,
// network, limits and account, and key_opens if there is a recipient. Nothing is paid, sent or
// changed.
func Wallet(s *Subject) (checks []Check, end func()) {
	n := &node{Subject: s}
	b := &books{node: n}
	r := &recipient{books: b}
	checks = slices.Concat(n.checks(), funds{n}.checks(), b.checks())
	if s.URL == (pay.URL{}) {
		checks = append(checks, Check{"max_float", []string{"reserve"}, r.bound(r.maxFloat)})
	} else {
		checks = slices.Concat(checks, r.checks(), terms{r}.checks())
	}
	return checks, func() {
		if n.client != nil {
			n.client.Close()
		}
		if b.store != nil {
			_ = b.store.Close() // it was only read
		}
	}
}
