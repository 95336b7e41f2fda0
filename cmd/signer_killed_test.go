package cmd

import (
	"bufio"
	"bytes"
	"cmp"
	crypto "crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"math/big"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/store"
)

// TestSoakSignerKilled kills remote signers with SIGKILL at random moments while clients pay
// through them. A client that gets no answer repeats its request, at any of them, until it gets
// one. No nonce is signed twice, no allowance is exceeded, every payment is in the usage once, and
// its event gets to a collector that loses answers, in order. A request that is repeated gets the
// same bytes.
func TestSoakSignerKilled(t *testing.T) {
	t.Parallel()
	notInShort(t)
	onEachStore(t, func(t *testing.T, location string) {
		calls, replicas := soakRuns(t, 600, 1000, 5000), 1
		if location != "" {
			calls, replicas = soakRuns(t, 600, 1500, 20_000), 3
		}
		f := newSignerFleet(t, location)
		for range replicas {
			f.urls = append(f.urls, f.replica())
		}
		err := f.pay(calls, nil)
		close(f.stopped)
		f.running.Wait()
		require.NoError(t, err)
		require.Positive(t, f.kills.Load())
		f.check()
	})
}

// signerFleet is remote signers that share a store, and their clients.
type signerFleet struct {
	t *testing.T
	*shell
	urls    []string
	kills   atomic.Int64
	stopped chan struct{}
	running sync.WaitGroup

	// any is a signer that is not killed, for what is no payment.
	any   *remoteSigner
	token string
	limit *big.Int

	// collector gets the usage events.
	collector *usageCollector

	mu    sync.Mutex
	info  []byte
	paid  map[string][]byte // the answers by state ID and sequence number
	spent int               // payments that were refused for the allowance
}

func newSignerFleet(t *testing.T, location string) *signerFleet {
	s := newShell(t, devnet.Config{Recipients: 1})
	if location != "" {
		s.env["PMCTL_STORE"] = location
	}
	s.run(exitDone, "fund --deposit 10eth --reserve 10eth --yes")
	f := &signerFleet{t: t, shell: s, stopped: make(chan struct{}), paid: make(map[string][]byte), collector: newUsageCollector(t)}
	f.collector.lossy = true
	f.any = s.serveSigner("--no-auth")
	return f
}

// replica runs pmctl signer serve over and over, in a process that is killed after a while.
func (f *signerFleet) replica() string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(f.t, err)
	address := l.Addr().String()
	require.NoError(f.t, l.Close())
	usage := f.collector.file()
	f.running.Go(func() {
		for {
			process := exec.Command("pmctl", "signer", "serve", "--listen", address, "--rate", "0", "--max-total-ev", "1eth", "--usage-file", usage)
			process.Env = append(os.Environ(), "HOME="+filepath.Dir(f.env["XDG_STATE_HOME"]))
			for name, value := range f.env {
				process.Env = append(process.Env, name+"="+value)
			}
			log, err := process.StderrPipe()
			if err == nil {
				err = process.Start()
			}
			if err != nil {
				f.t.Error(err)
				return
			}
			ready := make(chan struct{})
			go func() {
				defer close(ready)
				_, _ = bufio.NewReader(log).ReadString('\n') // which says that it is ready
			}()
			stopped := false
			select {
			case <-ready:
			case <-f.stopped:
				stopped = true
			}
			go func() { _, _ = io.Copy(io.Discard, log) }()
			select {
			case <-time.After(time.Duration(rand.IntN(400)) * time.Millisecond): // a moment to be killed at
				f.kills.Add(1)
			case <-f.stopped:
				stopped = true
			}
			_ = process.Process.Kill()
			_ = process.Wait()
			if stopped {
				return
			}
		}
	})
	return "http://" + address
}

// offer returns an offer that all clients share, and a new one after old was used up.
func (f *signerFleet) offer(old []byte) []byte {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.info == nil || old != nil && bytes.Equal(old, f.info) {
		f.info = f.any.offerFor("", f.net.Recipients()[0].State().URL)
	}
	return f.info
}

