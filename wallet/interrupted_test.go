package wallet_test

import (
	"context"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

// reopens is config of account 0, whose key can be opened again and again.
func (r *rich) reopens() wallet.Config {
	r.t.Helper()
	config := r.config(0)
	config.Account = signer.Later(config.Account.Address(), func(context.Context) (*signer.Account, error) {
		return r.config(0).Account, nil
	})
	return config
}

// TestWhatIsMinedIsNotCancelled interrupts a run as soon as the node has its first request, then after
// the answer, and so on to the last: none says that it was cancelled once its transaction is in a
// block, and the next run does what is left to do.
func TestWhatIsMinedIsNotCancelled(t *testing.T) {
	t.Parallel()
	r := newRich(t, map[string]string{"deposit": "1eth"})
	direct := r.nodes
	behind, err := url.Parse(r.RPCURL())
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(behind)
	proxy.ErrorLog = log.New(io.Discard, "", 0) // of clients that are interrupted
	var step func()
	node := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, in *http.Request) {
		step()
		proxy.ServeHTTP(out, in)
	}))
	defer node.Close()
	nonce := func() uint64 {
		n, err := r.Client().NonceAt(t.Context(), r.Accounts()[0].Address, nil)
		require.NoError(t, err)
		return n
	}
	for name, run := range map[string]func(context.Context, *wallet.Wallet) error{
		"fund": func(ctx context.Context, w *wallet.Wallet) error {
			_, err := w.Fund(ctx, wallet.Funding{Deposit: wei.FromUint64(7)}, wallet.SendOptions{Agreed: true})
			return err
		},
		"exit": func(ctx context.Context, w *wallet.Wallet) error {
			_, err := w.Exit(ctx, wallet.ExitOptions{SendOptions: wallet.SendOptions{Agreed: true}})
			return err
		},
	} {
		for at, whole := int64(1), false; !whole; at++ {
			r.fund(wei.FromUint64(1))
			if name == "exit" {
				r.do(wallet.Unlock())
				require.NoError(t, r.NextRound(t.Context(), 1))
			}
			before, steps := nonce(), new(atomic.Int64)
			ctx, interrupt := context.WithCancel(t.Context())
			step = func() {
				if steps.Add(1) == at {
					interrupt()
				}
			}
			r.nodes = []string{node.URL}
			config := r.reopens()
			config.OnRequest = func(wallet.Request) { step() }
			w, err := wallet.Open(t.Context(), config)
			require.NoError(t, err)
			err = run(ctx, w)
			interrupt()
			w.Close()
			r.nodes = direct
			if wallet.ClassOf(err) == wallet.ClassCancelled {
				require.Equal(t, before, nonce(), "%s, interrupted at step %d: %v", name, at, err)
			}
			if err != nil {
				w, failed := wallet.Open(t.Context(), r.reopens())
				require.NoError(t, failed)
				require.NoError(t, run(t.Context(), w), "%s, interrupted at step %d: %v", name, at, err)
				w.Close()
			}
			require.Equal(t, before+1, nonce(), "%s, interrupted at step %d: %v", name, at, err)
			if whole = steps.Load() < at; whole {
				require.Greater(t, at, int64(10), name)
			}
		}
	}
}
