package policy

import (
	"errors"
	"fmt"
	"math/big"
	"strings"

	"github.com/pmctl/pmctl/internal/words"
	"github.com/pmctl/pmctl/pm"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Refusal is returned if tickets are not created because of a limit, funds or the params.
type Refusal struct {
	// Kind is ErrLimit, ErrFunds or ErrUnacceptable.
	Kind error

	// Err is the violated check, with the value found and the limit.
	Err error

	text, hint string
}

// Error says what was offered and what is allowed.
func (r *Refusal) Error() string { return r.text }

// Hint says what can be done.
func (r *Refusal) Hint() string    { return r.hint }
func (r *Refusal) Unwrap() []error { return []error{r.Kind, r.Err} }

// Explain turns an error of pm's checks into a *Refusal that says where the limit is set. Other
// errors, and nil, are returned as they are.
func (l Limits) Explain(err error) error {
	if err == nil {
		return nil // before there is room for what an error may be
	}
	var (
		maxEV      *pm.MaxEVError
		maxTotal   *pm.MaxTotalEVError
		faceValue  *pm.FaceValueError
		cap        *pm.NonceCapError
		field      *pm.FieldError
		validation pm.ErrSenderValidation
	)
	const refetch = "fetch fresh ticket params: pmctl params fetch URL"
	switch {
	case errors.As(err, &maxEV):
		return &Refusal{ErrLimit, err,
			fmt.Sprintf("ticket EV %s is above the limit of %s (%s)", wei.Format(maxEV.EV), Exceeded(maxEV.EV, maxEV.Limit), l.Where(MaxTicketEV)),
			l.allow(MaxTicketEV) + ", or ask the recipient for a lower -ticketEV"}
	case errors.As(err, &maxTotal):
		return l.refuseTotal(maxTotal, err)
	case errors.As(err, &faceValue):
		return l.refuseFaceValue(faceValue, err)
	case errors.Is(err, ErrMaxFaceValue):
		return &Refusal{ErrLimit, err, fmt.Sprintf("%v (%s)", err, l.Where(MaxFaceValue)),
			l.allow(MaxFaceValue) + ", or ask the recipient for a lower -maxFaceValue"}
	case errors.Is(err, ErrWrongRecipient):
		return &Refusal{ErrLimit, err, fmt.Sprintf("%v (%s)", err, l.Where(Recipients)),
			fmt.Sprintf("check the recipient's URL and %s; nothing in the answer proves who sent it", l.Knob(Recipients))}
	case errors.As(err, &cap) && cap.Asked > uint64(cap.Cap):
		return &Refusal{ErrUnacceptable, err,
			fmt.Sprintf("%d tickets are more than the %d that one set of ticket params allows", cap.Asked, cap.Cap),
			fmt.Sprintf("create at most %d at once, each time from fresh ticket params", cap.Cap)}
	case errors.As(err, &cap):
		return &Refusal{ErrUnacceptable, err, cap.Error(), refetch}
	case errors.Is(err, pm.ErrTicketParamsExpired):
		return &Refusal{ErrUnacceptable, err, err.Error(), refetch}
	case errors.Is(err, pm.ErrNoExpirationBlock), errors.As(err, &field):
		return &Refusal{ErrUnacceptable, err, err.Error(), "the recipient's params are malformed; choose another recipient: pmctl recipient list"}
	case errors.Is(err, pm.ErrEVNotBelowFaceValue):
		return &Refusal{ErrUnacceptable, err, err.Error(),
			"a ticket that always wins is a payment, not a lottery; ask the recipient for a lower -ticketEV or a higher face value"}
	case errors.As(err, &validation):
		return refuseSender(err)
	}
	return err
}

// Exceeded returns a limit as text, and by how much a value exceeds it if both look alike.
func Exceeded(value, limit *big.Rat) string {
	if excess := hiddenExcess(value, limit); excess != "" {
		return wei.Format(limit) + " by " + excess
	}
	return wei.Format(limit)
}

// AtMost is Exceeded for a text that states the limit of a value.
func AtMost(value, limit *big.Rat) string {
	text := "at most " + wei.Format(limit)
	if excess := hiddenExcess(value, limit); excess != "" {
		text += ", exceeded by " + excess
	}
	return text
}

// hiddenExcess returns by how much a value exceeds a limit that looks alike; "" otherwise.
func hiddenExcess(value, limit *big.Rat) string {
	shown := func(amount *big.Rat) string { return strings.TrimPrefix(wei.Format(amount), "~") }
	excess := new(big.Rat).Sub(value, limit)
	if shown(value) != shown(limit) || excess.Sign() <= 0 {
		return ""
	}
	// A fraction of a wei can begin with fifty zeros.
	exponent := 0
	for one, ten := big.NewRat(1, 1), big.NewRat(10, 1); excess.Cmp(one) < 0; exponent++ {
		excess.Mul(excess, ten)
	}
	return fmt.Sprintf("%se-%d wei", excess.FloatString(1), exponent)
}

func (l Limits) refuseTotal(e *pm.MaxTotalEVError, err error) error {
	r := &Refusal{Kind: ErrLimit, Err: err,
		text: fmt.Sprintf("the total EV of %s, %s, is above the limit of %s (%s)",
			words.Count(uint64(e.Count), "ticket"), wei.Format(e.TotalEV), Exceeded(e.TotalEV, e.Limit), l.Where(MaxTotalEV))}
	// limit · count / total tickets fit.
	fit := new(big.Rat).Quo(new(big.Rat).Mul(e.Limit, new(big.Rat).SetInt64(int64(e.Count))), e.TotalEV)
	if most := new(big.Int).Quo(fit.Num(), fit.Denom()); most.Sign() > 0 {
		worth := new(big.Rat).Quo(e.TotalEV, new(big.Rat).SetInt64(int64(e.Count)))
		worth.Mul(worth, new(big.Rat).SetInt(most))
		r.hint = fmt.Sprintf("create at most %v tickets at once, worth %s, or %s", most, wei.Format(worth), l.allow(MaxTotalEV))
	} else {
		r.hint = fmt.Sprintf("one ticket alone exceeds it; %s, or ask the recipient for a lower -ticketEV", l.allow(MaxTotalEV))
	}
	return r
}

// refuseFaceValue distinguishes a deposit that cannot cover one win from one that is only below the
// user's own margin.
func (l Limits) refuseFaceValue(e *pm.FaceValueError, err error) error {
	needed := new(big.Int).Mul(e.FaceValue, big.NewInt(int64(e.Multiplier)))
	missing := new(big.Int).Sub(needed, e.Deposit)
	r := &Refusal{Kind: ErrFunds, Err: err,
		text: fmt.Sprintf("the deposit of %s is too small for a face value of %s", amount(e.Deposit), amount(e.FaceValue)),
		hint: fmt.Sprintf("add %s: pmctl fund --deposit %s", amount(missing), wei.Flag(missing))}
	if e.Multiplier > 1 {
		r.text += fmt.Sprintf(", and must cover %d of them", e.Multiplier)
		if e.Deposit.Cmp(e.FaceValue) >= 0 {
			r.Kind = ErrLimit
			r.text += fmt.Sprintf(" (%s)", l.Where(DepositMultiplier))
			r.hint = fmt.Sprintf("lower %s, or %s", l.Knob(DepositMultiplier), r.hint)
		}
	}
	return r
}

func refuseSender(err error) error {
	switch {
	case errors.Is(err, pm.ErrNoDeposit) && errors.Is(err, pm.ErrNoReserve):
		return &Refusal{ErrFunds, err, err.Error(), "add both: pmctl fund --deposit AMOUNT --reserve AMOUNT"}
	case errors.Is(err, pm.ErrNoDeposit):
		return &Refusal{ErrFunds, err, err.Error(), "add one: pmctl fund --deposit AMOUNT"}
	case errors.Is(err, pm.ErrNoReserve):
		return &Refusal{ErrFunds, err, err.Error(), "add one: pmctl fund --reserve AMOUNT"}
	case errors.Is(err, pm.ErrSenderUnlocking):
		return &Refusal{ErrUnacceptable, err, err.Error(), "recipients refuse tickets during an unlock; to cancel it, run pmctl unlock cancel"}
	}
	return err
}

func amount(v *big.Int) string { return wei.Format(new(big.Rat).SetInt(v)) }
