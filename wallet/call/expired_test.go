package call_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/call"
	"github.com/pmctl/pmctl/wallet/signer"
)

// TestParamsThatExpireAtThePassphrase are asked for again, and judged anew, for a call and for a
// session. Where the fresh ones have expired too, the call ends without a payment.
func TestParamsThatExpireAtThePassphrase(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	at := w.net.Recipients()[0].State().URL + "/apps/"
	slowly := func(url string, times int, do func(*call.Caller, *call.Request) error) error {
		target, err := call.ParseTarget(url)
		require.NoError(t, err)
		ask := &call.Request{Target: target, Method: http.MethodPost}
		account := w.open()
		defer account.Close()
		caller, end, err := wallet.NewCaller(t.Context(), account, ask, wallet.CallOptions{Answered: func(*http.Response) error { return nil }})
		require.NoError(t, err)
		defer end()
		purse := caller.Purse.(*call.Account)
		open := purse.Unlock
		purse.Unlock = func(ctx context.Context) (signer.Source, error) {
			if times--; times >= 0 {
				require.NoError(t, w.net.Mine(ctx, 100))
				<-w.clock.Past(time.Minute)
			}
			return open(ctx)
		}
		return do(caller, ask)
	}
	once := func(caller *call.Caller, ask *call.Request) error {
		result, err := caller.Call(t.Context(), ask)
		if err == nil {
			require.Equal(t, 1, result.Payments)
		}
		return err
	}
	require.NoError(t, slowly(at+"fixed1/app/", 1, once))
	require.ErrorIs(t, slowly(at+"fixed1/app/", 2, once), pm.ErrTicketParamsExpired)
	require.NoError(t, slowly(at+"live1/session", 1, func(caller *call.Caller, ask *call.Request) error {
		_, err := caller.Hold(t.Context(), ask, call.SessionOptions{Run: func(context.Context, call.Session) error { return nil }})
		return err
	}))
}
