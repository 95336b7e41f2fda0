package remote

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"os"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/live"
	"github.com/pmctl/pmctl/wallet/store"
)

// maxBody is how large a request may be, in bytes. A real one is hardly larger than usualBody.
const (
	maxBody   = 1 << 20
	usualBody = 4 << 10
)

// paymentRequest is the body of a request for a payment.
type paymentRequest struct {
	Orchestrator []byte
	State        live.State
	ManifestID   string
	App          string
	InPixels     int64
	Type         live.Type
	MaxPrice     *live.MaxPrice
	Capabilities []byte
}

// offer is what a payment is asked for, decoded.
type offer struct {
	paymentRequest
	info    *wire.OrchestratorInfo
	params  *pm.TicketParams
	price   live.Price
	session *live.Session // nil for the first request
}

var errLateBody = fmt.Errorf("the body did not arrive within %s", duration.Text(readTimeout))

// read decodes a request for a payment.
func read(rw http.ResponseWriter, r *http.Request) (*paymentRequest, error) {
	request := new(paymentRequest)
	return request, decode(rw, r, request)
}

// decode decodes a request's body. Field names match in any case, and unknown ones are
// ignored, as by the deployed signer.
func decode(rw http.ResponseWriter, r *http.Request, into any) error {
	if kind := r.Header.Get("Content-Type"); kind != "" {
		if media, _, err := mime.ParseMediaType(kind); err != nil || media != "application/json" {
			return live.Refuse(http.StatusUnsupportedMediaType, "Content-Type %q: the body must be application/json", kind)
		}
	}
	var body bytes.Buffer
	body.Grow(int(min(max(0, r.ContentLength), usualBody)) + bytes.MinRead)
	_, err := body.ReadFrom(http.MaxBytesReader(rw, r.Body, maxBody))
	if large := new(http.MaxBytesError); errors.As(err, &large) {
		return live.Refuse(http.StatusRequestEntityTooLarge, "the body is larger than %d bytes", large.Limit)
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		err = errLateBody // which names no address of the server's
	}
	if err == nil && json.Unmarshal(body.Bytes(), into) != nil {
		err = whyNot(&body, into)
	}
	if err != nil {
		return live.Refuse(http.StatusBadRequest, "%w", err)
	}
	return nil
}

// queryOf is a request's query, of which no part counts if one cannot be read, or if one of these names
// occurs more than once.
func queryOf(r *http.Request, once ...string) (url.Values, error) {
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, live.Refuse(http.StatusBadRequest, "the query after ? is not valid: %w", err)
	}
	for _, name := range once {
		if len(query[name]) > 1 {
			return nil, live.Refuse(http.StatusBadRequest, "the query has %q %d times", name, len(query[name]))
		}
	}
	return query, nil
}

// checkHeaders refuses a request that has one of these headers more than once: a proxy or an auth webhook
// may read another one of them.
func checkHeaders(header http.Header, once ...string) error {
	for _, name := range once {
		if n := len(header.Values(name)); n > 1 {
			return live.Refuse(http.StatusBadRequest, "the request has the header %s %d times", name, n)
		}
	}
	return nil
}

// whyNot says what is wrong with a body, in the words of the deployed signer's decoder.
func whyNot(body io.Reader, into any) error {
	if err := json.NewDecoder(body).Decode(into); err != nil {
		return err
	}
	return errors.New("there is data after the JSON document")
}

// open decodes what the request carries and checks that it belongs together, in the order of
// the protocol.
func (p *paymentRequest) open(known *states) (*offer, error) {
	if len(p.Orchestrator) == 0 {
		return nil, live.ErrNoOrchestrator
	}
	o := &offer{paymentRequest: *p, info: new(wire.OrchestratorInfo)}
	if err := proto.Unmarshal(p.Orchestrator, o.info); err != nil {
		return nil, live.Refuse(http.StatusBadRequest, "orchestrator: %w", err)
	}
	o.price = live.Price{PerUnit: o.info.GetPriceInfo().GetPricePerUnit(), Pixels: o.info.GetPriceInfo().GetPixelsPerUnit()}
	switch {
	case !o.price.IsPositive():
		return nil, live.ErrNoPrice
	case o.info.GetTicketParams() == nil:
		return nil, live.ErrNoParams
	}
	if err := store.CheckText("OrchestratorInfo.transcoder", o.info.Transcoder); err != nil {
		return nil, err
	}
	if !p.State.IsZero() {
		var err error
		if o.session, err = known.verify(p.State); err != nil {
			return nil, err
		}
		if err := o.session.Accept(live.Request{Orchestrator: common.BytesToAddress(o.info.Address), App: o.App, Type: o.Type}); err != nil {
			return nil, err
		}
		if p.ManifestID == "" {
			return nil, live.ErrNoManifest
		}
	}
	if err := store.CheckCapabilities(p.Capabilities); err != nil {
		return nil, err // decoded they are many times as large
	}
	if err := proto.Unmarshal(p.Capabilities, new(wire.Capabilities)); err != nil {
		return nil, live.Refuse(http.StatusBadRequest, "capabilities: %w", err)
	}
	var err error
	if o.params, err = o.info.Params(); err != nil {
		return nil, &live.ParamsError{Err: err}
	}
	return o, nil
}
