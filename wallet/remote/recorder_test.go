package remote_test

import (
	"math/big"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/admin"
	"github.com/pmctl/pmctl/wallet/remote/identity"
)

// TestRefusedRecipientsHideNoPayments: requests for recipient after recipient fill the time series of
// requests, and what is signed is still counted by recipient.
func TestRefusedRecipientsHideNoPayments(t *testing.T) {
	_, key := captured(t, "signer_errors_and_payments")
	w := newWorld(t, key, 100, identity.None{}, nil, nil)
	recorder := admin.NewRecorder()
	for i := range int64(3000) {
		other := common.BigToAddress(big.NewInt(i + 1))
		recorder.Observe(remote.Answered{Path: "/generate-live-payment", Recipient: &other, Status: http.StatusBadRequest})
	}
	w.config.Observe = recorder.Observe
	signer, err := remote.New(t.Context(), w.config)
	require.NoError(t, err)
	w.server = httptest.NewServer(signer.Handler())
	t.Cleanup(w.server.Close)
	a := newAsker(t, w)
	a.paid(t)

	recipient := common.BytesToAddress(a.offer(t).Address)
	samples := make(map[string][]string)
	for _, metric := range recorder.Metrics() {
		for _, sample := range metric.Samples {
			samples[metric.Name] = append(samples[metric.Name], string(sample.Labels))
		}
	}
	require.Contains(t, samples["pmctl_signer_requests_total"], `route="generate-live-payment",client="",recipient="other",status="200"`)
	require.Len(t, samples["pmctl_signer_tickets_total"], 1)
	require.Contains(t, samples["pmctl_signer_tickets_total"][0], `recipient="`+recipient.Hex()+`"`)
}
