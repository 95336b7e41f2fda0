package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/pmctl/pmctl/wallet/remote/client"
)

// maxOrchestrators is how long a signer's list may be, in bytes.
const maxOrchestrators = 16 << 20

// SignerError is a list that a remote signer did not give.
type SignerError struct {
	// URL is the signer's.
	URL string

	Err error
}

func (e *SignerError) Error() string {
	reason := e.Err.Error()
	if unreachable, ok := errors.AsType[*client.UnreachableError](e.Err); ok {
		reason = "it cannot be reached: " + unreachable.Reason
	}
	return fmt.Sprintf("cannot list the orchestrators of the remote signer at %s: %s", e.URL, reason)
}

// Unwrap returns the reason.
func (e *SignerError) Unwrap() error { return e.Err }

// Hint says what to do about an answer that is not a list, or about none.
func (e *SignerError) Hint() string {
	if unreachable, ok := errors.AsType[*client.UnreachableError](e.Err); ok {
		return unreachable.Hint()
	}
	refused, ok := errors.AsType[*client.StatusError](e.Err)
	switch {
	case !ok:
		return ""
	case refused.Status == http.StatusNotFound:
		return "the signer's operator must start it with --orchestrators"
	case refused.Status == http.StatusServiceUnavailable:
		return "the signer has no answer of an orchestrator yet; retry in a few seconds"
	}
	return refused.Hint()
}

// Orchestrators returns those that a remote signer lists, and the age of the oldest answer among
// them. It fails with *SignerError, and with ctx's error.
func Orchestrators(ctx context.Context, signer *client.Client) ([]Orchestrator, time.Duration, error) {
	body, header, err := signer.Get(ctx, "/discover-orchestrators", maxOrchestrators)
	var listed []Orchestrator
	if err == nil && json.Unmarshal(body, &listed) != nil {
		err = fmt.Errorf("%w: it is not a list of orchestrators", client.ErrAnswer)
	}
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, 0, context.Cause(ctx)
	case err != nil:
		return nil, 0, &SignerError{signer.URL(), err}
	}
	for i := range listed {
		listed[i].Runners = slices.DeleteFunc(listed[i].Runners, func(r Runner) bool { return r.check() != nil })
	}
	seconds, err := strconv.ParseUint(header.Get("Age"), 10, 31)
	if err != nil {
		seconds = 0 // deployed signers do not say
	}
	return listed, time.Duration(seconds) * time.Second, nil
}
