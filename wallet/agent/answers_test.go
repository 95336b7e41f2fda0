//go:build linux || darwin

package agent

import (
	"bytes"
	"encoding/base64"
	"io"
	"math/big"
	"net/http"
	"path/filepath"
	"testing"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/contract"
	"github.com/pmctl/pmctl/wallet/pay"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/store"
)

// said is an agent that answers everything with the same bytes.
type said struct {
	status int
	body   []byte
}

func (s said) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: s.status, Body: io.NopCloser(bytes.NewReader(s.body)), Header: http.Header{}}, nil
}

// FuzzAnswers: whatever answers at the socket, a command takes nothing for a signature
// that is not the account's, of what it has asked for.
func FuzzAnswers(f *testing.F) {
	conf := config(f, filepath.Join(f.TempDir(), "store.db"), &chainAt{facts: goodFacts()})
	defer conf.Store.Close()
	service := New(conf)
	status := service.Status()
	expiration := goodFacts().Expiration(params(f, 1))
	good := make([]byte, 0, 2*sigLength)
	err := pm.Mint(f.Context(), signer.ForPM(f.Context(), conf.Signer), params(f, 1), &expiration, pm.NonceRange{First: 1, Count: 2}, func(t pm.TicketSenderParams) error {
		good = append(good, t.Sig...)
		return nil
	})
	require.NoError(f, err)
	tickets := func(sigs []byte) string {
		return `{"first_nonce":1,"count":2,"signatures":"` + base64.StdEncoding.EncodeToString(sigs) + `"}`
	}
	f.Add(uint8(0), 200, tickets(good))
	f.Add(uint8(0), 200, tickets(good[:sigLength]))
	f.Add(uint8(0), 200, tickets(make([]byte, 2*sigLength)))
	f.Add(uint8(0), 200, `{"first_nonce":4294967295,"count":2,"before":true}`)
	f.Add(uint8(1), 200, `{"chain_id":"1337","sender":"0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1","transaction":"0x02c0"}`)
	f.Add(uint8(2), 200, `{"sender":"0x1a642f0E3c3aF545E7AcBD38b07251B3990914F1","signature":"0x00"}`)
	f.Add(uint8(3), 200, `{"header":"AA=="}`)
	f.Add(uint8(4), 200, `{"l1_block":"1","round":"1","age_ms":"0","deposit":"-1"}`)
	f.Add(uint8(5), 200, mustJSON(f, status))
	f.Add(uint8(5), 500, `{"kind":"pmctl.error","version":2,"error":{"code":"limit","exit_code":3,"message":"no"}}`)
	kinds := []string{kindTickets, kindTransaction, kindRequest, kindHeader, kindFacts, kindStatus}
	f.Fuzz(func(t *testing.T, which uint8, code int, data string) {
		kind := kinds[int(which)%len(kinds)]
		for _, body := range []string{data, `{"kind":"` + kind + `","version":2,"data":` + data + `}`} {
			client := &Client{path: "sock", http: &http.Client{Transport: said{code, []byte(body)}}}
			s := NewSigner(client, status)
			switch kind {
			case kindTickets:
				requireOwnTickets(t, s, expiration)
			case kindTransaction:
				asked := types.NewTx(&types.LegacyTx{To: &ticketBroker, Data: contract.NewTicketBroker().PackUnlock(), Gas: 1, GasPrice: big.NewInt(1)})
				if signed, err := s.SignTx(t.Context(), asked, big.NewInt(1337)); err == nil {
					from, err := types.Sender(types.LatestSignerForChainID(big.NewInt(1337)), signed)
					require.NoError(t, err)
					require.Equal(t, s.Address(), from)
				}
			case kindRequest:
				_, _ = s.Sign(t.Context(), wire.OrchestratorRequestMessage(s.Address()))
			case kindHeader:
				_, _ = s.SegmentHeader(t.Context(), new(wire.AuthToken))
			case kindFacts:
				if facts, err := s.Facts(t.Context(), s.Address()); err == nil {
					require.GreaterOrEqual(t, facts.Sender.Deposit.Sign(), 0)
				}
			case kindStatus:
				_, _ = client.Status(t.Context())
			}
		}
	})
}

// requireOwnTickets asks for two tickets, and looks at the last one's signature if it gets them:
// the one that a command checks itself.
func requireOwnTickets(t *testing.T, s *Signer, expiration pm.TicketExpirationParams) {
	spend := store.Spend{Sender: s.Address(), Params: params(t, 1), Count: 2}
	made, err := s.reserve(t.Context(), s.status.StoreID, spend)
	if err != nil || made.Before != nil {
		return
	}
	plan := &pay.Plan{Params: spend.Params, Count: 2, Expiration: expiration}
	var last pm.TicketSenderParams
	var count int
	err = s.SignTickets(t.Context(), &pay.Tickets{Plan: plan, Sender: s.Address(), Nonces: made.Nonces}, func(p pm.TicketSenderParams) error {
		last, count = p, count+1
		return nil
	})
	if err != nil {
		return
	}
	require.Equal(t, 2, count)
	hash := pm.NewTicket(spend.Params, &expiration, s.Address(), last.SenderNonce).Hash()
	require.True(t, new(pm.DefaultSigVerifier).Verify(s.Address(), hash[:], last.Sig))
}
