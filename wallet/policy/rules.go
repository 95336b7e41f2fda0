package policy

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/ethereum/go-ethereum/common"
)

// Rules are the limits that one place sets, such as a config file or a command line.
type Rules struct {
	// Values are what is set; see Table. Budgets bind, wherever they are set.
	Values Values

	// Binding tells that what is set later may tighten these rules and not loosen them.
	// What tightens a binding rule binds in its place.
	Binding bool

	// Where names the place that a setting has here, for people.
	Where func(Setting) string
}

// Values are values by their setting.
type Values map[Setting]Value

// ErrValue is wrapped by the error about a value that its setting cannot have.
var ErrValue = errors.New("not a value of the setting")

// check fails with ErrValue for a setting that is not in the table, which would hold nothing,
// and for a value of another setting's form.
func (v Values) check() error {
	rows := Table()
	for setting, value := range v {
		at := slices.IndexFunc(rows, func(spec Spec) bool { return spec.Setting == setting })
		if at < 0 {
			return fmt.Errorf("%w %q, which there is not: see Table", ErrValue, setting)
		}
		if none, of := value.(Addresses); of && len(none) == 0 || reflect.TypeOf(value) != reflect.TypeOf(rows[at].form) {
			return fmt.Errorf("%w %q: %T(%v)", ErrValue, setting, value, value)
		}
	}
	return nil
}

// place is where a limit is set.
type place struct {
	name    string
	binding bool
}

// With returns the limits with rules over them: of two budgets the tighter holds. It fails
// with a *LooserError where these would loosen what binding rules set before.
func (l Limits) With(r Rules) (Limits, error) {
	if err := r.Values.check(); err != nil {
		return l, err
	}
	l.places, l.budget = copied(l.places), copied(l.budget)
	for _, spec := range Table() {
		asked, set := r.Values[spec.Setting]
		if !set {
			continue
		}
		existing := spec.get(&l)
		if spec.Section == SectionBudget {
			if existing == nil || asked.compare(existing) < 0 {
				spec.set(&l, asked)
				l.places[spec.Setting] = place{r.Where(spec.Setting), true}
			}
			continue
		}
		if err := l.take(r, spec, asked, existing); err != nil {
			return l, err
		}
		spec.set(&l, asked)
	}
	return l, nil
}

func copied[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return make(map[K]V)
	}
	return maps.Clone(m)
}

// take notes that rules set a limit, unless a binding one speaks against it.
func (l *Limits) take(r Rules, spec Spec, asked, existing Value) error {
	before := l.places[spec.Setting]
	where := r.Where(spec.Setting)
	if before.binding && existing != nil && spec.looser(asked, existing) {
		return &LooserError{Asked: asked.String(), AskedIn: where, Limit: existing.String(), SetIn: before.name}
	}
	l.places[spec.Setting] = place{where, before.binding || r.Binding}
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
