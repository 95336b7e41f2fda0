package cmd

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/pay"
)

// remoteSigner is pmctl signer serve with what it logs.
type remoteSigner struct {
	t    *testing.T
	url  string
	stop func() (code int, log string)

	// admin is the URL of the admin listener, if there is one.
	admin string
}

// serveSigner runs pmctl signer serve until stop is called or the test ends.
func (s *shell) serveSigner(flags string) *remoteSigner {
	s.t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, errs := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		args := append([]string{"signer", "serve", "--listen", "127.0.0.1:0", "--log", "json"}, strings.Fields(flags)...)
		ended <- Main(ctx, args, &Env{
			In: strings.NewReader(""), Out: io.Discard, Err: errs, Now: time.Now, Getenv: func(name string) string { return s.env[name] },
		})
		errs.Close()
	}()
	var log bytes.Buffer
	ready, read := make(chan [2]string, 1), make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			log.WriteString(lines.Text() + "\n")
			var line struct{ Msg, Listen, Admin string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "ready" {
				ready <- [2]string{line.Listen, line.Admin}
			}
		}
	}()
	stopped := false
	r := &remoteSigner{t: s.t, stop: func() (int, string) {
		stopped = true
		cancel()
		code := <-ended
		<-read
		return code, log.String()
	}}
	s.t.Cleanup(func() {
		if !stopped {
			r.stop()
		}
	})
	select {
	case addresses := <-ready:
		r.url, r.admin = "http://"+addresses[0], "http://"+addresses[1]
	case <-read:
		require.FailNow(s.t, "the signer ended", log.String())
	}
	return r
}

func (r *remoteSigner) post(path, token string, body any) (int, []byte) {
	r.t.Helper()
	raw, err := json.Marshal(body)
	require.NoError(r.t, err)
	request, err := http.NewRequest(http.MethodPost, r.url+path, bytes.NewReader(raw))
	require.NoError(r.t, err)
	request.Header.Set("Content-Type", "application/json")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := http.DefaultClient.Do(request)
	require.NoError(r.t, err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	return response.StatusCode, answer
}

// signed is the answer to a request for a payment.
type signed struct {
	Payment, SegCreds []byte
	State             json.RawMessage
}

// offerFor fetches an orchestrator's offer as a gateway without a key does: with the address and
// the signature that the remote signer gives out.
func (r *remoteSigner) offerFor(token, at string) []byte {
	r.t.Helper()
	code, body := r.post("/sign-orchestrator-info", token, nil)
	require.Equal(r.t, http.StatusOK, code, string(body))
	var who struct{ Address, Signature string }
	require.NoError(r.t, json.Unmarshal(body, &who))
	u, err := pay.ParseURL(at)
	require.NoError(r.t, err)
	client := pay.Client{}
	offer, err := client.Fetch(r.t.Context(), u, &wire.OrchestratorRequest{
		Address: common.HexToAddress(who.Address).Bytes(), Sig: hexutil.MustDecode(who.Signature),
	})
	require.NoError(r.t, err)
	info, err := proto.Marshal(offer.Info)
	require.NoError(r.t, err)
	return info
}

// TestASignerPays: a gateway without a key pays through the signer, and the orchestrator credits
// it; a client's allowance is never exceeded.
func TestASignerPays(t *testing.T) {
	t.Parallel()
	s := newShell(t, devnet.Config{Recipients: 1})
	s.run(exitDone, "fund --deposit 1eth --reserve 1eth --yes")
	client := s.run(exitDone, "signer client add studio --ev-per-day 5000gwei")
	token := client["token"].(string)
	r := s.serveSigner("")
	recipient := s.net.Recipients()[0].State()
	info := r.offerFor(token, recipient.URL)

	code, body := r.post("/generate-live-payment", "", map[string]any{"orchestrator": info, "type": "live", "ManifestID": "m"})
	require.Equal(t, http.StatusUnauthorized, code, string(body))
	stranger, err := http.NewRequest(http.MethodPost, r.url+"/sign-orchestrator-info", nil)
	require.NoError(t, err)
	stranger.Header = http.Header{"Authorization": {"Bearer " + token}, "Signer-Auth-Id": {"other:ann"}}
	response, err := http.DefaultClient.Do(stranger)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusForbidden, response.StatusCode, "no proxy is trusted")

	offered := new(wire.OrchestratorInfo)
	require.NoError(t, proto.Unmarshal(info, offered))
	oneTicket := 1_200e9 * offered.PriceInfo.PixelsPerUnit / offered.PriceInfo.PricePerUnit
	request := map[string]any{"orchestrator": info, "inPixels": oneTicket, "ManifestID": "m"}
	credited, paid := 0, 0
	var state json.RawMessage
	for range 8 {
		if state != nil {
			request["state"] = state
		}
		code, body := r.post("/generate-live-payment", token, request)
		if code == 483 {
			require.Contains(t, string(body), "allowance")
			break
		}
		require.Equal(t, http.StatusOK, code, string(body))
		again, same := r.post("/generate-live-payment", token, request)
		require.Equal(t, http.StatusOK, again)
		if state != nil {
			require.Equal(t, string(body), string(same), "a retry is the same, byte for byte")
		}
		var answer signed
		require.NoError(t, json.Unmarshal(body, &answer))
		state = answer.State
		credited += r.deliver(recipient.URL, answer)
		paid++
	}
	require.Positive(t, paid)
	require.Less(t, paid, 8, "the allowance ends it")
	code, _ = r.post("/generate-live-payment", token, request)
	require.Equal(t, 483, code)

	// While tokens overlap both are accepted; then the old ones are refused.
	asked := func(want int, token string) {
		t.Helper()
		code, body := r.post("/sign-orchestrator-info", token, nil)
		require.Equal(t, want, code, string(body))
	}
	next := s.run(exitDone, "signer client rotate studio --overlap 1h")["token"].(string)
	asked(http.StatusOK, token)
	asked(http.StatusOK, next)
	last := s.run(exitDone, "signer client rotate studio")["token"].(string)
	for _, old := range []string{token, next} {
		code, _ = r.post("/generate-live-payment", old, request)
		require.Equal(t, http.StatusUnauthorized, code)
	}
	token = last
	asked(http.StatusOK, token)

	s.run(exitDone, "signer client revoke studio")
	code, body = r.post("/generate-live-payment", token, request)
	require.Equal(t, http.StatusUnauthorized, code, string(body))

	ended, log := r.stop()
	require.Equal(t, exitDone, ended, log)
	require.NotContains(t, log, token)
	require.Contains(t, log, `"client":"studio"`)
}

// deliver hands a payment to the orchestrator and returns how many tickets it accepted.
func (r *remoteSigner) deliver(at string, p signed) int {
	r.t.Helper()
	payment := new(wire.Payment)
	require.NoError(r.t, proto.Unmarshal(p.Payment, payment))
	request, err := http.NewRequest(http.MethodPost, at+"/payment", nil)
	require.NoError(r.t, err)
	request.Header.Set("Livepeer-Payment", base64.StdEncoding.EncodeToString(p.Payment))
	request.Header.Set("Livepeer-Segment", base64.StdEncoding.EncodeToString(p.SegCreds))
	response, err := pay.HTTPClient().Do(request)
	require.NoError(r.t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(r.t, err)
	require.Equal(r.t, http.StatusOK, response.StatusCode, string(body))
	return len(payment.TicketSenderParams)
}
