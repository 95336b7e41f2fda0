package call_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/crypto"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/wallet"
	"github.com/pmctl/pmctl/wallet/call"
	"github.com/pmctl/pmctl/wallet/chain"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
	"github.com/pmctl/pmctl/wallet/devnet/runners"
	"github.com/pmctl/pmctl/wallet/policy"
	"github.com/pmctl/pmctl/wallet/signer"
	"github.com/pmctl/pmctl/wallet/wei"
)

// world is a local network with a funded account, whose recipient has the account's clock.
type world struct {
	t     *testing.T
	net   *devnet.Devnet
	clock *call.Clock
	store string
	// node is where its chain is asked.
	node string

	// after, if set, is what a session by a remote signer waits with, and lasts how long it lasts.
	after func(time.Duration) <-chan time.Time
	lasts time.Duration

	// between, if set, sees each request to the recipient. An answer of its own is the proxy's.
	between func(*http.Request) *http.Response
}

// proxy is a transport to a recipient behind a proxy.
type proxy struct {
	http.RoundTripper
	between func(*http.Request) *http.Response
}

func (p proxy) RoundTrip(r *http.Request) (*http.Response, error) {
	if own := p.between(r); own != nil {
		return own, nil
	}
	return p.RoundTripper.RoundTrip(r)
}

func newWorld(t *testing.T) *world {
	t.Helper()
	clock := call.NewClock(time.Now())
	d, err := devnet.Start(t.Context(), devnet.Config{
		StatePath:  filepath.Join(t.TempDir(), "devnet.json"),
		Recipients: 1,
		StartRecipient: devnet.OwnRecipient(devnet.RecipientConfig{
			Economy: recipient.DefaultEconomy(), Now: clock.Now,
		}),
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, d.Close()) })
	w := &world{t: t, net: d, clock: clock, store: filepath.Join(t.TempDir(), "store.db"), node: d.RPCURL()}
	half, err := wei.Parse("1eth")
	require.NoError(t, err)
	account := w.open()
	defer account.Close()
	_, err = account.Fund(t.Context(), wallet.Funding{Deposit: half, Reserve: half}, wallet.SendOptions{Agreed: true})
	require.NoError(t, err)
	return w
}

func (w *world) open() *wallet.Wallet {
	w.t.Helper()
	key, err := signer.RawKey([]byte(hex.EncodeToString(crypto.FromECDSA(w.net.Accounts()[0].Key))))
	require.NoError(w.t, err)
	opened, err := wallet.Open(w.t.Context(), wallet.Config{
		Network: chain.Network{Name: "devnet", ChainID: w.net.ChainID().Uint64(), Controller: w.net.Controller()},
		Nodes:   []string{w.node}, Store: w.store, Account: signer.Opened(key, ""), Limits: policy.Default(), Now: w.clock.Now,
	})
	require.NoError(w.t, err)
	return opened
}

// hold pays a session of a runner for as long as use takes.
func (w *world) hold(runner, request string, terms call.Terms, use func(context.Context)) (*call.Result, error) {
	return w.session(runner, request, terms, w.clock.After, call.SessionOptions{Run: func(ctx context.Context, _ call.Session) error {
		use(ctx)
		return nil
	}})
}

// session pays a session of a runner, whose waits end as those of after.
func (w *world) session(runner, request string, terms call.Terms, after func(time.Duration) <-chan time.Time, o call.SessionOptions) (*call.Result, error) {
	w.t.Helper()
	target, err := call.ParseTarget(w.net.Recipients()[0].State().URL + "/apps/" + runner + "/session")
	require.NoError(w.t, err)
	ask := &call.Request{Target: target, Method: http.MethodPost}
	account := w.open()
	defer account.Close()
	caller, end, err := wallet.NewCaller(w.t.Context(), account, ask, wallet.CallOptions{Terms: terms, RequestID: request, Answered: func(*http.Response) error { return nil }})
	require.NoError(w.t, err)
	defer end()
	caller.After = after
	if w.between != nil {
		caller.HTTP.Transport = proxy{caller.HTTP.Transport, w.between}
	}
	return caller.Hold(w.t.Context(), ask, o)
}

// post asks the network's control API, or a recipient.
func (w *world) post(url string) {
	w.t.Helper()
	response, err := http.Post(url, "", nil)
	require.NoError(w.t, err)
	body, err := io.ReadAll(response.Body)
	response.Body.Close()
	require.NoError(w.t, err)
	require.Equal(w.t, http.StatusOK, response.StatusCode, string(body))
}