// pay makes so many calls from clients side by side, and calls at, unless nil, with how many are
// left after each.
func (f *signerFleet) pay(calls int, at func(left int64)) error {
	const clients = 32
	info := new(wire.OrchestratorInfo)
	require.NoError(f.t, proto.Unmarshal(f.offer(nil), info))
	params, err := info.Params()
	require.NoError(f.t, err)
	// A payment is worth 1.2 tickets: the last tenth of them exceeds the allowance.
	units := new(big.Rat).Mul(params.EV(), big.NewRat(12*info.PriceInfo.PixelsPerUnit, 10*info.PriceInfo.PricePerUnit))
	inPixels := new(big.Int).Quo(units.Num(), units.Denom()).Int64()
	allowance := new(big.Rat).Mul(params.EV(), big.NewRat(int64(calls)*12*9, 10*10))
	f.limit = new(big.Int).Quo(allowance.Num(), allowance.Denom())
	f.token = f.run(exitDone, fmt.Sprintf("signer client add studio --ev-total %dwei", f.limit))["token"].(string)

	var left atomic.Int64
	left.Store(int64(calls))
	var group errgroup.Group
	for range clients {
		group.Go(func() error {
			c := fleetClient{signerFleet: f, inPixels: inPixels, manifest: crypto.Text()}
			for now := left.Add(-1); now >= 0; now = left.Add(-1) {
				if at != nil {
					at(now)
				}
				if err := c.call(); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return group.Wait()
}

// fleetClient is a stream that is paid.
type fleetClient struct {
	*signerFleet
	inPixels int64
	manifest string
	state    json.RawMessage
	info     []byte
}

// call makes one payment, or finds out that the allowance is used up.
func (c *fleetClient) call() error {
	key := crypto.Text()
	c.info = c.offer(nil)
	for {
		request := map[string]any{"orchestrator": c.info, "inPixels": c.inPixels, "ManifestID": c.manifest}
		if c.state != nil {
			request["state"] = c.state
		}
		status, body := c.until(request, key)
		switch status {
		case http.StatusOK:
			if again, same := c.until(request, key); again != status || !bytes.Equal(body, same) {
				return fmt.Errorf("the same request again: %d %s\nand not %s", again, same, body)
			}
			return c.took(body)
		case live.StatusRefresh:
			c.info = c.offer(c.info)
		case store.StatusAllowance:
			c.mu.Lock()
			c.spent++
			c.mu.Unlock()
			return nil
		default:
			return fmt.Errorf("status %d: %s", status, body)
		}
	}
}

// until repeats a request until there is an answer to it, which a signer that is killed, or
// cannot reach its store, does not give.
func (c *fleetClient) until(request map[string]any, key string) (int, []byte) {
	raw, _ := json.Marshal(request)
	const tries = 10_000 // of which a signer that is not ready yet takes hundreds
	for try := 0; ; try++ {
		r, _ := http.NewRequest(http.MethodPost, c.urls[rand.IntN(len(c.urls))]+"/generate-live-payment", bytes.NewReader(raw))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Authorization", "Bearer "+c.token)
		r.Header.Set("Idempotency-Key", key)
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			continue
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err == nil && (response.StatusCode != http.StatusServiceUnavailable || try > tries) {
			return response.StatusCode, body
		}
	}
}

// took notes an answer.
func (c *fleetClient) took(body []byte) error {
	var answer signed
	var state live.State
	if err := cmp.Or(json.Unmarshal(body, &answer), json.Unmarshal(answer.State, &state)); err != nil {
		return err
	}
	session, err := live.DecodeSession(state.State)
	if err != nil {
		return err
	}
	c.state = answer.State
	c.mu.Lock()
	defer c.mu.Unlock()
	name := fmt.Sprintf("%s %d", session.StateID, session.SequenceNumber)
	if c.paid[name] != nil {
		return fmt.Errorf("%s was answered twice", name)
	}
	c.paid[name] = answer.Payment
	return nil
}

// check compares what clients got with what the store recorded, and with the events.
func (f *signerFleet) check() {
	recorded := f.checkPayments()
	f.serveSigner("--usage-file " + f.collector.file())
	delivered := f.collector.first(len(recorded))
	require.Len(f.t, delivered, len(recorded), "every payment's event is delivered")
	for i, p := range recorded { // all of them are one client's
		require.Equal(f.t, fmt.Sprint(p.Position), delivered[i].ID, "in order")
	}
}

// checkPayments compares what clients got with what the store recorded, which it returns.
func (f *signerFleet) checkPayments() []*store.LivePayment {
	t := f.t
	require.Positive(t, f.spent, "the allowance was reached")
	nonces, total := make(map[string]bool), new(big.Rat)
	for name, raw := range f.paid {
		payment := new(wire.Payment)
		require.NoError(t, proto.Unmarshal(raw, payment))
		params, err := wire.ToTicketParams(payment.TicketParams)
		require.NoError(t, err)
		for _, ticket := range payment.TicketSenderParams {
			nonce := fmt.Sprintf("%x %d", payment.TicketParams.RecipientRandHash, ticket.SenderNonce)
			require.False(t, nonces[nonce], "%s has nonce %s, which another payment has too", name, nonce)
			nonces[nonce] = true
			total.Add(total, (&pm.TicketParams{FaceValue: params.FaceValue, WinProb: params.WinProb}).EV())
		}
	}
	require.LessOrEqual(t, total.Cmp(new(big.Rat).SetInt(f.limit)), 0, "the allowance is %v, and %v was signed", f.limit, total)

	location := cmp.Or(f.env["PMCTL_STORE"], filepath.Join(f.env["XDG_STATE_HOME"], "pmctl", "store.db"))
	s, err := store.Open(t.Context(), location)
	require.NoError(t, err)
	defer s.Close()
	recorded, err := s.LiveUsage().After(t.Context(), 0, 1<<20)
	require.NoError(t, err)
	require.Len(t, recorded, len(f.paid), "every payment is in the usage once")
	ids := make(map[string]bool)
	for _, p := range recorded {
		require.NotNil(t, f.paid[fmt.Sprintf("%s %d", p.Session.StateID, p.Session.SequenceNumber)])
		var event struct{ ID string }
		require.NoError(t, json.Unmarshal(p.Usage, &event))
		require.False(t, ids[event.ID])
		ids[event.ID] = true
	}
	t.Logf("%d payments, %d tickets, %d refused, %d kills", len(f.paid), len(nonces), f.spent, f.kills.Load())
	return recorded
}
