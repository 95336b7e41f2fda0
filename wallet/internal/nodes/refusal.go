package nodes

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/pmctl/pmctl/wallet/contract"
)

// LacksMethod reports whether a node, or a proxy before it, does not serve a method. Their
// errors for that differ.
func LacksMethod(err error) bool {
	if fault, ok := errors.AsType[*NodeError](err); ok {
		return fault.code/100 == http.StatusBadRequest/100 && fault.Fault != FaultBusy
	}
	return errors.As(err, new(*AnswerError)) || errors.As(err, new(*contract.RevertError))
}

// TooMuch reports whether a smaller request may succeed where this one was refused.
func TooMuch(err error) bool {
	if fault, ok := errors.AsType[*NodeError](err); ok && fault.Status != "" {
		return slices.Contains([]int{
			http.StatusBadRequest, http.StatusRequestEntityTooLarge, http.StatusInternalServerError,
			http.StatusBadGateway, http.StatusGatewayTimeout,
		}, fault.code)
	}
	return errors.As(err, new(*AnswerError)) || errors.Is(err, errTooLarge) || errors.Is(err, context.DeadlineExceeded)
}
