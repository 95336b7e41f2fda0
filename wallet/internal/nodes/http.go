package nodes

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/ethereum/go-ethereum/rpc"

	"github.com/pmctl/pmctl/internal/input"
)

// overHTTP asks one node over HTTP.
type overHTTP struct {
	judge
	transport http.RoundTripper
	url       *url.URL
}

const (
	// maxAnswer limits the unpacked bytes of an answer: a node returns at most some thousand
	// events at once, of less than a KiB each.
	maxAnswer = 32 << 20
	// maxComplaint limits the bytes of an error page.
	maxComplaint = 64 << 10
)

var errTooLarge = fmt.Errorf("its answer exceeds %d MiB", maxAnswer>>20)

func (o *overHTTP) exchange(ctx context.Context, elems []rpc.BatchElem) ([]answer, *NodeError) {
	body, first, fault := o.request(elems)
	if fault != nil {
		return nil, fault
	}
	res, err := o.post(ctx, body)
	if err != nil {
		return nil, noConnection(o.shown, o.secrets.clean(err))
	}
	defer res.Body.Close()
	success := res.StatusCode/100 == 2
	most := int64(maxComplaint)
	if success {
		most = maxAnswer
	}
	text, err := input.ReadAll(res.Body, most)
	switch tooLong := errors.As(err, new(*input.TooLongError)); {
	case err != nil && !tooLong:
		return nil, noConnection(o.shown, o.secrets.clean(err))
	case tooLong && success:
		return nil, &NodeError{URL: o.shown, Fault: FaultNotNode, Err: errTooLarge}
	}
	return o.read(res, text, elems, first)
}

// post sends a body to the node. It follows no redirects: the user did not configure their target.
func (o *overHTTP) post(ctx context.Context, body []byte) (*http.Response, error) {
	to := *o.url
	to.User = nil
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.String(), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Accept", "application/json")
	if user := o.url.User; user != nil {
		password, _ := user.Password()
		req.SetBasicAuth(user.Username(), password)
	}
	return o.transport.RoundTrip(req)
}
