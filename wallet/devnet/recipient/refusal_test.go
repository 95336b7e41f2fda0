package recipient_test

import (
	"encoding/base64"
	"math/big"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
)

func TestRequest(t *testing.T) {
	net := newNetwork(t, devnet.Config{})
	service := net.server(t, nil)
	p, other := net.newPayer(t), net.newPayer(t)

	refused := func(t *testing.T, request *wire.OrchestratorRequest, text string) {
		t.Helper()
		_, err := p.askWith(t.Context(), service.URL, request)
		require.Equal(t, codes.Unknown, grpcstatus.Code(err))
		require.ErrorContains(t, err, text)
	}
	signed, err := wire.NewOrchestratorRequest(p.signer.Signer)
	require.NoError(t, err)

	t.Run("unfunded sender", func(t *testing.T) {
		refused(t, signed, "insufficient sender reserve")
		require.EqualValues(t, 1, status(t, service.StatusURL).Params.Refused[recipient.ReasonReserve])
	})
	p.fund(ether, ether)
	t.Run("funded just before", func(t *testing.T) {
		p.offer(service.URL)
	})
	t.Run("another sender's signature", func(t *testing.T) {
		request, err := wire.NewOrchestratorRequest(other.signer.Signer)
		require.NoError(t, err)
		request.Address = p.signer.Address().Bytes()
		refused(t, request, "authentication failed")
	})
	t.Run("no signature", func(t *testing.T) {
		refused(t, &wire.OrchestratorRequest{Address: signed.Address}, "authentication failed")
	})
	t.Run("short address", func(t *testing.T) {
		refused(t, &wire.OrchestratorRequest{Address: signed.Address[1:], Sig: signed.Sig}, "authentication failed")
	})
	t.Run("reserve below the redemption", func(t *testing.T) {
		poor := net.newPayer(t).fund(ether, big.NewInt(900e9)) // below the EV
		_, err := poor.ask(service.URL)
		require.ErrorContains(t, err, "insufficient sender reserve")
	})
}

