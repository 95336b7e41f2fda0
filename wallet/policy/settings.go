package policy

import (
	"fmt"
	"math"
	"math/big"
	"slices"
	"strconv"
	"time"

	"github.com/pmctl/pmctl/internal/duration"
	"github.com/pmctl/pmctl/wallet/format"
	"github.com/pmctl/pmctl/wallet/wei"
)

// Setting names a limit: by its flag without the dashes or, if it has no flag, by its key in a
// config file.
type Setting string

// The limits that a user can set. NonceCap is how many tickets may be created on one set of params;
// recipients refuse more than 600, so no flag changes it.
const (
	MaxTicketEV       Setting = "max-ticket-ev"
	MaxTotalEV        Setting = "max-total-ev"
	MaxFaceValue      Setting = "max-face-value"
	DepositMultiplier Setting = "deposit-multiplier"
	NonceCap          Setting = "nonce-cap"
	MaxHeadAge        Setting = "max-head-age"
	Recipients        Setting = "recipient"
	MaxGasPrice       Setting = "max-gas-price"
	MaxFee            Setting = "max-fee"
)

// The budgets that a user can set: what one sender may spend on one chain in a UTC day, in expected
// value and in face value. They apply across all processes and machines that share a store.
const (
	EVPerDay                 Setting = "ev_per_day"
	FaceValuePerDay          Setting = "face_value_per_day"
	RecipientEVPerDay        Setting = "recipient_ev_per_day"
	RecipientFaceValuePerDay Setting = "recipient_face_value_per_day"
)

// Flag returns the setting as a command-line flag.
func (s Setting) Flag() string { return "--" + string(s) }

// Spec is a row of the table of settings.
type Spec struct {
	Setting

	// Section and Key are its name in a config file.
	Section, Key string

	// Usage describes its flag; "" for a setting without a flag.
	Usage string

	// Counted reports whether the limit is compared with what the store has counted.
	Counted bool

	// parse reads a value, of the first text unless there can be several; get and set access its
	// field in Limits; get returns nil if it is not set. less is tighter for most settings, looser
	// for some.
	parse         func(texts []string) (Value, error)
	form          Value // any value of the setting's type
	moreIsTighter bool
	get           func(*Limits) Value
	set           func(*Limits, Value)
}

// The sections of a config file that contain limits.
const (
	SectionLimits = "limits"
	SectionBudget = "budget"
)

// Table returns all settings, in the order for display. Flags, config files, documentation and the
// limits themselves follow it.
func Table() []Spec { return slices.Clone(table) }

// table is made once: each command's flags read it at every start.
var table = newTable()

func newTable() []Spec {
	rows := []Spec{
		ratRow(MaxTicketEV, "max_ticket_ev", "limit the expected value (EV) of one ticket to `AMOUNT`",
			func(l *Limits) **big.Rat { return &l.MaxEV }),
		ratRow(MaxTotalEV, "max_total_ev", "limit the total EV of one payment or batch to `AMOUNT`",
			func(l *Limits) **big.Rat { return &l.MaxTotalEV }),
		weiRow(MaxFaceValue, "max_face_value", "limit the face value of one ticket to `AMOUNT`",
			func(l *Limits) **wei.Wei { return &l.MaxFaceValue }),
		{
			Setting: DepositMultiplier, Section: SectionLimits, Key: "deposit_multiplier", moreIsTighter: true,
			Usage: "require a deposit of at least `N` face values",
			form:  Count(0),
			parse: func(texts []string) (Value, error) { return parseCount(texts[0], math.MaxInt32) },
			get:   func(l *Limits) Value { return Count(l.DepositMultiplier) },
			set:   func(l *Limits, v Value) { l.DepositMultiplier = int(v.(Count)) },
		},
		{
			Setting: NonceCap, Section: SectionLimits, Key: "nonce_cap", Counted: true,
			form:  Count(0),
			parse: func(texts []string) (Value, error) { return parseCount(texts[0], math.MaxUint32) },
			get:   func(l *Limits) Value { return Count(l.NonceCap) },
			set:   func(l *Limits, v Value) { l.NonceCap = uint32(v.(Count)) },
		},
		{
			Setting: MaxHeadAge, Section: SectionLimits, Key: "max_head_age",
			Usage: "accept chain data of the agent up to `DURATION` old; without an agent it is always fresh",
			form:  Age(0),
			parse: parseAge,
			get:   func(l *Limits) Value { return Age(l.MaxHeadAge) },
			set:   func(l *Limits, v Value) { l.MaxHeadAge = time.Duration(v.(Age)) },
		},
		{
			Setting: Recipients, Section: SectionLimits, Key: "recipients",
			Usage: "refuse to pay any address but `ADDRESS`",
			form:  Addresses(nil),
			parse: parseRecipients,
			get: func(l *Limits) Value {
				if l.Recipients == nil {
					return nil
				}
				return Addresses(l.Recipients)
			},
			set: func(l *Limits, v Value) { l.Recipients = slices.Clone(v.(Addresses)) },
		},
		weiRow(MaxGasPrice, "max_gas_price", "limit the gas price to `AMOUNT` per unit of gas",
			func(l *Limits) **wei.Wei { return &l.MaxGasPrice }),
		weiRow(MaxFee, "max_fee", "limit the gas cost of the transaction and its replacements to `AMOUNT`",
			func(l *Limits) **wei.Wei { return &l.MaxFee }),
	}
	for _, s := range Budgets() {
		rows = append(rows, budgetRow(s))
	}
	return rows
}

