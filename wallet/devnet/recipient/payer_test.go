package recipient_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/broker"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
	"github.com/pmctl/pmctl/wallet/signer"
)

// patience limits the wait for asynchronous results.
const patience = 20 * time.Second

// network is a devnet with a recipient.
type network struct {
	*devnet.Devnet
	client *chain.Client
	next   int // the first account without a payer
}

func newNetwork(t *testing.T, cfg devnet.Config) *network {
	t.Helper()
	cfg.Recipients = 1
	d, err := devnet.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	state := d.State()
	client, err := chain.Dial(t.Context(), state.WSURL, state.Network())
	require.NoError(t, err)
	t.Cleanup(client.Close)
	return &network{Devnet: d, client: client}
}

// control calls the control API and decodes its answer.
func (n *network) control(t *testing.T, call string, into any) {
	t.Helper()
	res, err := http.Post(n.ControlURL()+call, "", nil)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, "%s", body)
	require.NoError(t, json.Unmarshal(body, into))
}

// server starts one more server of the recipient.
func (n *network) server(t *testing.T, query url.Values) chain.DevnetRecipient {
	t.Helper()
	var state chain.DevnetRecipient
	n.control(t, "/recipients?"+query.Encode(), &state)
	return state
}

// deposit is a payer's deposit, in wei.
func (n *network) deposit(t *testing.T, p *payer) *big.Int {
	t.Helper()
	facts, err := n.client.Facts(t.Context(), p.signer.Address())
	require.NoError(t, err)
	return facts.Sender.Deposit
}

// payer is a sender without a wallet: it signs everything.
type payer struct {
	t      *testing.T
	net    *network
	signer signer.Local
	broker *broker.Account
	http   *http.Client

	// capabilities are what its payments need.
	capabilities []byte
}

// newPayer makes a payer of the network's next account.
func (n *network) newPayer(t *testing.T) *payer {
	t.Helper()
	account := n.Accounts()[n.next]
	n.next++
	key, err := signer.RawKey([]byte(hex.EncodeToString(crypto.FromECDSA(account.Key))))
	require.NoError(t, err)
	broker, err := chain.NewBroker(t.Context(), n.client, devnet.NewSender(n.client, key))
	require.NoError(t, err)
	transport := &http.Transport{
		TLSClientConfig:   &tls.Config{InsecureSkipVerify: true},
		ForceAttemptHTTP2: true,
	}
	t.Cleanup(func() { transport.CloseIdleConnections(); key.Close() })
	return &payer{t: t, net: n, signer: key, broker: broker, http: &http.Client{Transport: transport}}
}

// fund gives the payer a deposit and a reserve, in wei.
func (p *payer) fund(deposit, reserve *big.Int) *payer {
	p.t.Helper()
	sent, err := p.broker.FundDepositAndReserve(deposit, reserve)
	require.NoError(p.t, err)
	require.NoError(p.t, p.broker.CheckTx(sent))
	return p
}

// ask calls GetOrchestrator with a signed request.
func (p *payer) ask(service string) (*wire.OrchestratorInfo, error) {
	p.t.Helper()
	request, err := wire.NewOrchestratorRequest(p.signer.Signer)
	require.NoError(p.t, err)
	return p.askWith(p.t.Context(), service, request)
}

func (p *payer) askWith(ctx context.Context, service string, request *wire.OrchestratorRequest) (*wire.OrchestratorInfo, error) {
	p.t.Helper()
	u, err := url.Parse(service)
	require.NoError(p.t, err)
	security := insecure.NewCredentials()
	if u.Scheme == "https" {
		security = credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})
	}
	conn, err := grpc.NewClient(u.Host, grpc.WithTransportCredentials(security))
	require.NoError(p.t, err)
	defer conn.Close()
	return wire.GetOrchestrator(ctx, conn, request)
}

// offer is ask that succeeds.
func (p *payer) offer(service string) *wire.OrchestratorInfo {
	p.t.Helper()
	info, err := p.ask(service)
	require.NoError(p.t, err)
	return info
}

// payment is tickets with the nonces first … first+count-1 for an offer.
func (p *payer) payment(info *wire.OrchestratorInfo, first, count uint32) *wire.Payment {
	p.t.Helper()
	params, err := info.Params()
	require.NoError(p.t, err)
	batch := &pm.TicketBatch{TicketParams: params, TicketExpirationParams: params.ExpirationParams, Sender: p.signer.Address()}
	if batch.TicketExpirationParams == nil {
		facts, err := p.net.client.Facts(p.t.Context(), batch.Sender)
		require.NoError(p.t, err)
		batch.TicketExpirationParams = &pm.TicketExpirationParams{
			CreationRound:          facts.LastInitializedRound.Int64(),
			CreationRoundBlockHash: facts.LastInitializedL1BlockHash,
		}
	}
	nonces := pm.NonceRange{First: first, Count: count}
	err = pm.Mint(p.t.Context(), p.signer.Signer, params, batch.TicketExpirationParams, nonces, func(sp pm.TicketSenderParams) error {
		sp.Sig = bytes.Clone(sp.Sig)
		batch.SenderParams = append(batch.SenderParams, &sp)
		return nil
	})
	require.NoError(p.t, err)
	payment, err := wire.PaymentFor(batch)
	require.NoError(p.t, err)
	return payment
}

// headers are the two headers of a payment.
func (p *payer) headers(info *wire.OrchestratorInfo, payment *wire.Payment) http.Header {
	p.t.Helper()
	segment, err := wire.PaymentCredentials(p.signer.Signer, info.AuthToken, p.capabilities, time.Now())
	require.NoError(p.t, err)
	header := http.Header{}
	for name, message := range map[string]proto.Message{wire.PaymentHeader: payment, wire.SegmentHeader: segment} {
		value, err := wire.EncodeHeader(message)
		require.NoError(p.t, err)
		header.Set(name, value)
	}
	return header
}

// post sends headers and returns the answer's status and body.
func (p *payer) post(service string, header http.Header) (int, []byte, error) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, service+"/payment", nil)
	require.NoError(p.t, err)
	req.Header = header
	res, err := p.http.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res.StatusCode, body, err
}

// pay delivers a payment with its credentials to the offer's URL.
func (p *payer) pay(info *wire.OrchestratorInfo, payment *wire.Payment) (int, string) {
	p.t.Helper()
	status, body, err := p.post(info.Transcoder, p.headers(info, payment))
	require.NoError(p.t, err)
	return status, strings.TrimSpace(string(body))
}

// accepted delivers a payment that is accepted, and returns the fresh offer.
func (p *payer) accepted(info *wire.OrchestratorInfo, payment *wire.Payment) *wire.OrchestratorInfo {
	p.t.Helper()
	status, body := p.pay(info, payment)
	require.Equal(p.t, http.StatusOK, status, body)
	var result wire.PaymentResult
	require.NoError(p.t, proto.Unmarshal([]byte(body), &result))
	require.NotNil(p.t, result.Info)
	return result.Info
}

// status reads a server's status.
func status(t *testing.T, statusURL string) recipient.Status {
	t.Helper()
	res, err := http.Get(statusURL)
	require.NoError(t, err)
	defer res.Body.Close()
	var out recipient.Status
	decoder := json.NewDecoder(res.Body)
	decoder.DisallowUnknownFields()
	require.NoError(t, decoder.Decode(&out))
	return out
}

// eventually waits for an asynchronous result, and reports the last one that it saw.
func eventually(t *testing.T, saw func() (any, bool)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		last, done := saw()
		if done {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			require.FailNowf(t, "it did not happen", "last seen: %+v", last)
		}
	}
}
