package recipient

import (
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"strconv"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/pm/wire"
	"github.com/pmctl/pmctl/wallet/devnet/runners"
)

// servePayment answers POST /payment, which pays for a session of a runner too.
func (r *Recipient) servePayment(w http.ResponseWriter, req *http.Request) {
	info, err := r.pay(req, func(segment *wire.SegData, payment *wire.Payment) (*big.Rat, error) {
		sender := common.BytesToAddress(payment.GetSender())
		if price, open := r.runners.PriceFor(sender, string(segment.GetManifestId())); open {
			return big.NewRat(price, 1), nil
		}
		price, err := r.cfg.Economy.priceOf(segment.GetCapabilities())
		if err != nil {
			return nil, &runners.Refusal{Status: http.StatusInternalServerError, Err: err}
		}
		return price, nil
	})
	if err != nil {
		runners.Answer(w, err)
		return
	}
	runners.AnswerPayment(w, info)
}

// admission decides on a payment with good credentials, before any ticket is taken: it returns
// the price of the fresh offer, nil for no offer.
type admission func(*wire.SegData, *wire.Payment) (*big.Rat, error)

// pay takes the payment in a request's headers and returns a fresh offer.
func (r *Recipient) pay(req *http.Request, admit admission) (*wire.OrchestratorInfo, error) {
	info, err := r.receive(req, admit)
	if _, on := r.faults.has(FaultDropAfterTaking); on && err == nil {
		err = runners.ErrDropped
	}
	r.ledger.paymentMade(err)
	return info, err
}

// receive checks a payment in the deployed node's order: its encoding, its credentials, whether
// there would be fresh params, and only then the tickets.
func (r *Recipient) receive(req *http.Request, admit admission) (*wire.OrchestratorInfo, error) {
	payment, sender, err := decodePayment(req.Header.Get(wire.PaymentHeader))
	if err != nil {
		return nil, &runners.Refusal{Status: http.StatusPaymentRequired, Err: err}
	}
	segment, err := r.checkSegment(req.Header.Get(wire.SegmentHeader), sender)
	if err != nil {
		return nil, &runners.Refusal{Status: http.StatusForbidden, Err: err}
	}
	if value, on := r.faults.has(FaultRefusePayment); on {
		status, err := strconv.Atoi(value)
		if err != nil {
			status = http.StatusBadRequest
		}
		return nil, &runners.Refusal{Status: status, Err: errors.New("payments are refused")}
	}
	if err := r.synced(req.Context()); err != nil {
		return nil, &runners.Refusal{Status: http.StatusInternalServerError, Err: err}
	}
	price, err := admit(segment, payment)
	if err != nil {
		return nil, err
	}
	var info *wire.OrchestratorInfo
	if price != nil {
		if info, err = r.info(sender, r.BaseURL(req), price, segment.GetAuthToken()); err != nil {
			return nil, &runners.Refusal{Status: http.StatusInternalServerError, Err: err}
		}
	}
	if err := r.take(payment, sender, string(segment.GetManifestId())); err != nil {
		return nil, &runners.Refusal{Status: http.StatusBadRequest, Err: err}
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
		// The last refusal is the one that is reported, and no ticket after the first counts.
		if err != nil {
			refused = asDeployed(err, ticket)
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
			return nil, nil, runners.ErrDropped
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
