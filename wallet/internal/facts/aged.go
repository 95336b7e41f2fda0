package facts

import (
	"context"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
)

// Aged answers from what a cache knows, up to an age. It is a pay.Remembering.
type Aged struct {
	*Cache
	// AtMost is how old an answer may be.
	AtMost time.Duration
}

// Facts implements pay.Chain, for the cache's sender.
func (a Aged) Facts(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, error) {
	if err := a.is(sender); err != nil {
		return pm.Facts{}, err
	}
	said, _, err := a.Get(ctx, a.AtMost, about)
	return said, err
}

// Renew implements pay.Remembering.
func (a Aged) Renew(ctx context.Context, sender common.Address, about ...pm.Counterparty) (pm.Facts, time.Duration, error) {
	if err := a.is(sender); err != nil {
		return pm.Facts{}, 0, err
	}
	return a.Cache.Renew(ctx, about)
}

func (a Aged) is(sender common.Address) error {
	if sender != a.sender {
		return fmt.Errorf("the account is %v, and the chain is asked about %v", a.sender, sender)
	}
	return nil
}
