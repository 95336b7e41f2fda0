package nodes

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/ethereum/go-ethereum/rpc"
)

// answer is a node's answer to one request.
type answer struct {
	result json.RawMessage
	err    *AnswerError
}

func (a *answer) given() bool { return a.result != nil || a.err != nil }

// AnswerError is an error answer of a node to a request. It implements rpc.Error.
type AnswerError struct {
	// URL is the node's, and Message its text, both without secrets.
	URL, Message string
	// Code is JSON-RPC's, and Data the error's data as JSON; nil if there is none.
	Code int
	Data any
}

func (e *AnswerError) Error() string {
	return cmp.Or(e.Message, fmt.Sprintf("error %d without a message", e.Code))
}

// ErrorCode implements rpc.Error.
func (e *AnswerError) ErrorCode() int { return e.Code }

var _ rpc.Error = (*AnswerError)(nil)

// message is a JSON-RPC request.
type message struct {
	Version string `json:"jsonrpc"`
	ID      uint64 `json:"id"`
	Method  string `json:"method"`
	Params  []any  `json:"params"`
}

// encode writes requests, numbered from first on. A single one is not a batch: every node
// accepts it.
func encode(elems []rpc.BatchElem, first uint64) ([]byte, error) {
	messages := make([]message, len(elems))
	for i, elem := range elems {
		messages[i] = message{Version: "2.0", ID: first + uint64(i), Method: elem.Method, Params: elem.Args}
		if elem.Args == nil {
			messages[i].Params = []any{}
		}
	}
	if len(messages) == 1 {
		return json.Marshal(messages[0])
	}
	return json.Marshal(messages)
}

// response is one element of the answer, as loosely as nodes write it.
type response struct {
	ID     json.RawMessage `json:"id"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

// number returns the ID that a response answers. Some nodes write it as text.
func (r *response) number() (uint64, bool) {
	text := string(r.ID)
	if unquoted, err := strconv.Unquote(text); err == nil {
		text = unquoted
	}
	id, err := strconv.ParseUint(text, 10, 64)
	return id, err == nil
}

// refusal returns the response's error, nil if it has none.
func (r *response) refusal() *AnswerError {
	if isNull(r.Error) {
		return nil
	}
	var said struct {
		Code    json.Number `json:"code"`
		Message string      `json:"message"`
		Data    any         `json:"data"`
	}
	if json.Unmarshal(r.Error, &said) != nil {
		var text string
		if json.Unmarshal(r.Error, &text) != nil {
			text = string(r.Error)
		}
		return &AnswerError{Message: text}
	}
	code, err := strconv.Atoi(said.Code.String())
	if err != nil {
		code = 0 // not a number: some nodes invent their own
	}
	return &AnswerError{Code: code, Message: said.Message, Data: said.Data}
}

func isNull(raw json.RawMessage) bool { return len(raw) == 0 || string(raw) == "null" }

var (
	// errNotJSONRPC is a body that is not JSON-RPC.
	errNotJSONRPC = errors.New("it does not speak Ethereum's JSON-RPC")
	// errNotOurs is an answer to other requests.
	errNotOurs = errors.New("it answered requests that were not made")
	// errCut is JSON that ends too early.
	errCut = errors.New("its answer is truncated")
)

// match reads a body as the answers to requests numbered from first on, and returns them with
// gaps where some are missing. An error without a request ID applies to all of them: refused.
func match(body []byte, first uint64, count int) (answers []answer, refused *AnswerError, err error) {
	responses, err := parseResponses(body)
	if err != nil {
		return nil, nil, err
	}
	answers = make([]answer, count)
	for _, r := range responses {
		said := r.refusal()
		id, ok := r.number()
		if !ok && said != nil {
			refused = said
			continue
		}
		if !ok || id < first || id-first >= uint64(count) || answers[id-first].given() {
			return nil, nil, errNotOurs
		}
		switch a := &answers[id-first]; {
		case said != nil:
			a.err = said
		case len(r.Result) != 0:
			a.result = r.Result
		default:
			return nil, nil, errNotJSONRPC
		}
	}
	return answers, refused, nil
}

func parseResponses(body []byte) ([]response, error) {
	body = bytes.TrimSpace(body)
	var list []response
	var err error
	if bytes.HasPrefix(body, []byte("[")) {
		err = json.Unmarshal(body, &list)
	} else {
		var one response
		err = json.Unmarshal(body, &one)
		list = []response{one}
	}
	switch {
	case err != nil && truncated(body):
		return nil, errCut
	case err != nil, slices.ContainsFunc(list, func(r response) bool { return len(r.Result) == 0 && isNull(r.Error) }):
		return nil, errNotJSONRPC
	}
	return list, nil
}

// truncated reports whether a text begins as JSON and ends too early.
func truncated(body []byte) bool {
	var any json.RawMessage
	return errors.Is(json.NewDecoder(bytes.NewReader(body)).Decode(&any), io.ErrUnexpectedEOF)
}
