package recipient_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	grpcstatus "google.golang.org/grpc/status"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
)

// Each fault of the offer is detected by the code that checks it.
func TestOfferFaults(t *testing.T) {
	net := newNetwork(t, devnet.Config{})
	p := net.newPayer(t).fund(ether, ether)
	seen := func(t *testing.T, fault recipient.Fault) (chain.DevnetRecipient, *wire.OrchestratorInfo) {
		t.Helper()
		service := net.server(t, url.Values{"fault": {string(fault)}})
		require.Equal(t, []string{string(fault)}, status(t, service.StatusURL).Faults)
		return service, p.offer(service.URL)
	}
	malformed := func(t *testing.T, info *wire.OrchestratorInfo, field string) {
		t.Helper()
		_, err := info.Params()
		var fieldErr *wire.FieldError
		require.ErrorAs(t, err, &fieldErr)
		require.Equal(t, "ticket_params."+field, fieldErr.Field)
	}
	// judged is the verdict of a sender with the default limits.
	judged := func(t *testing.T, info *wire.OrchestratorInfo) error {
		t.Helper()
		params, err := info.Params()
		require.NoError(t, err)
		return pm.DefaultLimits().Check(params, facts(t, net, p), 1)
	}

	t.Run("other-recipient", func(t *testing.T) {
		service, info := seen(t, recipient.FaultOtherRecipient)
		require.Len(t, info.TicketParams.Recipient, common.AddressLength)
		require.NotEqual(t, service.Address.Bytes(), info.TicketParams.Recipient)
		code, text := p.pay(info, p.payment(info, 1, 1))
		require.Equal(t, http.StatusBadRequest, code, text)
	})
	t.Run("expired", func(t *testing.T) {
		_, info := seen(t, recipient.FaultExpired)
		require.ErrorIs(t, judged(t, info), pm.ErrTicketParamsExpired)
	})
	t.Run("expensive-ev", func(t *testing.T) {
		service, info := seen(t, recipient.FaultExpensiveEV)
		var tooMuch *pm.MaxEVError
		require.ErrorAs(t, judged(t, info), &tooMuch)
		p.accepted(info, p.payment(info, 1, 2))
		require.EqualValues(t, 2, status(t, service.StatusURL).Tickets.Accepted, "a sender may want to pay it")
	})
	t.Run("ev-not-below-face", func(t *testing.T) {
		_, info := seen(t, recipient.FaultEVNotBelowFace)
		require.ErrorIs(t, judged(t, info), pm.ErrEVNotBelowFaceValue)
	})
	t.Run("face-value-too-high", func(t *testing.T) {
		_, info := seen(t, recipient.FaultFaceValueTooHigh)
		var tooMuch *pm.FaceValueError
		require.ErrorAs(t, judged(t, info), &tooMuch)
	})
	t.Run("long-integer", func(t *testing.T) {
		_, info := seen(t, recipient.FaultLongInteger)
		malformed(t, info, "face_value")
	})
	t.Run("short-address", func(t *testing.T) {
		_, info := seen(t, recipient.FaultShortAddress)
		malformed(t, info, "recipient")
	})
	t.Run("short-hash", func(t *testing.T) {
		_, info := seen(t, recipient.FaultShortHash)
		malformed(t, info, "recipient_rand_hash")
	})
	t.Run("no-params", func(t *testing.T) {
		_, info := seen(t, recipient.FaultNoParams)
		require.Nil(t, info.TicketParams)
	})
	t.Run("no-seed", func(t *testing.T) {
		_, info := seen(t, recipient.FaultNoSeed)
		require.Empty(t, info.TicketParams.Seed)
		code, _ := p.pay(info, p.payment(info, 1, 1))
		require.Equal(t, http.StatusBadRequest, code)
	})
	t.Run("no-expiration-params", func(t *testing.T) {
		_, info := seen(t, recipient.FaultNoExpirationParams)
		require.Nil(t, info.TicketParams.ExpirationParams)
		p.accepted(info, p.payment(info, 1, 1)) // the sender accepts the last round
	})
	t.Run("no-auth-token", func(t *testing.T) {
		_, info := seen(t, recipient.FaultNoAuthToken)
		require.Nil(t, info.AuthToken)
	})
	t.Run("no-price", func(t *testing.T) {
		_, info := seen(t, recipient.FaultNoPrice)
		require.Nil(t, info.PriceInfo)
	})
}

