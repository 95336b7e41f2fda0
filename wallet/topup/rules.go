package topup

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/pmctl/pmctl/wallet/wei"
)

// Rules are what a sender's funds must come to, and what may be moved for that. A need that is nil
// or 0 is none; the largest of several counts.
type Rules struct {
	// Reserve is the least reserve.
	Reserve *wei.Wei

	// ReserveFaceValues is how many times one recipient's share of the reserve must carry
	// FaceValue.
	ReserveFaceValues uint64
	FaceValue         *wei.Wei

	// Deposit is the least deposit.
	Deposit *wei.Wei

	// DepositDays is how many days the deposit must last at the upper end of the forecast spending.
	DepositDays uint64

	// DepositPromised reports whether the deposit must cover what is promised: the outstanding tickets'
	// face value, and what is left of the allowances of a signer's clients.
	DepositPromised bool

	// Step is the least top-up of a deposit or a reserve; each is a multiple of it. 0 is 1 wei.
	Step wei.Wei

	// MaxPerDay is the most to move in a UTC day, and MaxTotal the most to move ever; nil is no limit,
	// which Read allows no file.
	MaxPerDay, MaxTotal *wei.Wei

	// GasKept stays in the paying account, less the gas of top-ups.
	GasKept wei.Wei
}

// defaultAmount is the Step and the GasKept that no file sets: 0.01 ETH.
const defaultAmount = 10_000_000_000_000_000

// Spec is a rule's row in the table of settings.
type Spec struct {
	// Key is its name in the section Section of a config file.
	Key string

	// Tightens is set for a bound: of several files' values the tightest counts. Another
	// setting's first value counts.
	Tightens bool

	set   func(*Rules, string) error
	get   func(Rules) (text, decimal string)
	least bool // of a bound: the largest value is the tightest
	bound func(*Rules) *wei.Wei
}

// Section is the section of a config file with the rules.
const Section = "fund_auto"

// Table returns all settings, in the order for display.
func Table() []Spec {
	return []Spec{
		amountRow("reserve", func(r *Rules) **wei.Wei { return &r.Reserve }),
		countRow("reserve_face_values", func(r *Rules) *uint64 { return &r.ReserveFaceValues }),
		amountRow("face_value", func(r *Rules) **wei.Wei { return &r.FaceValue }),
		amountRow("deposit", func(r *Rules) **wei.Wei { return &r.Deposit }),
		countRow("deposit_days", func(r *Rules) *uint64 { return &r.DepositDays }),
		{
			Key: "deposit_promised",
			set: func(r *Rules, text string) (err error) {
				r.DepositPromised, err = strconv.ParseBool(text)
				return err
			},
			get: func(r Rules) (text, decimal string) {
				text = strconv.FormatBool(r.DepositPromised)
				return text, text
			},
		},
		plainRow("step", func(r *Rules) *wei.Wei { return &r.Step }),
		ceilingRow("max_per_day", func(r *Rules) **wei.Wei { return &r.MaxPerDay }),
		ceilingRow("max_total", func(r *Rules) **wei.Wei { return &r.MaxTotal }),
		keptRow("gas_kept", func(r *Rules) *wei.Wei { return &r.GasKept }),
	}
}

// Value returns the setting's value for people, and for programs with amounts in wei; "" if it is not
// set.
func (s Spec) Value(r Rules) (text, decimal string) { return s.get(r) }

// Check returns an error if a text is no value of the setting.
func (s Spec) Check(text string) error { return s.set(new(Rules), text) }

func amountRow(key string, of func(*Rules) **wei.Wei) Spec {
	return Spec{
		Key: key,
		set: func(r *Rules, text string) error {
			amount, err := wei.Parse(text)
			*of(r) = &amount
			return err
		},
		get: func(r Rules) (text, decimal string) {
			if amount := *of(&r); amount != nil {
				return amount.String(), amount.Decimal()
			}
			return "", ""
		},
	}
}

func ceilingRow(key string, of func(*Rules) **wei.Wei) Spec {
	row := amountRow(key, of)
	row.Tightens, row.bound = true, func(r *Rules) *wei.Wei { return *of(r) }
	return row
}

