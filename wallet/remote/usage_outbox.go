package remote

import (
	"context"
	"time"

	"github.com/pmctl/pmctl/wallet/remote/delivery"
	"github.com/pmctl/pmctl/wallet/store"
)

// UsageOutbox has the usage events of a store for an operator's collector, a queue for each
// client.
func UsageOutbox(s *store.Store) delivery.Outbox { return usageOutbox{s.LiveUsage(), s.Clients()} }

type usageOutbox struct {
	usage   *store.LiveUsage
	clients *store.Clients
}

func (o usageOutbox) Behind(ctx context.Context) ([]delivery.Queue, error) {
	lags, err := o.usage.Behind(ctx, store.ConsumerCollector)
	if err != nil || len(lags) == 0 {
		return nil, err
	}
	clients, err := o.clients.All(ctx)
	if err != nil {
		return nil, err
	}
	names := make(map[string]string)
	for _, client := range clients {
		names[client.ID] = client.Name
	}
	queues := make([]delivery.Queue, len(lags))
	for i, lag := range lags {
		queues[i] = delivery.Queue{Key: lag.Client, Name: names[lag.Client], Delivered: lag.Acknowledged}
	}
	return queues, nil
}

func (o usageOutbox) After(ctx context.Context, client string, position int64, limit int) ([]delivery.Event, error) {
	payments, err := o.usage.OfClient(ctx, client, position, limit)
	events := make([]delivery.Event, len(payments))
	for i, payment := range payments {
		events[i] = delivery.Event{Position: payment.Position, Body: payment.Usage}
	}
	return events, err
}

func (o usageOutbox) Delivered(ctx context.Context, client string, position int64) error {
	return o.usage.Acknowledge(ctx, store.ConsumerCollector, client, position)
}

func (o usageOutbox) Lease(ctx context.Context, holder string, at time.Time, lasting time.Duration) (bool, error) {
	return o.usage.Lease(ctx, store.ConsumerCollector, holder, at, lasting)
}
