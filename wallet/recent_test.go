package wallet

import (
	"context"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/stretchr/testify/require"

	"github.com/pmctl/pmctl/internal/clock/clocktest"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/store"
)

// counted counts how often the chain and the store are asked.
type counted struct{ chain, store int }

func (c *counted) Facts(context.Context, common.Address, ...pm.Counterparty) (pm.Facts, error) {
	c.chain++
	return pm.Facts{}, nil
}

func (c *counted) Recipient(context.Context, common.Address, string) (common.Address, error) {
	c.store++
	return common.Address{1}, nil
}

func (c *counted) PinRecipients(context.Context, common.Address, []store.Pin, []common.Address) ([]common.Address, error) {
	return nil, nil
}

// TestNothingIsRecentAfterASleep: what a stream knew before the machine slept, or before the clock was
// set back, is read again. Params have expired meanwhile, whose tickets can win without being credited.
func TestNothingIsRecentAfterASleep(t *testing.T) {
	now := time.Now()
	asked := new(counted)
	clock := func() time.Time { return now }
	chain, known := &recentFacts{chain: asked, now: clock}, &recentlyKnown{Known: asked, now: clock}
	ask := func(chain func(context.Context, common.Address, ...pm.Counterparty) error) {
		t.Helper()
		require.NoError(t, chain(t.Context(), common.Address{}))
		_, err := known.Recipient(t.Context(), common.Address{}, "url")
		require.NoError(t, err)
	}
	for name, read := range map[string]func(context.Context, common.Address, ...pm.Counterparty) error{
		"facts": func(ctx context.Context, sender common.Address, about ...pm.Counterparty) error {
			_, err := chain.Facts(ctx, sender, about...)
			return err
		},
		"renewed facts": func(ctx context.Context, sender common.Address, about ...pm.Counterparty) error {
			_, _, err := chain.Renew(ctx, sender, about...)
			return err
		},
	} {
		now = now.Add(time.Minute)
		ask(read)
		before := *asked
		now = now.Add(renewPause / 2)
		ask(read)
		require.Equal(t, before, *asked, name)
		for _, asleep := range []time.Duration{time.Hour, -time.Hour} {
			now = clocktest.Asleep(now, asleep)
			ask(read)
			require.Equal(t, counted{before.chain + 1, before.store + 1}, *asked, "%s, %v", name, asleep)
			before = *asked
		}
	}
}
