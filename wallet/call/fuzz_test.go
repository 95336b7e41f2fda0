package call

import (
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
)

// FuzzReadChallenge: what an orchestrator asks for is malformed, refused with a reason, or billed to the wei.
func FuzzReadChallenge(f *testing.F) {
	all, _ := captures(f)
	for _, c := range all {
		if c.Response.Status == http.StatusPaymentRequired {
			f.Add([]byte(c.Response.Body), "seconds")
		}
	}
	f.Add([]byte(`{"payment_params":"ChdodHRwczovL2xvY2FsaG9zdA==","manifest_id":"m","payment_url":"//[::1"}`), "fixed")
	origin, err := pay.ParseURL("https://localhost:47157")
	require.NoError(f, err)
	f.Fuzz(func(t *testing.T, body []byte, unit string) {
		challenge, err := readChallenge(body, origin, common.Address{1}, time.Unix(1785000000, 0))
		kind, known := live.TypeOf(unit)
		if err != nil || !known {
			return
		}
		challenge.Type = kind
		bill, err := Terms{}.bill(challenge.request(challenge.Offer.FetchedAt), nil)
		if err != nil {
			require.NotEmpty(t, challenge.unbillable(err).Error())
			return
		}
		require.LessOrEqual(t, bill.Tickets, uint32(live.MaxTickets))
		require.Zero(t, new(big.Rat).Sub(bill.Paid(), bill.Fee).Cmp(bill.Balance))
		require.GreaterOrEqual(t, bill.Balance.Sign(), 0)
	})
}
