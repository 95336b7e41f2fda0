package recipient

import (
	"context"
	"math/big"
	"net/http"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet/runners"
)

// cashier takes the payments for the recipient's runners.
type cashier struct{ *Recipient }

var _ runners.Cashier = cashier{}

// BaseURL is the recipient's URL in answers to a request.
func (r *Recipient) BaseURL(req *http.Request) string {
	if req.TLS != nil {
		return r.URL()
	}
	return r.PlainURL()
}

// Challenge makes an offer for a session of a runner. Its params are those of all other offers,
// with their faults.
func (c cashier) Challenge(ctx context.Context, base string, sender common.Address, price int64, session string) (*wire.OrchestratorInfo, error) {
	info, err := c.runnerOffer(ctx, base, sender, price, session)
	c.ledger.paramsAsked(err)
	return info, err
}

func (c cashier) runnerOffer(ctx context.Context, base string, sender common.Address, price int64, session string) (*wire.OrchestratorInfo, error) {
	if err := c.synced(ctx); err != nil {
		return nil, err
	}
	token, err := c.authority.issue(session, c.cfg.Now())
	if err != nil {
		return nil, err
	}
	info, err := c.challenge(sender, base, big.NewRat(price, 1), token)
	if err == nil {
		c.spoil(info)
	}
	return info, err
}

// Pay takes a payment for a session of a runner.
func (c cashier) Pay(req *http.Request, admit func(runners.Payment) (int64, error)) (*wire.OrchestratorInfo, error) {
	return c.pay(req, func(segment *wire.SegData, payment *wire.Payment) (*big.Rat, error) {
		price, err := admit(runners.Payment{
			Sender:        common.BytesToAddress(payment.GetSender()),
			Manifest:      string(segment.GetManifestId()),
			AuthSession:   segment.GetAuthToken().GetSessionId(),
			ExpectedPrice: payment.GetExpectedPrice(),
		})
		if err != nil || price == 0 {
			return nil, err
		}
		return big.NewRat(price, 1), nil
	})
}

// Credit is what a sender's tickets for a session are worth, in wei.
func (c cashier) Credit(sender common.Address, session string) *big.Rat {
	return c.ledger.creditOf(sender, session)
}
