package policy

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/ethereum/go-ethereum/common"

	"github.com/pmctl/pmctl/wallet/wei"
)

// Setting names one limit: by its flag, without the dashes.
type Setting string

// The limits that a user can set.
const (
	MaxTicketEV       Setting = "max-ticket-ev"
	MaxTotalEV        Setting = "max-total-ev"
	MaxFaceValue      Setting = "max-face-value"
	DepositMultiplier Setting = "deposit-multiplier"
	Recipients        Setting = "recipient"
	MaxGasPrice       Setting = "max-gas-price"
	MaxFee            Setting = "max-fee"
	MaxHeadAge        Setting = "max-head-age"
)

// NonceCap is how many tickets may be made from one set of params. Recipients refuse more
// than 600, so that no flag changes it.
const NonceCap Setting = "nonce-cap"

// Settings returns all limits that have a flag.
func Settings() []Setting {
	return []Setting{MaxTicketEV, MaxTotalEV, MaxFaceValue, DepositMultiplier, Recipients, MaxGasPrice, MaxFee, MaxHeadAge}
}

// Flag is the setting on a command line.
func (s Setting) Flag() string { return "--" + string(s) }

// Rules are the limits that one place sets, such as a config file or a command line;
// nil is a limit that it does not set.
type Rules struct {
	// MaxTicketEV, MaxTotalEV and MaxFaceValue are the most that a ticket may be worth,
	// that all tickets made at once may, and that one ticket may win.
	MaxTicketEV, MaxTotalEV, MaxFaceValue *wei.Wei

	// DepositMultiplier is how many face values the deposit must hold, from 1.
	DepositMultiplier *int

	// NonceCap is how many tickets may be made from one set of params, from 1.
	NonceCap *uint32

	// Recipients are the ones that may be paid.
	Recipients []common.Address

	// MaxGasPrice is the most that a unit of a transaction's gas may cost, MaxFee the most
	// that all of it may.
	MaxGasPrice, MaxFee *wei.Wei

	// MaxHeadAge is how old what is known of the chain may be, more than 0.
	MaxHeadAge *time.Duration

	// Budget is what may be spent in a day, by the setting: see Budgets. Budgets bind,
	// wherever they are set.
	Budget map[Setting]wei.Wei

	// Binding tells that what is set later may tighten these rules and not loosen them.
	// What tightens a binding rule binds in its place.
	Binding bool

	// Where names the place that a setting has here, for people.
	Where func(Setting) string
}

// place is where a limit is set.
type place struct {
	name    string
	binding bool
}

// With returns the limits with rules over them. It fails with a *LooserError where
// these would loosen what binding rules set before.
func (l Limits) With(r Rules) (Limits, error) {
	l.places = maps.Clone(l.places)
	if l.places == nil {
		l.places = make(map[Setting]place)
	}
	for _, amount := range []struct {
		setting  Setting
		asked    *wei.Wei
		existing *big.Rat
		set      func(wei.Wei)
	}{
		{MaxTicketEV, r.MaxTicketEV, l.MaxEV, func(w wei.Wei) { l.MaxEV = w.Rat() }},
		{MaxTotalEV, r.MaxTotalEV, l.MaxTotalEV, func(w wei.Wei) { l.MaxTotalEV = w.Rat() }},
		{MaxFaceValue, r.MaxFaceValue, ratOf(l.MaxFaceValue), func(w wei.Wei) { l.MaxFaceValue = &w }},
		{MaxGasPrice, r.MaxGasPrice, ratOf(l.MaxGasPrice), func(w wei.Wei) { l.MaxGasPrice = &w }},
		{MaxFee, r.MaxFee, ratOf(l.MaxFee), func(w wei.Wei) { l.MaxFee = &w }},
	} {
		if amount.asked == nil {
			continue
		}
		looser := amount.existing != nil && amount.asked.Rat().Cmp(amount.existing) > 0
		if err := l.take(r, amount.setting, looser, amount.asked.String(), formatted(amount.existing)); err != nil {
			return l, err
		}
		amount.set(*amount.asked)
	}
	if asked := r.DepositMultiplier; asked != nil {
		if err := l.take(r, DepositMultiplier, *asked < l.DepositMultiplier, fmt.Sprint(*asked), fmt.Sprint(l.DepositMultiplier)); err != nil {
			return l, err
		}
		l.DepositMultiplier = *asked
	}
	if asked := r.NonceCap; asked != nil {
		if err := l.take(r, NonceCap, *asked > l.NonceCap, fmt.Sprint(*asked), fmt.Sprint(l.NonceCap)); err != nil {
			return l, err
		}
		l.NonceCap = *asked
	}
	if asked := r.MaxHeadAge; asked != nil {
		if err := l.take(r, MaxHeadAge, *asked > l.MaxHeadAge, asked.String(), l.MaxHeadAge.String()); err != nil {
			return l, err
		}
		l.MaxHeadAge = *asked
	}
	if r.Recipients != nil {
		looser := slices.ContainsFunc(r.Recipients, func(a common.Address) bool { return !l.allows(a) })
		if err := l.take(r, Recipients, looser, names(r.Recipients), names(l.Recipients)); err != nil {
			return l, err
		}
		l.Recipients = slices.Clone(r.Recipients)
	}
	l.takeBudget(r)
	return l, nil
}