func TestCredentials(t *testing.T) {
	net := newNetwork(t, devnet.Config{})
	service := net.server(t, nil)
	p, other := net.newPayer(t).fund(ether, ether), net.newPayer(t).fund(ether, ether)

	// Each case changes the payment and has the status and text of the answer.
	for name, c := range map[string]struct {
		change func(t *testing.T, info *wire.OrchestratorInfo, payment *wire.Payment, header http.Header)
		status int
		text   string
	}{
		"no segment": {func(_ *testing.T, _ *wire.OrchestratorInfo, _ *wire.Payment, h http.Header) {
			h.Del(wire.SegmentHeader)
		}, http.StatusForbidden, "ErrSegSig"},
		"segment not base64": {func(_ *testing.T, _ *wire.OrchestratorInfo, _ *wire.Payment, h http.Header) {
			h.Set(wire.SegmentHeader, "%%%")
		}, http.StatusForbidden, "ErrorSegEncoding"},
		"segment of another sender": {func(t *testing.T, info *wire.OrchestratorInfo, payment *wire.Payment, h http.Header) {
			h.Set(wire.SegmentHeader, other.headers(info, payment).Get(wire.SegmentHeader))
		}, http.StatusForbidden, "ErrSegSig"},
		"altered auth token": {func(t *testing.T, info *wire.OrchestratorInfo, payment *wire.Payment, h http.Header) {
			info.AuthToken.Expiration++
			h.Set(wire.SegmentHeader, p.headers(info, payment).Get(wire.SegmentHeader))
		}, http.StatusForbidden, "invalid auth token"},
		"no payment": {func(_ *testing.T, _ *wire.OrchestratorInfo, _ *wire.Payment, h http.Header) {
			h.Del(wire.PaymentHeader)
		}, http.StatusForbidden, "ErrSegSig"},
		"payment not base64": {func(_ *testing.T, _ *wire.OrchestratorInfo, _ *wire.Payment, h http.Header) {
			h.Set(wire.PaymentHeader, "not base64")
		}, http.StatusPaymentRequired, ""},
		"payment not protobuf": {func(_ *testing.T, _ *wire.OrchestratorInfo, _ *wire.Payment, h http.Header) {
			h.Set(wire.PaymentHeader, base64.StdEncoding.EncodeToString([]byte{0xff}))
		}, http.StatusPaymentRequired, ""},
		"no expected price": {func(t *testing.T, info *wire.OrchestratorInfo, payment *wire.Payment, h http.Header) {
			payment.ExpectedPrice = nil
			h.Set(wire.PaymentHeader, p.headers(info, payment).Get(wire.PaymentHeader))
		}, http.StatusBadRequest, "expected price"},
		"0 pixels": {func(t *testing.T, info *wire.OrchestratorInfo, payment *wire.Payment, h http.Header) {
			payment.ExpectedPrice.PixelsPerUnit = 0
			h.Set(wire.PaymentHeader, p.headers(info, payment).Get(wire.PaymentHeader))
		}, http.StatusBadRequest, "expected price"},
		"no expiration params": {func(t *testing.T, info *wire.OrchestratorInfo, payment *wire.Payment, h http.Header) {
			payment.ExpirationParams = nil
			h.Set(wire.PaymentHeader, p.headers(info, payment).Get(wire.PaymentHeader))
		}, http.StatusBadRequest, "expiration params"},
		"33-byte face value": {func(t *testing.T, info *wire.OrchestratorInfo, payment *wire.Payment, h http.Header) {
			payment.TicketParams.FaceValue = make([]byte, 33)
			h.Set(wire.PaymentHeader, p.headers(info, payment).Get(wire.PaymentHeader))
		}, http.StatusBadRequest, "face_value"},
	} {
		t.Run(name, func(t *testing.T) {
			info := p.offer(service.URL)
			payment := p.payment(info, 1, 1)
			header := p.headers(info, payment)
			before := status(t, service.StatusURL)
			c.change(t, info, payment, header)
			code, body, err := p.post(info.Transcoder, header)
			require.NoError(t, err)
			require.Equal(t, c.status, code, "%s", body)
			require.Contains(t, string(body), c.text)
			after := status(t, service.StatusURL)
			require.Equal(t, before.Tickets, after.Tickets, "no ticket was taken")
			require.Equal(t, before.Payments.Received+1, after.Payments.Received)
			require.Equal(t, before.Payments.Accepted, after.Payments.Accepted)
		})
	}
	t.Run("no fresh params", func(t *testing.T) {
		info := other.offer(service.URL)
		sent, err := other.broker.Unlock()
		require.NoError(t, err)
		require.NoError(t, other.broker.CheckTx(sent))
		require.NoError(t, net.NextRound(t.Context(), devnet.DefaultUnlockPeriod))
		sent, err = other.broker.Withdraw()
		require.NoError(t, err)
		require.NoError(t, other.broker.CheckTx(sent))
		code, text := other.pay(info, other.payment(info, 1, 1))
		require.Equal(t, http.StatusInternalServerError, code)
		require.Contains(t, text, "insufficient sender reserve")
	})
	t.Run("no ticket params", func(t *testing.T) {
		info := p.offer(service.URL)
		before := status(t, service.StatusURL)
		fresh := p.accepted(info, &wire.Payment{Sender: p.signer.Address().Bytes()})
		require.NotNil(t, fresh.TicketParams)
		require.Equal(t, before.Tickets, status(t, service.StatusURL).Tickets)
	})
}

func TestServerWithItsOwnEconomy(t *testing.T) {
	net := newNetwork(t, devnet.Config{})
	p := net.newPayer(t).fund(ether, ether)
	service := net.server(t, url.Values{"ev": {"100gwei"}, "max_face_value": {"3000gwei"}, "price": {"7"}})
	info := p.offer(service.PlainURL)
	params, err := info.Params()
	require.NoError(t, err)
	require.Equal(t, big.NewInt(3000e9), params.FaceValue)
	require.Equal(t, big.NewRat(7, 1), params.PricePerPixel)
	ev, _ := params.EV().Float64()
	require.InDelta(t, 100e9, ev, 1)
	p.accepted(info, p.payment(info, 1, 100))

	for _, query := range []string{"ev=5", "fault=nonsense", "price=x", "fault=slow:x", "fault=expired:1", "fault=refuse-payment:200"} {
		res, err := http.Post(net.ControlURL()+"/recipients?"+query, "", nil)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.GreaterOrEqual(t, res.StatusCode, 400, query)
	}
}

// A token is valid for half an hour.
func TestAuthTokenLife(t *testing.T) {
	net := newNetwork(t, devnet.Config{})
	p := net.newPayer(t).fund(ether, ether)
	info := p.offer(net.State().Recipients[0].URL)
	left := time.Until(time.Unix(info.AuthToken.Expiration, 0))
	require.InDelta(t, 30*time.Minute, left, float64(time.Minute))
}
