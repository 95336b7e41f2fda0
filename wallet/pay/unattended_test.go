package pay

import (
	"context"
	"errors"
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
)

// countedChain counts how often it is asked.
type countedChain struct {
	Chain
	asked int
}

func (c *countedChain) Facts(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, error) {
	c.asked++
	return c.Chain.Facts(ctx, sender, about...)
}

// TestUnattended: where no person is asked for a passphrase, the chain is asked once. What
// it says against the sender comes before what goes wrong with the key or the recipient.
func TestUnattended(t *testing.T) {
	w := newWorld(t)
	asked := &countedChain{Chain: w.session.Payer.Chain}
	w.session.Payer.Chain, w.session.Unattended = asked, true
	pay := func() error {
		_, err := w.session.Pay(t.Context(), Amount{Count: 1})
		return err
	}
	unlock, closed := w.session.Unlock, errors.New("no passphrase")

	require.ErrorIs(t, pay(), policy.ErrFunds, "and not the recipient's refusal")
	w.session.Unlock = func(context.Context) (signer.Source, error) { return nil, closed }
	require.ErrorIs(t, pay(), policy.ErrFunds)
	w.confirm(t)(w.broker.FundDeposit(big.NewInt(1e18)))
	w.confirm(t)(w.broker.FundReserve(big.NewInt(1e18)))
	require.ErrorIs(t, pay(), closed)

	w.session.Unlock, asked.asked = unlock, 0
	require.NoError(t, pay())
	require.Equal(t, 1, asked.asked)
}
