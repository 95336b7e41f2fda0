package tx_test

import (
	"context"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/internal/tx"
	"github.com/pmctl/pmctl/wallet/wei"
)

// stopped is a node whose newest block is old.
type stopped struct{ *chain.Client }

func (s stopped) Quote(ctx context.Context, call ethereum.CallMsg) (*chain.Quote, error) {
	quote, err := s.Client.Quote(ctx, call)
	if err == nil {
		quote.Head.Time = time.Now().Add(-10 * time.Minute)
	}
	return quote, err
}

// TestNothingIsPricedBehindAStaleHead: balances, prices and contracts as a stopped node has
// them must not be the basis of a transaction or a replacement.
func TestNothingIsPricedBehindAStaleHead(t *testing.T) {
	w := newWorld(t)
	call := w.deposit(wei.FromUint64(1))
	require.NoError(t, w.net.SetAutomine(t.Context(), false))
	sent := w.send(w.client, w.prepare(w.client, call))
	intent := &tx.Intent{Account: w.signer.Address(), Nonce: sent.Nonce(), State: tx.Open, Attempts: []tx.Attempt{{Tx: sent, Kind: tx.KindCall}}}

	network := w.client.Network()
	network.MaxHeadAge = 3 * time.Minute
	client, err := chain.Dial(t.Context(), w.net.RPCURL(), network)
	require.NoError(t, err)
	t.Cleanup(client.Close)
	node := stopped{client}
	_, err = tx.Manager{Node: client}.PrepareReplacement(t.Context(), intent, tx.KindBump, tx.Caps{})
	require.NoError(t, err, "as long as it is up to date")

	for name, prepare := range map[string]func() error{
		"prepare": func() error {
			_, err := tx.Prepare(t.Context(), node, w.signer.Address(), call, tx.Caps{})
			return err
		},
		"a call that would revert": func() error {
			_, err := tx.Prepare(t.Context(), node, w.signer.Address(), tx.Call{To: w.broker, Data: broker.PackWithdraw()}, tx.Caps{})
			return err
		},
		"bump": func() error {
			_, err := tx.Manager{Node: node}.PrepareReplacement(t.Context(), intent, tx.KindBump, tx.Caps{})
			return err
		},
		"cancel": func() error {
			_, err := tx.Manager{Node: node}.PrepareReplacement(t.Context(), intent, tx.KindCancel, tx.Caps{})
			return err
		},
	} {
		var stale *chain.StaleError
		require.ErrorAs(t, prepare(), &stale, name)
	}
}