func plainRow(key string, of func(*Rules) *wei.Wei) Spec {
	return Spec{
		Key: key,
		set: func(r *Rules, text string) (err error) {
			*of(r), err = wei.Parse(text)
			return err
		},
		get: func(r Rules) (text, decimal string) { return of(&r).String(), of(&r).Decimal() },
	}
}

func keptRow(key string, of func(*Rules) *wei.Wei) Spec {
	row := plainRow(key, of)
	row.Tightens, row.least, row.bound = true, true, of
	return row
}

func countRow(key string, of func(*Rules) *uint64) Spec {
	return Spec{
		Key: key,
		set: func(r *Rules, text string) (err error) {
			if *of(r), err = strconv.ParseUint(text, 10, 16); err != nil || *of(r) == 0 {
				return fmt.Errorf("%q is not a whole number from 1 to 65535", text)
			}
			return nil
		},
		get: func(r Rules) (text, decimal string) {
			if n := *of(&r); n > 0 {
				text = strconv.FormatUint(n, 10)
			}
			return text, text
		},
	}
}

// ErrNoRules is returned if no file sets a rule.
var ErrNoRules = errors.New("no rules for deposit and reserve")

// Read returns the rules that files set, each with its texts by key, the first to be asked first;
// and for each key that is set which file's value counts. It returns ErrNoRules, and errors about
// rules that lack another one.
func Read(files ...map[string]string) (Rules, map[string]int, error) {
	rules := Rules{Step: wei.FromUint64(defaultAmount), GasKept: wei.FromUint64(defaultAmount)}
	from := make(map[string]int)
	for _, spec := range Table() {
		for i, file := range files {
			text, ok := file[spec.Key]
			_, found := from[spec.Key]
			if !ok || found && !spec.Tightens {
				continue
			}
			var other Rules
			if err := spec.set(&other, text); err != nil {
				return rules, nil, fmt.Errorf("%s: %w", spec.Key, err)
			}
			if found && !spec.tighter(other, rules) {
				continue
			}
			from[spec.Key] = i
			_ = spec.set(&rules, text) // it was read above
		}
	}
	if len(from) == 0 {
		return rules, from, ErrNoRules
	}
	return rules, from, rules.check()
}

// tighter compares the bounds of two rules.
func (s Spec) tighter(a, b Rules) bool {
	if s.least {
		return s.bound(&a).Cmp(*s.bound(&b)) > 0
	}
	return s.bound(&a).Cmp(*s.bound(&b)) < 0
}

// check refuses rules that ask for nothing, that have no end, or that allow no top-up.
func (r Rules) check() error {
	isSet := func(amount *wei.Wei) bool { return amount != nil && !amount.IsZero() }
	switch {
	case r.MaxPerDay == nil:
		return errors.New("max_per_day is not set: the most that pmctl may move in a day")
	case r.MaxTotal == nil:
		return errors.New("max_total is not set: the most that pmctl may move in total")
	case r.Step.IsZero():
		return errors.New("step is 0: it must be more than 0, as the least top-up")
	case r.Step.Cmp(*r.MaxPerDay) > 0:
		return r.noTopUp("max_per_day", *r.MaxPerDay)
	case r.Step.Cmp(*r.MaxTotal) > 0:
		return r.noTopUp("max_total", *r.MaxTotal)
	case (r.ReserveFaceValues > 0) != isSet(r.FaceValue):
		return errors.New("reserve_face_values and face_value belong together, and face_value must be more than 0")
	case !isSet(r.Reserve) && r.ReserveFaceValues == 0 && !isSet(r.Deposit) && r.DepositDays == 0 && !r.DepositPromised:
		return errors.New("no rule says how large deposit or reserve must be: set reserve, reserve_face_values, deposit, deposit_days or deposit_promised")
	}
	return nil
}

// noTopUp is the error of a step above a ceiling.
func (r Rules) noTopUp(key string, most wei.Wei) error {
	return fmt.Errorf("step is %s (default %s), more than %s, %s, so no top-up would be allowed: lower step, or raise %s",
		r.Step, wei.FromUint64(defaultAmount), key, most, key)
}
