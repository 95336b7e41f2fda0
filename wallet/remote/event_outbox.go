package remote

import (
	"context"
	"time"

	"github.com/pmctl/pmctl/wallet/remote/delivery"
	"github.com/pmctl/pmctl/wallet/store"
)

// EventOutbox has the signer's own events for its operator, in one queue.
func EventOutbox(s *store.Store) delivery.Outbox { return eventOutbox{s.SignerEvents(), s.LiveUsage()} }

type eventOutbox struct {
	events *store.SignerEvents
	usage  *store.LiveUsage
}

func (o eventOutbox) Behind(ctx context.Context) ([]delivery.Queue, error) {
	delivered, err := o.usage.Acknowledged(ctx, store.ConsumerOperator, "")
	if err != nil {
		return nil, err
	}
	next, err := o.events.After(ctx, delivered, 1)
	if err != nil || len(next) == 0 {
		return nil, err
	}
	return []delivery.Queue{{Delivered: delivered}}, nil
}

func (o eventOutbox) After(ctx context.Context, _ string, position int64, limit int) ([]delivery.Event, error) {
	stored, err := o.events.After(ctx, position, limit)
	events := make([]delivery.Event, len(stored))
	for i, event := range stored {
		events[i] = delivery.Event(event)
	}
	return events, err
}

func (o eventOutbox) Delivered(ctx context.Context, _ string, position int64) error {
	return o.events.Acknowledge(ctx, position)
}

func (o eventOutbox) Lease(ctx context.Context, holder string, at time.Time, lasting time.Duration) (bool, error) {
	return o.usage.Lease(ctx, store.ConsumerOperator, holder, at, lasting)
}
