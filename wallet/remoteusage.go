package wallet

import (
	"context"
	"time"

	"github.com/pmctl/pmctl/wallet/remote"
	"github.com/pmctl/pmctl/wallet/remote/delivery"
	"github.com/pmctl/pmctl/wallet/store"
)

// keepUsage is what delivers a remote signer's usage, and removes it when it is old.
func keepUsage(w *Wallet, o *RemoteSignerOptions) (background []func(context.Context)) {
	consumer := store.ConsumerClient
	if o.Collector != nil {
		consumer = store.ConsumerCollector
		background = append(background, delivery.New("usage", remote.UsageOutbox(w.store), o.Collector, o.Log).Run)
	}
	if o.Retention > 0 {
		retention := &remote.Retention{Usage: w.store.LiveUsage(), Consumer: consumer, Keep: o.Retention, Log: o.Log, Now: w.Now, After: time.After}
		background = append(background, retention.Run)
	}
	return background
}
