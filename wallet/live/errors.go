package live

import (
	"errors"
	"fmt"
	"math/big"
	"net/http"

	"github.com/pmctl/pmctl/pm"
)

// Statuses of the protocol beside those of HTTP.
const (
	// StatusRefresh asks the client for a fresh OrchestratorInfo.
	StatusRefresh = 480

	// StatusPrice is a price above a ceiling.
	StatusPrice = 481

	// StatusNoTickets is a request before the next payment is due.
	StatusNoTickets = 482
)

// Refusal is an error that ends a request. Its text and its status are the protocol's.
type Refusal interface {
	error

	// Status is an HTTP status, or one of those above.
	Status() int
}

type refused struct {
	error
	status int
}

// Unwrap returns the error without its status.
func (r *refused) Unwrap() error { return r.error }

// Status implements Refusal.
func (r *refused) Status() int { return r.status }

// Refuse returns a Refusal whose text is formatted as fmt.Errorf does it.
func Refuse(status int, format string, args ...any) Refusal {
	return &refused{fmt.Errorf(format, args...), status}
}

// What requests are refused for.
var (
	ErrNoOrchestrator = Refuse(http.StatusBadRequest, "missing orchestrator")
	ErrNoPrice        = Refuse(http.StatusBadRequest, "missing or zero priceInfo")
	ErrNoParams       = Refuse(http.StatusBadRequest, "missing ticketParams in OrchestratorInfo")
	ErrNoManifest     = Refuse(http.StatusBadRequest, "missing manifestID")

	ErrSignature    = Refuse(http.StatusBadRequest, "invalid sig")
	ErrState        = Refuse(http.StatusBadRequest, "invalid state")
	ErrOrchestrator = Refuse(http.StatusBadRequest, "orchestratorAddress mismatch")
	ErrApp          = Refuse(http.StatusBadRequest, "app mismatch")
	ErrTypeChanged  = Refuse(http.StatusBadRequest, "job type mismatch")
	ErrInitialPrice = Refuse(http.StatusBadRequest, "invalid initial price in state")

	ErrType    = Refuse(http.StatusBadRequest, "invalid job type")
	ErrNoUnits = Refuse(http.StatusBadRequest, "missing billable unit or job type")

	ErrMaxPrice     = Refuse(http.StatusBadRequest, "maxPrice.price must be a positive decimal")
	ErrMaxCurrency  = Refuse(http.StatusBadRequest, "maxPrice.currency must be wei")
	ErrMaxPriceType = Refuse(http.StatusBadRequest, "maxPrice requires payment type live, lv2v, or fixed")

	ErrRefresh   = Refuse(StatusRefresh, "refresh session for remote signer")
	ErrNoTickets = Refuse(StatusNoTickets, "no tickets")

	// ErrStateOld and ErrStateUnknown are states that only a signer with a memory refuses.
	ErrStateOld     = Refuse(http.StatusBadRequest, "state is older than the session's last payment")
	ErrStateUnknown = Refuse(http.StatusBadRequest, "state of a session that this signer has no record of")

	// ErrAuthID is an auth ID other than the session's. The protocol says no more about it
	// than that the request failed.
	ErrAuthID = Refuse(http.StatusInternalServerError, "Internal Server Error")
)

// PriceError is a price above a ceiling.
type PriceError struct {
	// Price is the orchestrator's, in wei a unit.
	Price *big.Rat

	// Ceiling is the lowest of those that apply.
	Ceiling Ceiling
}

func (e *PriceError) Error() string {
	const least, most = 3, 200 // more than the least only if it takes more to see a difference
	price, ceiling := "", ""
	for decimals := least; decimals <= most && price == ceiling; decimals++ {
		price, ceiling = e.Price.FloatString(decimals), e.Ceiling.Price.FloatString(decimals)
	}
	return fmt.Sprintf("orchestrator price %s exceeds %s ceiling %s", price, e.Ceiling.Source, ceiling)
}

// Status implements Refusal.
func (*PriceError) Status() int { return StatusPrice }

// TooManyTicketsError is a payment of more tickets than one request may have.
type TooManyTicketsError struct {
	// Tickets is how many would be due, for a Fee in wei.
	Tickets *big.Int
	Fee     *big.Rat
}

func (e *TooManyTicketsError) Error() string {
	return fmt.Sprintf("numTickets %v exceeds maximum of %d", e.Tickets, MaxTickets)
}

// Status implements Refusal.
func (*TooManyTicketsError) Status() int { return http.StatusBadRequest }

var errNoToken = errors.New("missing auth token")

// ParamsError is ticket params that a sender refuses, and that fresh ones would not mend.
type ParamsError struct{ Err error }

func (e *ParamsError) Error() string {
	return "remote signer could not check whether to refresh session: " + e.Err.Error()
}

// Unwrap returns the reason.
func (e *ParamsError) Unwrap() error { return e.Err }

// Status implements Refusal.
func (*ParamsError) Status() int { return http.StatusBadRequest }

// NeedsRefresh reports whether a payment failed that fresh ticket params would allow: the params, or what an
// orchestrator sends with them, have expired, or their nonces are used up. A payment of more tickets than any
// params have nonces for is none.
func NeedsRefresh(err error) bool {
	var nonces *pm.NonceCapError
	return errors.Is(err, ErrRefresh) || errors.Is(err, pm.ErrTicketParamsExpired) ||
		errors.As(err, &nonces) && nonces.Asked <= uint64(nonces.Cap)
}