// take notes that rules set a limit, unless a binding one speaks against it.
func (l *Limits) take(r Rules, s Setting, looser bool, asked, existing string) error {
	before := l.places[s]
	where := r.Where(s)
	if looser && before.binding {
		return &LooserError{Asked: asked, AskedIn: where, Limit: existing, SetIn: before.name}
	}
	l.places[s] = place{where, before.binding || r.Binding}
	return nil
}

// Bound returns the limits as they bind somebody else, such as an agent's clients: what
// is set, wherever, can only be changed there. Whose names the place that they are in,
// for people.
func (l Limits) Bound(whose string) Limits {
	places := make(map[Setting]place, len(l.places))
	for s, p := range l.places {
		places[s] = place{p.name + " of " + whose, true}
	}
	l.places, l.whose = places, whose
	return l
}

// allows tells whether a recipient may be paid.
func (l Limits) allows(recipient common.Address) bool {
	return l.Recipients == nil || slices.Contains(l.Recipients, recipient)
}

// Where names the place that a limit is set in.
func (l Limits) Where(s Setting) string {
	if p, ok := l.places[s]; ok {
		return p.name
	}
	if l.whose != "" {
		return "the default of " + l.whose
	}
	return "the default"
}

// Knob is what to change a limit with.
func (l Limits) Knob(s Setting) string {
	if p := l.places[s]; p.binding {
		return p.name
	}
	if l.whose != "" {
		return s.Flag() + " of " + l.whose
	}
	return s.Flag()
}

// allow says how more than a limit is allowed.
func (l Limits) allow(s Setting) string {
	if p := l.places[s]; p.binding {
		return "change " + p.name
	}
	return "allow it with " + l.Knob(s)
}

// LooserError is a limit that would loosen one that is binding. It matches ErrLimit.
type LooserError struct {
	// Asked is what was asked for, and AskedIn where; Limit is what holds, and SetIn
	// where that is set.
	Asked, AskedIn, Limit, SetIn string
}

func (e *LooserError) Error() string {
	return fmt.Sprintf("%s: %s would loosen the limit of %s that %s sets", e.AskedIn, e.Asked, e.Limit, e.SetIn)
}

// Is matches ErrLimit.
func (e *LooserError) Is(target error) bool { return target == ErrLimit }

// Hint says what can be done.
func (e *LooserError) Hint() string { return "it can only be tightened here; change " + e.SetIn }

func ratOf(w *wei.Wei) *big.Rat {
	if w == nil {
		return nil
	}
	return w.Rat()
}

func formatted(r *big.Rat) string {
	if r == nil {
		return "none"
	}
	return wei.Format(r)
}

func names(recipients []common.Address) string {
	texts := make([]string, len(recipients))
	for i, r := range recipients {
		texts[i] = r.Hex()
	}
	return strings.Join(texts, ", ")
}
