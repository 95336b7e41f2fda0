package wallet

import (
	"context"
	"crypto/rand"
	"log/slog"
	"sync"
	"time"

	"github.com/pmctl/pmctl/wallet/store"
)

const (
	// announceEvery is how often a signer says in the store that it runs. One that has not said so
	// for silentAfter is taken for dead, and is shown for replicasShown.
	announceEvery = 10 * time.Second
	silentAfter   = 3 * announceEvery
	replicasShown = time.Hour
)

// ReplicaState is whether a replica of a remote signer runs.
type ReplicaState string

// The states.
const (
	ReplicaAlive   ReplicaState = "alive"
	ReplicaSilent  ReplicaState = "silent"
	ReplicaStopped ReplicaState = "stopped"
)

// SignerReplica is a process of a remote signer that uses the store, for the same account.
type SignerReplica struct {
	store.Replica
	State ReplicaState

	// Own is set for the process that was asked.
	Own bool
}

// announcer says in the store that a signer runs.
type announcer struct {
	payments *store.LivePayments
	own      store.Replica
	now      func() time.Time
	log      *slog.Logger

	mu      sync.Mutex
	failed  error
	stopped bool
}

func newAnnouncer(payments *store.LivePayments, host, version string, now func() time.Time, log *slog.Logger) *announcer {
	return &announcer{payments: payments, own: store.Replica{ID: rand.Text(), Host: host, Version: version, StartedAt: now()}, now: now, log: log}
}

// run announces the signer until ctx ends, and then that it was stopped.
func (a *announcer) run(ctx context.Context) {
	alive := func(ctx context.Context) error { return a.announce(ctx, false) }
	repeat(ctx, announceEvery, alive, func(err error) {
		a.log.WarnContext(ctx, "cannot record that the signer runs: other replicas show it as silent", "error", err)
	})
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), announceEvery)
	defer cancel()
	_ = a.announce(last, true) // or it becomes silent
}

func (a *announcer) announce(ctx context.Context, stopped bool) error {
	now := a.now()
	word := a.own
	a.mu.Lock()
	a.stopped = a.stopped || stopped
	if word.SeenAt = now; a.stopped {
		word.StoppedAt = now
	}
	a.mu.Unlock()
	err := a.payments.Announce(ctx, word, now.Add(-replicasShown))
	a.note(err)
	return err
}

// note keeps how the store was written last, by a payment or to say that the signer runs.
func (a *announcer) note(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.failed = err
}

// written is why the store cannot be written, nil if it could be last: a store that answers may be
// read-only, or its disk full. A failure is tried again, so that it ends with its cause.
func (a *announcer) written(ctx context.Context) error {
	a.mu.Lock()
	failed := a.failed
	a.mu.Unlock()
	if failed == nil {
		return nil
	}
	return a.announce(ctx, false)
}

// replicas are the account's signers, this one among them.
func (a *announcer) replicas(ctx context.Context) ([]SignerReplica, error) {
	now := a.now()
	seen, err := a.payments.Replicas(ctx, now.Add(-replicasShown))
	all := make([]SignerReplica, 0, len(seen))
	for _, replica := range seen {
		state := ReplicaAlive
		switch {
		case replica.SeenAt.Sub(now) > replicasShown:
			continue // its clock was wrong: it would be alive until then
		case !replica.StoppedAt.IsZero():
			state = ReplicaStopped
		case now.Sub(replica.SeenAt) > silentAfter:
			state = ReplicaSilent
		}
		all = append(all, SignerReplica{replica, state, replica.ID == a.own.ID})
	}
	return all, err
}
