package pay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/store"
)

// Requests remember what was made for requests that have a name, and what became of it.
type Requests interface {
	// Requested returns what was made for a request, nil when nothing was.
	Requested(ctx context.Context, sender common.Address, request store.Request) (store.Records, error)

	// BeginDelivery notes that tickets of a request are about to be delivered; it fails with
	// *store.RequestMovedError when another process has changed that since it was read.
	BeginDelivery(ctx context.Context, sender common.Address, r *store.Record) error

	// EndDelivery notes how a delivery ended, and returns the tickets as they are then.
	EndDelivery(ctx context.Context, sender common.Address, r *store.Record, end store.State, outcome string) (*store.Record, error)

	// SplitDelivery has tickets delivered in parts of at most so many.
	SplitDelivery(ctx context.Context, sender common.Address, r *store.Record, most uint32) error

	// ReleaseRequest forgets those tickets of a request that were never sent, so that
	// others can be made in their place.
	ReleaseRequest(ctx context.Context, sender common.Address, read store.Records) error
}

// RefusedBeforeError is a request that has failed for good.
type RefusedBeforeError struct {
	// ID is the request's, Outcome what the recipient said, At when it was made.
	ID, Outcome string
	At          time.Time
}

func (e *RefusedBeforeError) Error() string {
	return fmt.Sprintf("request %q of %s was refused by the recipient, and is not sent again: %s", e.ID, e.At.Format(time.RFC3339), e.Outcome)
}

// Hint says what to do.
func (e *RefusedBeforeError) Hint() string {
	return "some of its tickets may have been taken without being credited; pay again under another id"
}

// ErrInProgress is returned for a request that another process is making at the same time.
var ErrInProgress = errors.New("another process is making this request at this moment: run it again for its outcome")

// inProgress has a request that another process has changed match ErrInProgress.
func inProgress(err error) error {
	var moved *store.RequestMovedError
	if errors.As(err, &moved) {
		return fmt.Errorf("%w: %q", ErrInProgress, moved.ID)
	}
	return err
}
