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

// said is a Refusal that is always the same.
type said struct {
	status int
	text   string
}

func (s said) Error() string { return s.text }
func (s said) Status() int   { return s.status }

// What requests are refused for.
var (
	ErrNoOrchestrator Refusal = said{http.StatusBadRequest, "missing orchestrator"}
	ErrNoPrice        Refusal = said{http.StatusBadRequest, "missing or zero priceInfo"}
	ErrNoParams       Refusal = said{http.StatusBadRequest, "missing ticketParams in OrchestratorInfo"}
	ErrNoManifest     Refusal = said{http.StatusBadRequest, "missing manifestID"}

	ErrSignature    Refusal = said{http.StatusBadRequest, "invalid sig"}
	ErrState        Refusal = said{http.StatusBadRequest, "invalid state"}
	ErrOrchestrator Refusal = said{http.StatusBadRequest, "orchestratorAddress mismatch"}
	ErrApp          Refusal = said{http.StatusBadRequest, "app mismatch"}
	ErrTypeChanged  Refusal = said{http.StatusBadRequest, "job type mismatch"}
	ErrInitialPrice Refusal = said{http.StatusBadRequest, "invalid initial price in state"}

	ErrType    Refusal = said{http.StatusBadRequest, "invalid job type"}
	ErrNoUnits Refusal = said{http.StatusBadRequest, "missing billable unit or job type"}

	ErrMaxPrice     Refusal = said{http.StatusBadRequest, "maxPrice.price must be a positive decimal"}
	ErrMaxCurrency  Refusal = said{http.StatusBadRequest, "maxPrice.currency must be wei"}
	ErrMaxPriceType Refusal = said{http.StatusBadRequest, "maxPrice requires payment type live, lv2v, or fixed"}

	ErrRefresh   Refusal = said{StatusRefresh, "refresh session for remote signer"}
	ErrNoTickets Refusal = said{StatusNoTickets, "no tickets"}

	// ErrStateOld and ErrStateUnknown are states that only a signer with a memory refuses.
	ErrStateOld     Refusal = said{http.StatusBadRequest, "state is older than the session's last payment"}
	ErrStateUnknown Refusal = said{http.StatusBadRequest, "state of a session that this signer has no record of"}

	// ErrAuthID is an auth ID other than the session's. The protocol says no more about it
	// than that the request failed.
	ErrAuthID Refusal = said{http.StatusInternalServerError, "Internal Server Error"}
)

// MaxPriceUnitError is a maxPrice in a unit other than the request's.
type MaxPriceUnitError struct {
	// Type is the request's.
	Type Type
}

func (e *MaxPriceUnitError) Error() string {
	return fmt.Sprintf("maxPrice.unit must be %s for payment type %s", e.Type.Unit(), e.Type)
}

// Status implements Refusal.
func (*MaxPriceUnitError) Status() int { return http.StatusBadRequest }

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

// NoMaxPriceError is a type of payment without a highest price, where others have one.
type NoMaxPriceError struct {
	Type   Type
	Source Source
}

func (e *NoMaxPriceError) Error() string {
	return fmt.Sprintf("no %s is set for %s, and others are", e.Source, e.Type.Counts())
}

// Status implements Refusal.
func (*NoMaxPriceError) Status() int { return http.StatusForbidden }

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
