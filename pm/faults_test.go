package pm

import (
	"context"
	"errors"
	"math/big"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/event"
)

// breakingTime is a TimeManager whose first block subscriptions are refused or break.
type breakingTime struct {
	TimeManager
	subscribed int
}

func (b *breakingTime) SubscribeL1Blocks(sink chan<- *big.Int) event.Subscription {
	b.subscribed++
	switch {
	case b.subscribed <= 2:
		return nil
	case b.subscribed <= 5:
		return event.NewSubscription(func(<-chan struct{}) error { return errors.New("connection lost") })
	}
	return b.TimeManager.SubscribeL1Blocks(sink)
}

// waitingBroker is a Broker whose transactions are never mined.
type waitingBroker struct{ *testChain }

func (waitingBroker) CheckTxContext(ctx context.Context, _ *types.Transaction) error {
	<-ctx.Done()
	return ctx.Err()
}
