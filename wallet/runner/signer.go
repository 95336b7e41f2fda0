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

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/wallet/remote/client"
)

// maxOrchestrators is how long a signer's list may be, in bytes.
const maxOrchestrators = 16 << 20

// notListed is the error of a list that the remote signer at a URL did not give.
func notListed(url string, err error) error {
	reason, advice := err.Error(), ""
	if unreachable, ok := errors.AsType[*client.UnreachableError](err); ok {
		reason, advice = "it cannot be reached: "+unreachable.Reason, unreachable.Hint()
	}
	if refused, ok := errors.AsType[*client.StatusError](err); ok {
		switch refused.Status {
		case http.StatusNotFound:
			advice = "the signer's operator must start it with --orchestrators"
		case http.StatusServiceUnavailable:
			advice = "the signer has no answer of an orchestrator yet; retry in a few seconds"
		default:
			advice = refused.Hint()
		}
	}
	return hint.With(hint.Kind(err, fmt.Errorf("cannot list the orchestrators of the remote signer at %s: %s", url, reason)), "%s", advice)
}

// Orchestrators returns those that a remote signer lists, and the age of the oldest answer among
// them. It fails as client.Client.Get does, with client.ErrAnswer, and with ctx's error.
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
		return nil, 0, notListed(signer.URL(), err)
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
