package pay

import (
	"context"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// While a payment waits for its passphrase another process pins another address at the
// user's word. The payment does not replace that pin.
func TestAPinIsNotReplacedMeanwhile(t *testing.T) {
	shop, session := newShop(t)
	known := session.Payer.Nonces.(*store.Chain)
	session.Pins.Known = known
	_, err := session.Pay(t.Context(), Amount{Count: 1})
	require.NoError(t, err)
	other := common.Address{0xee}
	session.Unlock = func(ctx context.Context) (signer.Source, error) {
		elsewhere := Pins{Known: known, Sender: session.Payer.Sender, Accept: []common.Address{other}}
		require.NoError(t, elsewhere.Keep(ctx, session.URL, other))
		return me(t), nil
	}
	_, err = session.Pay(t.Context(), Amount{Count: 1})
	var changed *OtherRecipientError
	require.ErrorAs(t, err, &changed)
	require.Equal(t, other, changed.Was)
	require.Equal(t, 1, shop.taken)
	pinned, err := known.Recipient(t.Context(), session.Payer.Sender, session.URL.String())
	require.NoError(t, err)
	require.Equal(t, other, pinned)
}
