package wallet_test

import (
	"context"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/call"
	"github.com/pmctl/pmctl/wallet/config"
	"github.com/pmctl/pmctl/wallet/forecast"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/history"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/plot"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/admin"
	"github.com/pmctl/pmctl/wallet/remote/delivery"
	"github.com/pmctl/pmctl/wallet/runner"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
	"github.com/pmctl/pmctl/wallet/tickets"
	"github.com/pmctl/pmctl/wallet/topup"
	"github.com/pmctl/pmctl/wallet/wei"
)

// TestZeroNumbers: a number that is left out counts as 0.
func TestZeroNumbers(t *testing.T) {
	require.Equal(t, wei.Flag(new(big.Int)), wei.Flag(nil))
	require.Equal(t, wei.Format(new(big.Rat)), wei.Format(nil))
	_, err := wei.Ceil(nil)
	require.Error(t, err)
	require.Equal(t, "0", format.Ceil{}.String())
	require.Equal(t, "0", format.NewCeil(nil).String())
	require.NotEmpty(t, plot.About(nil))

	var funds broker.Funds
	require.False(t, funds.Unlocking())
	require.Equal(t, broker.Empty, funds.Lock(nil))
	require.Zero(t, funds.RoundsLeft(nil).Sign())
	require.Zero(t, funds.Info().WithdrawRound.Sign())
	_, err = funds.Share(nil)
	require.NoError(t, err)
	_, err = broker.ParseCall(nil, broker.Unlock())
	require.NoError(t, err)
	_, err = broker.Redeem(nil)
	require.Error(t, err)
	require.NoError(t, broker.Funding{}.CheckGrowth(common.Address{}, common.Hash{}, broker.Funds{}, broker.Funds{}))

	require.Zero(t, new(live.Bill).Paid().Sign())
	require.NoError(t, live.CheckPrice(nil, live.Ceiling{}))
	require.Zero(t, history.WinProb(store.Reservation{}))
	draw := history.NewDraw(1)
	draw.Add(store.Reservation{})
	draw.Win(history.Event{Redemption: &history.Redemption{Match: history.Matched}})
	require.Zero(t, draw.Luck().Wins)
	require.EqualValues(t, 1, history.Total([]history.Event{{Kind: history.Redeemed}}).Redemptions)
	require.Empty(t, forecast.Poisson(1).Between(2, 1))
	_, err = forecast.NewLuck(nil, wei.Wei{}, 0)
	require.ErrorIs(t, err, forecast.ErrNeed)
	_, err = wallet.Spending{FaceValue: wei.FromUint64(1)}.Luck(time.Hour)
	require.ErrorIs(t, err, forecast.ErrNeed)
	require.NoError(t, wallet.WriteUsageCSV(io.Discard, []wallet.ClientUsage{{}}))

	deposit := wei.FromUint64(5)
	decision, err := topup.Decide(topup.Rules{Deposit: &deposit}, topup.State{Balance: wei.FromUint64(9), Lock: broker.Locked})
	require.NoError(t, err)
	require.Equal(t, deposit, decision.AddDeposit)
	require.NotPanics(t, func() { _ = (&plot.Plot{Panels: []plot.Panel{{}}}).Write(io.Discard) })
}

// TestZeroSettings: what is not a setting has no value.
func TestZeroSettings(t *testing.T) {
	require.Equal(t, policy.Spec{}.Name(), policy.SpecOf("no such setting").Name())
	require.Nil(t, policy.Spec{}.Value(policy.Limits{}))
	_, err := policy.Spec{}.Parse("1")
	require.ErrorIs(t, err, policy.ErrValue)
	for _, spec := range policy.Table() {
		_, err := spec.Parse()
		require.ErrorIs(t, err, policy.ErrValue, spec.Key)
	}
	require.Error(t, policy.CheckShape(nil, 1))

	var settings config.Settings
	require.Empty(t, settings.Profiles())
	_, err = settings.Limits()
	require.NoError(t, err)
}

// TestZeroParts: a part that is left out has a default, or its lack is an error.
func TestZeroParts(t *testing.T) {
	late := signer.Later(common.Address{1}, nil)
	_, err := late.Unlock(t.Context())
	require.Error(t, err)

	_, err = new(call.Caller).Call(t.Context(), nil)
	require.ErrorIs(t, err, call.ErrNoPurse)
	_, err = (&call.Caller{Purse: new(call.Account)}).Call(t.Context(), nil)
	require.ErrorContains(t, err, "set HTTP in the Caller")
	_, err = new(call.Caller).Quote(t.Context(), nil)
	require.ErrorIs(t, err, call.ErrNoPurse)
	_, err = new(call.Caller).Hold(t.Context(), nil, call.SessionOptions{})
	require.ErrorIs(t, err, call.ErrNoPurse)

	_, err = new(pay.Session).Pay(t.Context(), pay.Amount{Count: 1})
	require.ErrorContains(t, err, "a session needs")
	_, err = new(pay.Payer).Plan(t.Context(), nil, pay.Amount{Count: 1})
	require.Error(t, err)
	_, _, err = new(pay.Client).DeliverBatch(t.Context(), pay.URL{}, new(pm.TicketBatch), "")
	require.Error(t, err)

	require.ErrorIs(t, new(runner.Directory).Refresh(t.Context()), runner.ErrNoCandidates)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = new(runner.Asker).Ask(ended, pay.URL{})
	require.Error(t, err)
	_, err = runner.Webhook("http://127.0.0.1:1", nil, nil)(ended)
	require.Error(t, err)
	require.NotNil(t, remote.NewRates(remote.Rate{}, nil))
	require.NotNil(t, delivery.New("usage", nil, nil, nil))

	answer := httptest.NewRecorder()
	request := httptest.NewRequest(http.MethodPost, "http://localhost/reload", nil)
	admin.Handler(admin.Config{}).ServeHTTP(answer, request)
	require.Equal(t, http.StatusUnprocessableEntity, answer.Code, answer.Body)

	_, err = tickets.Inspect(nil, nil)
	require.Error(t, err)
	_, err = tickets.Verify(t.Context(), nil, nil, common.Address{})
	require.Error(t, err)
	_, err = wallet.Deliver(t.Context(), wallet.Config{}, pay.URL{}, wallet.DeliverOptions{Document: &format.Document{Batch: new(pm.TicketBatch)}})
	require.ErrorIs(t, err, wallet.ErrNoCredentials)
	seen := 0
	_, err = wallet.Observe(nil, "test", "", func(wallet.Request) { seen++ }).RoundTrip(request.WithContext(ended))
	require.Error(t, err)
	require.Equal(t, 1, seen)
}
