package pay

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/store"
)

// Requests records requests, their tickets and their outcome.
type Requests interface {
	// Requested returns the records of a request; nil if there are none.
	Requested(ctx context.Context, sender common.Address, request store.Request) (store.Records, error)

	// BeginDelivery records that tickets of a request are about to be delivered. It returns
	// *store.RequestMovedError if another process has changed the request since it was read.
	BeginDelivery(ctx context.Context, sender common.Address, r *store.Record) error

	// EndDelivery records how a delivery ended, and returns the record.
	EndDelivery(ctx context.Context, sender common.Address, r *store.Record, end store.State, outcome string) (*store.Record, error)

	// SplitDelivery divides tickets into parts of at most so many.
	SplitDelivery(ctx context.Context, sender common.Address, r *store.Record, most uint32) error

	// ReleaseRequest removes the request's tickets that were never sent, so that others can replace
	// them.
	ReleaseRequest(ctx context.Context, sender common.Address, read store.Records) error
}

// RefusedBeforeError is returned for a request that was refused for good.
type RefusedBeforeError struct {
	// ID is the request ID, Outcome the recipient's text, At when the request was made.
	ID, Outcome string
	At          time.Time
}

func (e *RefusedBeforeError) Error() string {
	return fmt.Sprintf("request %q of %s was refused by the recipient and is not sent again: %s", e.ID, e.At.Format(time.RFC3339), e.Outcome)
}

// Hint says what can be done.
func (e *RefusedBeforeError) Hint() string {
	return "some of its tickets may have been accepted without credit; pay again with another --request-id"
}

// ErrInProgress is returned for a request that another process is handling at the moment.
var ErrInProgress = errors.New("another process is handling this request; run the command again for its result")

// inProgress makes a request that another process has changed match ErrInProgress.
func inProgress(err error) error {
	if moved, ok := errors.AsType[*store.RequestMovedError](err); ok {
		return fmt.Errorf("%w: %q", ErrInProgress, moved.ID)
	}
	return err
}
