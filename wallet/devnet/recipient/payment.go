package recipient

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/ethereum/go-ethereum/common"
	"google.golang.org/protobuf/proto"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
)

// refusal is the reason and the HTTP status of a refused payment.
type refusal struct {
	status int
	err    error
}

func (e *refusal) Error() string { return e.err.Error() }
func (e *refusal) Unwrap() error { return e.err }

// errDropped ends a request without an answer.
var errDropped = errors.New("connection dropped")

// servePayment answers POST /payment.
func (r *Recipient) servePayment(w http.ResponseWriter, req *http.Request) {
	info, err := r.receive(req)
	if _, on := r.faults.has(FaultDropAfterTaking); on && err == nil {
		err = errDropped
	}
	r.ledger.paymentMade(err)
	if errors.Is(err, errDropped) {
		panic(http.ErrAbortHandler) // the server's own way to drop a connection
	}
	var refused *refusal
	if errors.As(err, &refused) {
		http.Error(w, err.Error(), refused.status)
		return
	}
	body, err := proto.Marshal(&wire.PaymentResult{Info: info})
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = w.Write(body)
}

// receive checks a payment in the deployed node's order: its encoding, its credentials, whether
// there would be fresh params, and only then the tickets.
func (r *Recipient) receive(req *http.Request) (*wire.OrchestratorInfo, error) {
	payment, sender, err := decodePayment(req.Header.Get(wire.PaymentHeader))
	if err != nil {
		return nil, &refusal{http.StatusPaymentRequired, err}
	}
	segment, err := r.checkSegment(req.Header.Get(wire.SegmentHeader), sender)
	if err != nil {
		return nil, &refusal{http.StatusForbidden, err}
	}
	if value, on := r.faults.has(FaultRefusePayment); on {
		status, err := strconv.Atoi(value)
		if err != nil {
			status = http.StatusBadRequest
		}
		return nil, &refusal{status, errors.New("payments are refused")}
	}
	url := r.PlainURL()
	if req.TLS != nil {
		url = r.URL()
	}
	if err := r.synced(req.Context()); err != nil {
		return nil, &refusal{http.StatusInternalServerError, err}
	}
	info, err := r.info(sender, url, segment.GetCapabilities(), segment.GetAuthToken())
	if err != nil {
		return nil, &refusal{http.StatusInternalServerError, err}
	}
	if err := r.take(payment, sender, string(segment.GetManifestId())); err != nil {
		return nil, &refusal{http.StatusBadRequest, err}
	}
	return info, nil
}

// decodePayment reads the header. A request without one is a payment without tickets and
// sender.
func decodePayment(header string) (*wire.Payment, common.Address, error) {
	payment, err := wire.DecodePaymentHeader(header)
	if err != nil {
		return nil, common.Address{}, err
	}
	if n := len(payment.GetSender()); n != 0 && n != common.AddressLength {
		return nil, common.Address{}, fmt.Errorf("the payment's sender has %d bytes", n)
	}
	return payment, common.BytesToAddress(payment.GetSender()), nil
}

// take receives the tickets of a payment and books their value.
func (r *Recipient) take(payment *wire.Payment, sender common.Address, manifest string) error {
	if payment.GetTicketParams() == nil {
		return nil
	}
	round := r.cfg.Time.LastInitializedRound()
	active, err := r.cfg.IsActive(r.cfg.Address, round)
	if err != nil {
		return fmt.Errorf("asking whether the recipient is active: %w", err)
	}
	if !active {
		return fmt.Errorf("orchestrator %v is inactive in round %v, cannot process payments", r.cfg.Address, round)
	}
	params, expiration, err := r.paymentParams(payment)
	if err != nil {
		return err
	}

	var refused error
	for _, sp := range payment.GetTicketSenderParams() {
		ticket := pm.NewTicket(params, expiration, sender, sp.GetSenderNonce())
		_, won, err := r.recipient.ReceiveTicket(ticket, sp.GetSig(), params.Seed)
		r.ledger.ticket(sender, won, err)
		var fatal *pm.FatalReceiveErr
		if errors.As(err, &fatal) {
			return err
		}
		// The first refusal is the one that is reported, and no ticket after it counts.
		if refused == nil {
			refused = err
		}
		if refused == nil {
			r.ledger.credit(sender, manifest, ticket.EV())
		}
		if won { // an expired ticket is refused, and still wins
			if err := r.recipient.RedeemWinningTicket(ticket, sp.GetSig(), params.Seed); err != nil {
				r.ledger.fail(fmt.Errorf("queueing a winner: %w", err))
			}
		}
	}
	return refused
}

// paymentParams returns the params shared by all tickets of a payment.
func (r *Recipient) paymentParams(payment *wire.Payment) (*pm.TicketParams, *pm.TicketExpirationParams, error) {
	if payment.GetExpectedPrice() == nil {
		return nil, nil, errors.New("invalid expected price sent with payment: there is none")
	}
	price, err := wire.ToPrice(payment.ExpectedPrice)
	if err != nil {
		return nil, nil, fmt.Errorf("invalid expected price sent with payment: %w", err)
	}
	if payment.GetExpirationParams() == nil {
		if _, on := r.faults.has(FaultCrash); on {
			return nil, nil, errDropped
		}
		return nil, nil, errors.New("the payment has no expiration params")
	}
	params, err := wire.ToTicketParams(payment.TicketParams)
	if err != nil {
		return nil, nil, err
	}
	expiration, err := wire.ToExpirationParams(payment.ExpirationParams)
	if err != nil {
		return nil, nil, err
	}
	params.PricePerPixel = price
	return params, expiration, nil
}
