package runner

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// signerPatience is how long a remote signer may take to answer.
const signerPatience = 10 * time.Second

// maxOrchestrators is how long a signer's list may be, in bytes.
const maxOrchestrators = 16 << 20

// Signer is a remote signer, which lists orchestrators to its clients.
type Signer struct {
	URL string

	// Token is the client's; "" sends none.
	Token string

	// HTTP sends the requests. It must verify certificates where Token is set.
	HTTP *http.Client
}

// SignerError is a list that a remote signer did not give.
type SignerError struct {
	// URL is the signer's.
	URL string

	Err error
}

func (e *SignerError) Error() string {
	return fmt.Sprintf("the remote signer at %s lists no orchestrators: %v", e.URL, e.Err)
}

// Unwrap returns the reason.
func (e *SignerError) Unwrap() error { return e.Err }

// Hint says what to do about an answer that is not a list.
func (e *SignerError) Hint() string {
	status, ok := errors.AsType[*StatusError](e.Err)
	switch {
	case !ok:
		return ""
	case status.Code == http.StatusUnauthorized:
		return "pass --signer-token-file FILE with a token that the signer's operator gave you"
	case status.Code == http.StatusNotFound:
		return "the signer must run with --orchestrators"
	case status.Code == http.StatusServiceUnavailable:
		return "the signer is still asking orchestrators; repeat the command in a few seconds"
	}
	return ""
}

// Orchestrators returns those that the signer lists, and the age of the oldest answer among
// them. It fails with *SignerError, and with ctx's error.
func (s *Signer) Orchestrators(ctx context.Context) ([]Orchestrator, time.Duration, error) {
	list, age, err := s.ask(ctx)
	switch {
	case err == nil:
		return list, age, nil
	case ctx.Err() != nil:
		return nil, 0, context.Cause(ctx)
	}
	return nil, 0, &SignerError{s.URL, withoutURL(err)}
}

func (s *Signer) ask(ctx context.Context) ([]Orchestrator, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, signerPatience)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(s.URL, "/")+"/discover-orchestrators", nil)
	if err != nil {
		return nil, 0, err
	}
	if s.Token != "" {
		request.Header.Set("Authorization", "Bearer "+s.Token)
	}
	client := *s.HTTP
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the token goes nowhere else
	response, err := client.Do(request)
	if err != nil {
		return nil, 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, 0, &StatusError{response.StatusCode, response.Status}
	}
	var listed []Orchestrator
	if err := json.NewDecoder(http.MaxBytesReader(nil, response.Body, maxOrchestrators)).Decode(&listed); err != nil {
		return nil, 0, fmt.Errorf("its answer cannot be read: %w", err)
	}
	for i, o := range listed {
		usable := o.Runners[:0]
		for _, r := range o.Runners {
			if r.check() == nil {
				usable = append(usable, r)
			}
		}
		listed[i].Runners = usable
	}
	seconds, err := strconv.ParseUint(response.Header.Get("Age"), 10, 31)
	if err != nil {
		seconds = 0 // deployed signers do not say
	}
	return listed, time.Duration(seconds) * time.Second, nil
}