func Budgets() []Setting {
	return []Setting{EVPerDay, FaceValuePerDay, RecipientEVPerDay, RecipientFaceValuePerDay}
}

// SpecOf returns a setting's row; the zero Spec for a setting that there is not.
func SpecOf(s Setting) Spec {
	i := slices.IndexFunc(table, func(spec Spec) bool { return spec.Setting == s })
	if i < 0 {
		return Spec{}
	}
	return table[i]
}

// Name returns the setting's name in a file, with its section.
func (s Spec) Name() string { return s.Section + "." + s.Key }

// Value returns the setting's value in limits; nil if it is not set.
func (s Spec) Value(l Limits) Value {
	if s.get == nil {
		return nil
	}
	return s.get(&l)
}

// Parse reads a value as a flag or a file has it. Only Recipients takes several. It returns ErrValue
// without a text, and of the zero Spec.
func (s Spec) Parse(texts ...string) (Value, error) {
	if s.parse == nil || len(texts) == 0 {
		return nil, ErrValue
	}
	return s.parse(texts)
}

// looser reports whether a value allows more than another one.
func (s Spec) looser(asked, existing Value) bool {
	cmp := asked.compare(existing)
	if s.moreIsTighter {
		return cmp < 0
	}
	return cmp > 0
}

func ratRow(s Setting, key, usage string, of func(*Limits) **big.Rat) Spec {
	return Spec{
		Setting: s, Section: SectionLimits, Key: key, Usage: usage, parse: parseAmount, form: Amount{},
		get: func(l *Limits) Value {
			if limit := *of(l); limit != nil {
				return Amount{limit}
			}
			return nil
		},
		set: func(l *Limits, v Value) { *of(l) = new(big.Rat).Set(v.(Amount).exact()) },
	}
}

func weiRow(s Setting, key, usage string, of func(*Limits) **wei.Wei) Spec {
	return Spec{
		Setting: s, Section: SectionLimits, Key: key, Usage: usage, parse: parseAmount, form: Amount{},
		get: func(l *Limits) Value {
			if limit := *of(l); limit != nil {
				return AmountOf(*limit)
			}
			return nil
		},
		set: func(l *Limits, v Value) {
			w := v.(Amount).wei()
			*of(l) = &w
		},
	}
}

func budgetRow(s Setting) Spec {
	return Spec{
		Setting: s, Section: SectionBudget, Key: string(s), Counted: true, parse: parseAmount, form: Amount{},
		get: func(l *Limits) Value {
			if limit, ok := l.budget[s]; ok {
				return AmountOf(limit)
			}
			return nil
		},
		set: func(l *Limits, v Value) { l.budget[s] = v.(Amount).wei() },
	}
}

func parseAmount(texts []string) (Value, error) {
	w, err := wei.Parse(texts[0])
	if err != nil {
		return nil, err
	}
	return AmountOf(w), nil
}

func parseCount(text string, most uint64) (Value, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n < 1 || n > most {
		return nil, fmt.Errorf("%q is not a whole number from 1 to %d", text, most)
	}
	return Count(n), nil
}

func parseAge(texts []string) (Value, error) {
	age, err := duration.Parse(texts[0])
	if err != nil || age <= 0 {
		return nil, fmt.Errorf("%q is not a duration above 0, such as 30s", texts[0])
	}
	return Age(age), nil
}

func parseRecipients(texts []string) (Value, error) {
	var all Addresses
	for _, text := range texts {
		address, err := format.ParseAddress(text)
		if err != nil {
			return nil, err
		}
		all = append(all, address)
	}
	return all, nil
}
