package recipient_test

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet"
	"github.com/pmctl/pmctl/wallet/devnet/recipient"
	"github.com/pmctl/pmctl/wallet/devnet/runners"
)

// clock is a recipient's clock, which a test sets.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func newClock() *clock { return &clock{now: time.Now()} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// runnerNetwork is a network whose recipient has runners, and the recipient's clock.
func runnerNetwork(t *testing.T, all ...runners.Runner) (*network, *clock) {
	t.Helper()
	clock := newClock()
	net := newNetwork(t, devnet.Config{StartRecipient: devnet.OwnRecipient(devnet.RecipientConfig{
		Economy: recipient.DefaultEconomy(), Runners: all, Now: clock.Now,
	})})
	return net, clock
}

// answer is what a runner answered.
type answer struct {
	status int
	header http.Header
	body   string
}

// send sends a request to a runner.
func (p *payer) send(method, url, body string, header http.Header) answer {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, url, strings.NewReader(body))
	require.NoError(p.t, err)
	if header != nil {
		req.Header = header
	}
	client := *p.http
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	res, err := client.Do(req)
	require.NoError(p.t, err)
	defer res.Body.Close()
	got, err := io.ReadAll(res.Body)
	require.NoError(p.t, err)
	return answer{res.StatusCode, res.Header, string(got)}
}

// asPayer is the header of a request for a challenge.
func (p *payer) asPayer() http.Header {
	return http.Header{runners.PayerHeader: {p.signer.Address().Hex()}}
}

// signed are the headers of a payment for a manifest.
func (p *payer) signed(info *wire.OrchestratorInfo, payment *wire.Payment, manifest string) http.Header {
	p.t.Helper()
	segment, err := wire.Credentials(p.signer.Signer, manifest, info.AuthToken, p.capabilities)
	require.NoError(p.t, err)
	header := http.Header{}
	for name, message := range map[string]proto.Message{wire.PaymentHeader: payment, wire.SegmentHeader: segment} {
		value, err := wire.EncodeHeader(message)
		require.NoError(p.t, err)
		header.Set(name, value)
	}
	return header
}