// sessions are what the recipient counts.
func (w *world) sessions() (status struct {
	Sessions []struct {
		ID     string        `json:"session_id"`
		State  runners.State `json:"state"`
		Units  int64         `json:"units"`
		Credit string        `json:"credit"`
		Cost   string        `json:"cost"`
	}
	Tickets struct{ Received, Accepted uint64 }
}) {
	w.t.Helper()
	response, err := http.Get(w.net.Recipients()[0].State().StatusURL)
	require.NoError(w.t, err)
	defer response.Body.Close()
	require.NoError(w.t, json.NewDecoder(response.Body).Decode(&status))
	return status
}

func amount(t *testing.T, text string) *wei.Wei {
	t.Helper()
	parsed, err := wei.Parse(text)
	require.NoError(t, err)
	return &parsed
}

// ticks lets so many times between payments pass, and returns when the last payment is made.
func (w *world) ticks(ctx context.Context, n int) {
	for range n {
		w.clock.Tick(ctx, 5*time.Second)
	}
	w.clock.Paid(ctx)
}

// untilStopped lets time pass until the session has ended.
func (w *world) untilStopped(ctx context.Context) { w.clock.TickUntil(ctx.Done(), 5*time.Second) }

// TestAMinuteOfASession: by seconds and by pixels the payments come to the units' price within one
// ticket, and the recipient has credited exactly them.
func TestAMinuteOfASession(t *testing.T) {
	for runner, c := range map[string]struct {
		first, second int64
		late          time.Duration // is each payment in a process, where a second that has begun must not count
	}{
		"live1": {10, 1, 50 * time.Millisecond}, "lv1": {60 * 27648000, 27648000, 0},
	} {
		t.Run(runner, func(t *testing.T) {
			w := newWorld(t)
			result, err := w.hold(runner, "", call.Terms{}, func(ctx context.Context) {
				for range 12 {
					w.clock.Tick(ctx, 5*time.Second+c.late)
				}
				w.clock.Paid(ctx)
			})
			require.NoError(t, err)
			units := c.first + 60*c.second
			// What the balance covers is not billed yet.
			over := new(big.Rat).Mul(result.Price.Rat(), big.NewRat(units, 1))
			over.Sub(result.Paid, over)
			require.GreaterOrEqual(t, over.Sign(), 0)
			require.Negative(t, over.Cmp(result.Offer.Params.EV()), "less than a ticket")
			require.Equal(t, new(big.Rat).Mul(result.Price.Rat(), big.NewRat(result.Units, 1)), result.Fee)
			require.Equal(t, new(big.Rat).Sub(result.Paid, result.Fee), result.Balance)
			status := w.sessions()
			require.Len(t, status.Sessions, 1)
			require.Equal(t, runners.Stopped, status.Sessions[0].State)
			require.Equal(t, result.Paid.RatString(), status.Sessions[0].Credit)
			require.Equal(t, 60*c.second, status.Sessions[0].Units)
			require.EqualValues(t, result.Tickets, status.Tickets.Accepted)
			require.EqualValues(t, result.Tickets, status.Tickets.Received)
		})
	}
}

// TestASessionEnds before a payment that is not agreed to, and is stopped at the orchestrator.
func TestASessionEnds(t *testing.T) {
	t.Run("cost", func(t *testing.T) {
		w := newWorld(t)
		most := amount(t, "10000gwei")
		result, err := w.hold("live1", "", call.Terms{MaxCost: most}, w.untilStopped)
		require.ErrorContains(t, err, "would exceed --max-cost")
		require.ErrorIs(t, err, policy.ErrLimit)
		require.LessOrEqual(t, result.Paid.Cmp(most.Rat()), 0)
		require.Equal(t, runners.Stopped, w.sessions().Sessions[0].State)
		require.Equal(t, result.Paid.RatString(), w.sessions().Sessions[0].Credit)
	})
	t.Run("price", func(t *testing.T) {
		w := newWorld(t)
		control := w.net.ControlURL() + "/recipients/0/runner?name=live1&price=486111111112&sessions=true"
		result, err := w.hold("live1", "", call.Terms{}, func(ctx context.Context) {
			w.ticks(ctx, 1)
			w.post(control)
			w.untilStopped(ctx)
		})
		require.ErrorContains(t, err, "the orchestrator raised the price")
		require.ErrorIs(t, err, policy.ErrLimit)
		require.Equal(t, big.NewRat(486111111111, 1), result.Price.Rat())
		require.Equal(t, runners.Stopped, w.sessions().Sessions[0].State)
	})
	t.Run("inactive", func(t *testing.T) {
		w := newWorld(t)
		require.NoError(t, w.net.DeactivateTranscoder(t.Context(), w.net.Recipients()[0].State().Address))
		_, err := w.hold("live1", "", call.Terms{}, func(ctx context.Context) {})
		require.ErrorIs(t, err, policy.ErrInactive)
		require.Zero(t, w.sessions().Tickets.Received)
	})
}
