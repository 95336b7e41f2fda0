package wallet

import (
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestAllowanceLeft: the face value bounds what a client can cost, where it is set; else the tighter
// of the bounds in expected value. Where nothing is left of one, nothing is left.
func TestAllowanceLeft(t *testing.T) {
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	w := func(n uint64) *wei.Wei {
		amount := wei.FromUint64(n)
		return &amount
	}
	spent := store.ClientSpending{
		Today: policy.Sum{EV: big.NewRat(3, 1), FaceValue: big.NewInt(40)},
		Total: policy.Sum{EV: big.NewRat(21, 2), FaceValue: big.NewInt(900)},
	}
	for name, c := range map[string]struct {
		client store.Client
		left   *big.Rat
	}{
		"face value":               {store.Client{Terms: store.Terms{EVPerDay: w(5), FaceValuePerDay: w(100), EVTotal: w(12)}}, big.NewRat(60, 1)},
		"nothing left in all":      {store.Client{Terms: store.Terms{FaceValuePerDay: w(100), EVTotal: w(10)}}, new(big.Rat)},
		"nothing left today":       {store.Client{Terms: store.Terms{EVPerDay: w(3), FaceValuePerDay: w(100)}}, new(big.Rat)},
		"EV a day":                 {store.Client{Terms: store.Terms{EVPerDay: w(5)}}, big.NewRat(2, 1)},
		"less in all":              {store.Client{Terms: store.Terms{EVPerDay: w(5), EVTotal: w(12)}}, big.NewRat(3, 2)},
		"more spent than is left":  {store.Client{Terms: store.Terms{EVTotal: w(1)}}, new(big.Rat)},
		"without an allowance":     {store.Client{}, new(big.Rat)},
		"revoked":                  {store.Client{Terms: store.Terms{EVPerDay: w(5)}, RevokedAt: now}, new(big.Rat)},
		"expired":                  {store.Client{Terms: store.Terms{EVPerDay: w(5)}, ExpiresAt: now.Add(-1)}, new(big.Rat)},
		"that expires in a moment": {store.Client{Terms: store.Terms{EVPerDay: w(5)}, ExpiresAt: now.Add(1)}, big.NewRat(2, 1)},
	} {
		require.Zero(t, c.left.Cmp(allowanceLeft(store.ClientAccount{Client: &c.client, Spent: spent}, now)), name)
	}
}
