package remote

import (
	"math/big"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/store"
)

// TestTheEVInTheLog is rounded as in documents: a ticket of a recipient's EV is worth that and a fraction of a wei.
func TestTheEVInTheLog(t *testing.T) {
	ev := new(big.Rat).Add(big.NewRat(1e12, 1), big.NewRat(1, 1e9))
	paid := &Paid{LivePayment: &store.LivePayment{Session: &live.Session{}}, ev: ev}
	logged := make(map[string]string)
	for _, field := range paid.fields() {
		logged[field.Key] = field.Value.String()
	}
	require.Equal(t, format.NewCeil(ev).String(), logged["ticket_ev"])
}
