package call_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/call"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/store"
)

// TestWhatAnAccountLeavesOut: its clock has a default, and the lack of any other part is an error
// before anything is paid.
func TestWhatAnAccountLeavesOut(t *testing.T) {
	w := newWorld(t)
	target, err := call.ParseTarget(w.net.Recipients()[0].State().URL + "/apps/fixed1/app")
	require.NoError(t, err)
	ask := &call.Request{Target: target, Method: http.MethodGet}
	paid := func(change func(*call.Account)) error {
		opened := w.open()
		defer opened.Close()
		caller, end, err := wallet.NewCaller(t.Context(), opened, ask, wallet.CallOptions{})
		require.NoError(t, err)
		defer end()
		account := caller.Purse.(*call.Account)
		change(account)
		caller.Purse = struct{ *call.Account }{account} // as an importer adds to it
		_, quoted := caller.Quote(t.Context(), ask)
		result, err := caller.Call(t.Context(), ask)
		if err == nil {
			require.NoError(t, quoted)
			require.Equal(t, 1, result.Payments)
		}
		return err
	}
	require.NoError(t, paid(func(a *call.Account) { a.Now = nil }))
	for name, leave := range map[string]func(*call.Account){
		"everything": func(a *call.Account) { *a = call.Account{} },
		"Payer":      func(a *call.Account) { a.Payer = nil },
		"Pins":       func(a *call.Account) { a.Pins = pay.Pins{} },
		"Unlock":     func(a *call.Account) { a.Unlock = nil },
		"Requests":   func(a *call.Account) { a.Request, a.Requests = &store.Request{ID: "a"}, nil },
	} {
		require.ErrorContains(t, paid(leave), "an Account needs", name)
	}
	require.EqualValues(t, 1, w.sessions().Tickets.Received)
}
