package recipient

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
)

// Fault is one way to misbehave. Some take a value after a colon: "slow:200ms",
// "refuse-payment:503".
type Fault string

// Faults of the connection, for every request.
const (
	// FaultSlow answers only after a while, 10 s or the value.
	FaultSlow Fault = "slow"
	// FaultHang accepts a request and never answers it.
	FaultHang Fault = "hang"
	// FaultNotGRPC answers like a web server without that page.
	FaultNotGRPC Fault = "not-grpc"
	// FaultGarbage answers well-framed random bytes.
	FaultGarbage Fault = "garbage"
	// FaultHuge answers with 16 MiB.
	FaultHuge Fault = "huge"
)

// Faults of the answer of GetOrchestrator, and of a payment's answer.
const (
	// FaultOtherRecipient offers params with another recipient.
	FaultOtherRecipient Fault = "other-recipient"
	// FaultExpired offers params that expire with the next L1 block.
	FaultExpired Fault = "expired"
	// FaultExpensiveEV offers a ticket EV above a sender's default limit. These params are the
	// recipient's own: it accepts tickets for them.
	FaultExpensiveEV Fault = "expensive-ev"
	// FaultEVNotBelowFace offers tickets that always win.
	FaultEVNotBelowFace Fault = "ev-not-below-face"
	// FaultFaceValueTooHigh offers a face value that no deposit covers.
	FaultFaceValueTooHigh Fault = "face-value-too-high"
	// FaultLongInteger writes the face value with 33 bytes.
	FaultLongInteger Fault = "long-integer"
	// FaultShortAddress writes the recipient with 19 bytes.
	FaultShortAddress Fault = "short-address"
	// FaultShortHash writes the recipientRandHash with 31 bytes.
	FaultShortHash Fault = "short-hash"
	// FaultNoParams leaves the ticket params out.
	FaultNoParams Fault = "no-params"
	// FaultNoSeed leaves the params' seed out.
	FaultNoSeed Fault = "no-seed"
	// FaultNoExpirationParams leaves the creation round out.
	FaultNoExpirationParams Fault = "no-expiration-params"
	// FaultNoAuthToken leaves the auth token out.
	FaultNoAuthToken Fault = "no-auth-token"
	// FaultNoPrice leaves the price out.
	FaultNoPrice Fault = "no-price"
	// FaultPrivateTranscoder sends a payment URL that means every machine.
	FaultPrivateTranscoder Fault = "private-transcoder"
)

// Faults of payments.
const (
	// FaultRefusePayment refuses every payment with an HTTP status, 400 or the value, before it
	// reads the tickets.
	FaultRefusePayment Fault = "refuse-payment"
	// FaultDropAfterTaking accepts a payment's tickets and then closes the connection without
	// an answer.
	FaultDropAfterTaking Fault = "drop-after-taking"
	// FaultCrash closes the connection on a payment with ticket params but no expiration
	// params, as the deployed node does; without it such a payment is refused with a message.
	FaultCrash Fault = "crash"
)

// ErrUnknownFault is returned for an unknown fault.
var ErrUnknownFault = errors.New("unknown fault")

// Faults returns the names of all faults.
func Faults() []Fault {
	return []Fault{
		FaultCrash, FaultDropAfterTaking, FaultEVNotBelowFace, FaultExpensiveEV, FaultExpired,
		FaultFaceValueTooHigh, FaultGarbage, FaultHang, FaultHuge, FaultLongInteger, FaultNoAuthToken,
		FaultNoExpirationParams, FaultNoParams, FaultNoPrice, FaultNoSeed, FaultNotGRPC,
		FaultOtherRecipient, FaultPrivateTranscoder, FaultRefusePayment, FaultShortAddress, FaultShortHash, FaultSlow,
	}
}

// faultSet is the faults that are on.
type faultSet struct {
	mu     sync.Mutex
	active map[Fault]string
}

// set switches a fault, written as "name" or "name:value", on or off.
func (s *faultSet) set(text string, on bool) error {
	name, value, _ := strings.Cut(text, ":")
	fault := Fault(name)
	if !slices.Contains(Faults(), fault) {
		return fmt.Errorf("%w %q: use one of %v", ErrUnknownFault, name, Faults())
	}
	if err := fault.checkValue(value); err != nil {
		return fmt.Errorf("fault %s: %w", name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.active == nil {
		s.active = make(map[Fault]string)
	}
	if on {
		s.active[fault] = value
	} else {
		delete(s.active, fault)
	}
	return nil
}

// has reports whether a fault is on, and its value.
func (s *faultSet) has(fault Fault) (value string, on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	value, on = s.active[fault]
	return value, on
}

// list returns the faults that are on, sorted, in the form that set accepts.
func (s *faultSet) list() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]string, 0, len(s.active))
	for _, fault := range slices.Sorted(maps.Keys(s.active)) {
		text := string(fault)
		if value := s.active[fault]; value != "" {
			text += ":" + value
		}
		out = append(out, text)
	}
	return out
}
