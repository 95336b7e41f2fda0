package wallet_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/agent"
	"github.com/pmctl/pmctl/wallet/call"
	"github.com/pmctl/pmctl/wallet/check"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/identity"
	"github.com/pmctl/pmctl/wallet/remote/service"
	"github.com/pmctl/pmctl/wallet/store"
)

// TestZeroValues: what a program leaves out is an error that names it, or is not needed.
func TestZeroValues(t *testing.T) {
	world := newWorld(t)
	require.NoError(t, fund(t.Context(), world.config(), "first"))
	config := world.config()
	w, err := wallet.Open(t.Context(), config)
	require.NoError(t, err)
	defer w.Close()

	_, err = w.Pay(t.Context(), pay.Target{}, pay.Amount{Count: 1}, wallet.PayOptions{})
	require.ErrorIs(t, err, pay.ErrNoTarget)
	_, err = w.Mint(t.Context(), wallet.MintOptions{Amount: pay.Amount{Count: 1}})
	require.ErrorIs(t, err, pay.ErrNoTarget)
	_, err = w.Inspect(t.Context(), pay.Target{})
	require.ErrorIs(t, err, pay.ErrNoTarget)
	_, err = wallet.Registered(t.Context(), config, pay.Target{})
	require.ErrorIs(t, err, pay.ErrNoTarget)
	offers, err := w.Offers(t.Context(), []pay.Target{{}}, wallet.OfferOptions{Judge: true})
	require.NoError(t, err)
	require.ErrorIs(t, offers[0].Err, pay.ErrNoTarget)

	_, err = wallet.Judge(t.Context(), config, nil)
	require.ErrorIs(t, err, wallet.ErrNoDocument)
	_, err = wallet.Deliver(t.Context(), config, pay.URL{}, wallet.DeliverOptions{})
	require.ErrorIs(t, err, wallet.ErrNoDocument)
	_, err = wallet.CheckUnsigned(t.Context(), config, nil, wallet.SignOptions{})
	require.ErrorIs(t, err, wallet.ErrNoDocument)
	_, err = w.SendSigned(t.Context(), nil, wallet.Terms{}, false, wallet.WaitOptions{})
	require.ErrorIs(t, err, wallet.ErrNoDocument)
	_, err = w.SendSigned(t.Context(), new(format.SignedTransaction), wallet.Terms{}, false, wallet.WaitOptions{})
	require.ErrorIs(t, err, format.ErrTransaction)
	_, err = wallet.ImportStore(t.Context(), config, nil)
	require.ErrorIs(t, err, wallet.ErrNoDocument)
	nowhere := config
	nowhere.Store = ""
	_, err = wallet.ImportStore(t.Context(), nowhere, new(wallet.StoreDump))
	require.ErrorIs(t, err, wallet.ErrNoStore)
	_, err = wallet.CheckStore(t.Context(), nowhere)
	require.ErrorIs(t, err, wallet.ErrNoStore)
	_, err = wallet.ExportStore(t.Context(), nowhere)
	require.ErrorIs(t, err, wallet.ErrNoStore)
	_, err = w.Stream(t.Context(), wallet.StreamOptions{})
	require.ErrorContains(t, err, "set In and Out")
	result, err := w.Stream(t.Context(), wallet.StreamOptions{In: strings.NewReader("no params\n"), Out: io.Discard, Format: format.JSONLine})
	require.NoError(t, err)
	require.Equal(t, 1, result.Failed)
	_, err = w.Bump(t.Context(), common.Hash{1}, wallet.ReplaceOptions{})
	require.ErrorIs(t, err, wallet.ErrUnknownTransaction)
	_, err = w.Wait(t.Context(), common.Hash{1}, false, wallet.WaitOptions{})
	require.ErrorIs(t, err, wallet.ErrUnknownTransaction)
	intents, err := w.Transactions(t.Context(), config.Account.Address())
	require.NoError(t, err)
	_, err = w.Bump(t.Context(), intents[0].Newest().Hash(), wallet.ReplaceOptions{Agreed: true})
	require.Error(t, err, "it is mined")

	_, err = w.Unsigned(t.Context(), wallet.Unlock(), "two\nlines")
	require.ErrorIs(t, err, wallet.ErrRequestID)
	orchestrator, err := pay.ParseURL(world.url)
	require.NoError(t, err)
	_, err = wallet.RunnerAt(t.Context(), config, call.Target{Origin: orchestrator})
	require.ErrorIs(t, err, call.ErrURL)

	_, err = wallet.OpenStore(t.Context(), "", "", nil)
	require.ErrorIs(t, err, wallet.ErrNoStore)
	_, err = store.Open(t.Context(), "")
	require.ErrorIs(t, err, store.ErrLocation)
	reader, err := wallet.OpenReader(t.Context(), nowhere, w.Account.Address())
	require.NoError(t, err)
	defer reader.Close()
	_, err = reader.History(t.Context(), wallet.HistoryOptions{}, wallet.HistoryFilter{})
	require.ErrorIs(t, err, wallet.ErrNoStore)
	_, err = reader.Runway(t.Context(), wallet.HistoryOptions{})
	require.ErrorIs(t, err, wallet.ErrNoStore)
	_, err = reader.SignerUsage(t.Context(), wallet.HistoryOptions{}, "")
	require.ErrorIs(t, err, wallet.ErrNoStore)
	spent, err := reader.Activity(t.Context(), policy.Limits{}, time.Hour)
	require.NoError(t, err)
	require.Nil(t, spent)
	status, err := reader.Status(t.Context(), check.Wanted{})
	require.NoError(t, err)
	for _, finding := range status.Findings {
		require.NotEqual(t, check.Failed, finding.State, fmt.Sprint(finding))
	}

	empty := config
	empty.Account = nil
	nameless, err := wallet.Open(t.Context(), empty)
	require.NoError(t, err)
	defer nameless.Close()
	_, err = wallet.NewAgent(t.Context(), nameless, agent.Config{})
	require.ErrorIs(t, err, wallet.ErrNoAccount)
	clients, err := w.SignerClients()
	require.NoError(t, err)
	_, err = clients.Add(t.Context(), wallet.SignerClient{})
	require.ErrorIs(t, err, store.ErrClientName)

	_, _, err = wallet.NewCaller(t.Context(), w, new(call.Request), wallet.CallOptions{})
	require.ErrorIs(t, err, call.ErrURL)

	_, err = wallet.NewRemoteSigner(t.Context(), w, wallet.RemoteSignerOptions{})
	require.ErrorIs(t, err, remote.ErrNoIdentifier)
	signer, err := wallet.NewRemoteSigner(t.Context(), w, wallet.RemoteSignerOptions{Identify: identity.None{}})
	require.NoError(t, err)
	defer signer.Close()
	answer := httptest.NewRecorder()
	signer.Handler().ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/sign-orchestrator-info", nil))
	require.Equal(t, http.StatusOK, answer.Code, answer.Body)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	require.NoError(t, service.Serve(ended, service.Config{Signer: signer, Listener: listener}))
}
