package pay

import (
	"encoding/json"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/store"
)

// another starts another server of the recipient's, and returns its URL without TLS and where
// it tells what it saw.
func (w *world) another(t *testing.T) (plainURL, statusURL string) {
	t.Helper()
	response, err := http.Post(w.net.ControlURL()+"/recipients/0/servers", "", nil)
	require.NoError(t, err)
	defer response.Body.Close()
	var servers struct {
		PlainURL  string `json:"plain_url"`
		StatusURL string `json:"status_url"`
	}
	require.NoError(t, json.NewDecoder(response.Body).Decode(&servers))
	return servers.PlainURL, servers.StatusURL
}

// lossy is a network between us and a recipient without TLS: while it loses, what is sent
// never arrives. The recipient tells what it saw at status.
func (w *world) lossy(t *testing.T) (address, status string, loses *atomic.Bool) {
	t.Helper()
	plainURL, statusURL := w.another(t)
	plain, err := url.Parse(plainURL)
	require.NoError(t, err)

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { listener.Close() })
	loses = new(atomic.Bool)
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if loses.Load() {
				_, _ = conn.Read(make([]byte, 1))
				conn.Close()
				continue
			}
			onward, err := net.Dial("tcp", plain.Host)
			if err != nil {
				conn.Close()
				continue
			}
			go func() {
				_, _ = io.Copy(onward, conn)
				onward.Close()
			}()
			go func() {
				_, _ = io.Copy(conn, onward)
				conn.Close()
			}()
		}
	}()
	return "http://" + listener.Addr().String(), statusURL, loses
}

// A payment that was lost on its way is delivered by the retry, and paid once.
func TestARetryDeliversWhatWasLost(t *testing.T) {
	w := newWorld(t)
	w.confirm(t)(w.broker.FundDepositAndReserve(big.NewInt(1e18), big.NewInt(1e18)))
	address, status, loses := w.lossy(t)
	request, err := wire.NewOrchestratorRequest(w.signer.Signer)
	require.NoError(t, err)
	w.session.URL = parse(t, address)
	offer, err := w.session.Client.Fetch(t.Context(), w.session.URL, request)
	require.NoError(t, err)
	info := proto.Clone(offer.Info).(*wire.OrchestratorInfo)
	info.Transcoder = address
	offer, err = NewOffer(w.session.URL, w.signer.Address(), offer.FetchedAt, info)
	require.NoError(t, err)
	require.NoError(t, w.kept.Save(t.Context(), offer))

	w.session.Request = &store.Request{ID: "one", Digest: "digest"}
	w.session.Requests = w.session.Payer.Nonces.(*store.Chain)
	loses.Store(true)
	_, err = w.session.Pay(t.Context(), Amount{Count: 3})
	require.ErrorAs(t, err, new(*UnknownOutcomeError))
	_, err = w.session.Pay(t.Context(), Amount{Count: 3})
	require.ErrorAs(t, err, new(*UnknownOutcomeError), "the network still loses it")
	require.Zero(t, w.seenAt(t, status).Accepted)

	loses.Store(false)
	paid, err := w.session.Pay(t.Context(), Amount{Count: 3})
	require.NoError(t, err)
	require.Equal(t, store.Sent, paid.Before.State)
	require.EqualValues(t, 1, paid.Tickets.Nonces.First)
	require.EqualValues(t, 3, w.seenAt(t, status).Credited)

	unlocked := w.unlocked
	again, err := w.session.Pay(t.Context(), Amount{Count: 3})
	require.NoError(t, err)
	require.Equal(t, store.Accepted, again.Before.State)
	require.Equal(t, paid.Tickets.Nonces, again.Tickets.Nonces)
	require.EqualValues(t, 3, w.seenAt(t, status).Accepted, "nothing was sent")
	require.Equal(t, unlocked, w.unlocked)

	w.session.Request = &store.Request{ID: "one", Digest: "another"}
	_, err = w.session.Pay(t.Context(), Amount{Count: 4})
	require.ErrorIs(t, err, store.ErrRequest)
}

// A payment that was begun and never sent is made anew once its params have expired.
func TestARequestThatWasNeverSent(t *testing.T) {
	w := newWorld(t)
	w.confirm(t)(w.broker.FundDepositAndReserve(big.NewInt(1e18), big.NewInt(1e18)))
	w.session.Request = &store.Request{ID: "one", Digest: "digest"}
	chain := w.session.Payer.Nonces.(*store.Chain)
	w.session.Requests = chain
	request, err := wire.NewOrchestratorRequest(w.signer.Signer)
	require.NoError(t, err)
	offer, err := w.session.Client.Fetch(t.Context(), w.session.URL, request)
	require.NoError(t, err)
	plan, err := w.session.Payer.Plan(t.Context(), offer.Params, Amount{Count: 2})
	require.NoError(t, err)
	p := &paymentRun{Session: w.session, amount: Amount{Count: 2}, request: w.session.Request}
	plan.Request, err = p.requestFor(offer, plan, "segment", false)
	require.NoError(t, err)
	_, err = w.session.Payer.Reserve(t.Context(), plan)
	require.NoError(t, err)

	w.control(t, "/mine?blocks=45")
	paid, err := w.session.Pay(t.Context(), Amount{Count: 2})
	require.NoError(t, err)
	require.Nil(t, paid.Before)
	require.NotEqual(t, offer.Params.RecipientRandHash, paid.Tickets.Params.RecipientRandHash)
	require.EqualValues(t, 2, w.seen(t).Accepted)
}
