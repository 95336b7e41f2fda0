package nodes

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
)

// judge numbers requests to one node, and classifies its answers on any connection.
type judge struct {
	shown   string
	secrets secrets
	last    atomic.Uint64 // ID of a request
}

// request is a message for elements, the first one with ID first.
func (o *judge) request(elems []rpc.BatchElem) (body []byte, first uint64, fault *NodeError) {
	n := uint64(len(elems))
	first = o.last.Add(n) - n + 1
	body, err := encode(elems, first)
	if err != nil {
		return nil, 0, &NodeError{URL: o.shown, Fault: FaultMalformed, Err: fmt.Errorf("cannot be asked: %w", err)}
	}
	return body, first, nil
}

func (o *judge) read(res *http.Response, text []byte, elems []rpc.BatchElem, first uint64) ([]answer, *NodeError) {
	fault := o.byStatus(res, text)
	answers, refused, err := match(text, first, len(elems))
	if err != nil {
		switch {
		case fault != nil:
		case errors.Is(err, errNotJSONRPC) && len(text) > 0:
			fault = &NodeError{URL: o.shown, Fault: FaultNotNode, Err: err, Words: o.words(text)}
		default:
			fault = &NodeError{URL: o.shown, Fault: FaultNotNode, Err: err}
		}
		return nil, fault
	}
	given := 0
	for i := range answers {
		if !answers[i].given() {
			continue
		}
		given++
		if said := answers[i].err; said != nil {
			o.own(said)
			kind := faultSaid(elems[i].Method, said)
			switch {
			case kind != "" && fault == nil:
				fault = &NodeError{URL: o.shown, Fault: kind, Words: o.secrets.line(said.Message, mostWords), Wait: retryAfter(res), whole: true}
			case kind == "" && len(elems) > 1 && aboutBatches(said.Message):
				refused = said
			case kind == "":
				continue
			}
			answers[i] = answer{}
			given--
		}
	}
	if given == len(elems) && (fault == nil || !mustHeed(res.StatusCode)) {
		// Some nodes answer with an error and a status of their own.
		return answers, nil
	}
	if refused != nil {
		o.own(refused)
		if len(elems) == 1 && (fault == nil || res.StatusCode == http.StatusBadRequest) && faultSaid(elems[0].Method, refused) == "" {
			answers[0] = answer{err: refused}
			return answers, nil
		}
		if fault == nil {
			kind := cmp.Or(faultSaid("", refused), FaultNotNode)
			fault = &NodeError{URL: o.shown, Fault: kind, Words: o.secrets.line(refused.Message, mostWords), Wait: retryAfter(res)}
		}
		fault.whole = true
	}
	if fault == nil {
		fault = &NodeError{URL: o.shown, Fault: FaultNotNode, Err: errors.New("it left requests unanswered"), whole: true}
	}
	return answers, fault
}

// own adds the node's URL to an error answer, and removes secrets.
func (o *judge) own(said *AnswerError) {
	said.URL = o.shown
	said.Message = o.secrets.line(said.Message, mostMessage)
	said.Data = o.withoutSecrets(said.Data)
}

func (o *judge) withoutSecrets(data any) any {
	switch v := data.(type) {
	case string:
		return o.secrets.remove(v)
	case map[string]any:
		for key, inner := range v {
			v[key] = o.withoutSecrets(inner)
		}
	case []any:
		for i, inner := range v {
			v[i] = o.withoutSecrets(inner)
		}
	}
	return data
}

// mustHeed reports whether a status counts whatever the body says.
func mustHeed(status int) bool {
	return slices.Contains([]int{
		http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusProxyAuthRequired, http.StatusTooManyRequests,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout,
	}, status)
}

// byStatus returns the fault that an HTTP status shows; nil for a success.
func (o *judge) byStatus(res *http.Response, text []byte) *NodeError {
	if res.StatusCode/100 == 2 {
		return nil
	}
	e := &NodeError{URL: o.shown, Status: res.Status, Words: o.words(text), Wait: retryAfter(res), code: res.StatusCode}
	switch res.StatusCode {
	case http.StatusTooManyRequests:
		e.Fault = FaultBusy
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusProxyAuthRequired:
		e.Fault = FaultDenied
	case http.StatusServiceUnavailable:
		e.Fault = FaultBroken
		if e.Wait > 0 {
			e.Fault = FaultBusy
		}
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusGatewayTimeout:
		e.Fault = FaultBroken
	default:
		e.Fault = FaultNotNode
	}
	e.whole = slices.Contains([]int{
		http.StatusBadRequest, http.StatusMethodNotAllowed, http.StatusRequestEntityTooLarge, http.StatusRequestURITooLong,
		http.StatusUnprocessableEntity, http.StatusNotImplemented,
	}, res.StatusCode) ||
		res.StatusCode == http.StatusInternalServerError && json.Valid(text) ||
		aboutBatches(e.Words)
	return e
}

// aboutBatches reports whether a node's words are about the size of a batch.
func aboutBatches(words string) bool { return strings.Contains(strings.ToLower(words), "batch") }

// words returns the text of a body that is not an answer.
func (o *judge) words(text []byte) string {
	trimmed := bytes.TrimSpace(text)
	var said any
	if json.Unmarshal(trimmed, &said) == nil {
		return o.secrets.line(sentence(said), mostWords)
	}
	if bytes.HasPrefix(trimmed, []byte("<")) {
		_, title, _ := strings.Cut(string(trimmed), "<title>")
		title, _, found := strings.Cut(title, "</title>")
		if !found {
			return "web page"
		}
		return o.secrets.line("web page: "+html.UnescapeString(title), mostWords)
	}
	return o.secrets.line(string(trimmed[:min(len(trimmed), mostMessage)]), mostWords)
}

// sentence finds the text in JSON that is not JSON-RPC.
func sentence(said any) string {
	switch v := said.(type) {
	case string:
		return v
	case []any:
		for _, inner := range v {
			if text := sentence(inner); text != "" {
				return text
			}
		}
	case map[string]any:
		for _, key := range []string{"error", "message", "detail", "reason", "error_description", "msg", "title"} {
			if text := sentence(v[key]); text != "" {
				return text
			}
		}
	}
	return ""
}

// retryAfter returns how long a node asks to wait; 0 if it does not say.
func retryAfter(res *http.Response) time.Duration {
	text := res.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, time.Until(at).Round(time.Second))
	}
	return 0
}