func TestConnectionFaults(t *testing.T) {
	net := newNetwork(t, devnet.Config{})
	p := net.newPayer(t).fund(ether, ether)
	good := net.State().Recipients[0]
	info := p.offer(good.URL)
	headers := p.headers(info, p.payment(info, 1, 1))
	with := func(t *testing.T, fault string) chain.DevnetRecipient {
		return net.server(t, url.Values{"fault": {fault}})
	}
	request, err := wire.NewOrchestratorRequest(p.signer.Signer)
	require.NoError(t, err)

	t.Run("slow", func(t *testing.T) {
		began := time.Now()
		p.offer(with(t, "slow:300ms").URL)
		require.GreaterOrEqual(t, time.Since(began), 300*time.Millisecond)
	})
	t.Run("hang", func(t *testing.T) {
		service := with(t, "hang")
		for _, at := range []string{service.URL, service.PlainURL} {
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			_, err := p.askWith(ctx, at, request)
			require.Equal(t, codes.DeadlineExceeded, grpcstatus.Code(err), err)
		}
	})
	t.Run("not-grpc", func(t *testing.T) {
		_, err := p.ask(with(t, "not-grpc").URL)
		require.Equal(t, codes.Unimplemented, grpcstatus.Code(err), err)
	})
	t.Run("garbage", func(t *testing.T) {
		service := with(t, "garbage")
		for _, at := range []string{service.URL, service.PlainURL} {
			_, err := p.ask(at)
			require.Equal(t, codes.Internal, grpcstatus.Code(err), err)
		}
		code, body, err := p.post(service.URL, headers)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, code)
		require.Len(t, body, 256)
	})
	t.Run("huge", func(t *testing.T) {
		service := with(t, "huge")
		_, err := p.ask(service.URL)
		require.Equal(t, codes.ResourceExhausted, grpcstatus.Code(err), err)
		_, body, err := p.post(service.PlainURL, headers)
		require.NoError(t, err)
		require.Len(t, body, 16<<20)
	})
}

func TestPaymentFaults(t *testing.T) {
	net := newNetwork(t, devnet.Config{})
	p := net.newPayer(t).fund(ether, ether)
	service := net.State().Recipients[0]
	// toggle switches a fault of the running recipient for the length of a test.
	toggle := func(t *testing.T, fault string) {
		t.Helper()
		var answer struct{ Faults []string }
		net.control(t, "/recipients/0/fault?on=true&name="+fault, &answer)
		require.Equal(t, []string{fault}, answer.Faults)
		t.Cleanup(func() {
			res, err := http.Post(net.ControlURL()+"/recipients/0/fault?on=false&name="+fault, "", nil)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
		})
	}

	for fault, want := range map[string]int{"refuse-payment": 400, "refuse-payment:503": 503} {
		t.Run(fault, func(t *testing.T) {
			toggle(t, fault)
			info := p.offer(service.URL)
			code, _ := p.pay(info, p.payment(info, 1, 1))
			require.Equal(t, want, code)
			require.Zero(t, status(t, service.StatusURL).Tickets.Received)
		})
	}
	for _, at := range []string{service.URL, service.PlainURL} {
		t.Run("drop-after-taking "+at, func(t *testing.T) {
			info := p.offer(at)
			toggle(t, "drop-after-taking")
			before := status(t, service.StatusURL).Tickets.Accepted
			_, _, err := p.post(at, p.headers(info, p.payment(info, 1, 3)))
			require.Error(t, err)
			require.EqualValues(t, 3, status(t, service.StatusURL).Tickets.Accepted-before)
		})
		t.Run("crash "+at, func(t *testing.T) {
			info := p.offer(at)
			toggle(t, "crash")
			payment := p.payment(info, 1, 1)
			p.accepted(info, payment)
			payment.ExpirationParams = nil
			_, _, err := p.post(at, p.headers(info, payment))
			require.Error(t, err)
		})
	}
	// All faults off: the recipient works again.
	info := p.offer(service.URL)
	p.accepted(info, p.payment(info, 1, 1))
	require.Empty(t, status(t, service.StatusURL).Faults)
}

func TestEveryFaultCanBeSwitchedOn(t *testing.T) {
	// All at once: each one's effect is tested above.
	net := newNetwork(t, devnet.Config{})
	query := url.Values{}
	for _, fault := range recipient.Faults() {
		query.Add("fault", string(fault))
	}
	service := net.server(t, query)
	require.Len(t, status(t, service.StatusURL).Faults, len(recipient.Faults()), fmt.Sprint(query))
}
