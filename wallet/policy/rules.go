package policy

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/pmctl/pmctl/internal/hint"
)

// Rules are the limits set in one place, such as a config file or the command line.
type Rules struct {
	// Values are the limits that are set; see Table. Budgets always bind.
	Values Values

	// Binding reports whether later rules may tighten these and not loosen them. A rule that tightens a
	// binding one becomes binding.
	Binding bool

	// Where names the place where a setting is set, for people; nil for the setting's own name.
	Where func(Setting) string
}

// Values are values by setting.
type Values map[Setting]Value

// ErrValue is wrapped by errors about a value that its setting cannot have.
var ErrValue = errors.New("not a value of the setting")

// check returns ErrValue for an unknown setting, which would limit nothing, and for a value of
// another type.
func (v Values) check() error {
	for setting, value := range v {
		at := slices.IndexFunc(table, func(spec Spec) bool { return spec.Setting == setting })
		if at < 0 {
			return fmt.Errorf("%w %q: no such setting", ErrValue, setting)
		}
		if none, of := value.(Addresses); of && len(none) == 0 || reflect.TypeOf(value) != reflect.TypeOf(table[at].form) {
			return fmt.Errorf("%w %q: %T(%v)", ErrValue, setting, value, value)
		}
	}
	return nil
}

type place struct {
	name    string
	binding bool
}

// With returns the limits with rules applied: the tighter of two budgets wins. It returns a
// ErrLimit if rules would loosen a binding limit.
func (l Limits) With(r Rules) (Limits, error) {
	if err := r.Values.check(); err != nil {
		return l, err
	}
	nameOf := r.Where
	if nameOf == nil {
		nameOf = func(s Setting) string { return SpecOf(s).Name() }
	}
	l.places, l.budget = copied(l.places), copied(l.budget)
	for _, spec := range table {
		asked, set := r.Values[spec.Setting]
		if !set {
			continue
		}
		existing, before, where := spec.get(&l), l.places[spec.Setting], nameOf(spec.Setting)
		budget := spec.Section == SectionBudget
		switch {
		case budget && existing != nil && asked.compare(existing) >= 0:
			continue
		case !budget && before.binding && existing != nil && spec.looser(asked, existing):
			return l, hint.With(hint.Kind(ErrLimit, fmt.Errorf("%s: %s would loosen the limit of %s that %s sets", where, asked, existing, before.name)),
				"it can only be tightened here; to loosen it, change %s", before.name)
		}
		spec.set(&l, asked)
		l.places[spec.Setting] = place{where, budget || before.binding || r.Binding}
	}
	return l, nil
}

func copied[K comparable, V any](m map[K]V) map[K]V {
	if m == nil {
		return make(map[K]V)
	}
	return maps.Clone(m)
}

// Bound returns the limits as they bind another process, such as an agent's clients: all of them
// can only be changed where they are set. whose names that place, for people.
func (l Limits) Bound(whose string) Limits {
	places := make(map[Setting]place, len(l.places))
	for s, p := range l.places {
		places[s] = place{p.name + " of " + whose, true}
	}
	l.places, l.whose = places, whose
	return l
}

// Unplaced returns the limits as others may read of them: the name of a limit, and not the file that
// it is set in.
func (l Limits) Unplaced() Limits {
	places := make(map[Setting]place, len(l.places))
	for s, p := range l.places {
		places[s] = place{SpecOf(s).Name(), p.binding}
	}
	l.places = places
	return l
}

// Where returns the place where a limit is set.
func (l Limits) Where(s Setting) string {
	if p, ok := l.places[s]; ok {
		return p.name
	}
	if l.whose != "" {
		return "the default of " + l.whose
	}
	return "the default"
}

// Knob returns what to change a limit with.
func (l Limits) Knob(s Setting) string {
	if p := l.places[s]; p.binding {
		return p.name
	}
	if l.whose != "" {
		return s.Flag() + " of " + l.whose
	}
	return s.Flag()
}

func (l Limits) allow(s Setting) string {
	if p := l.places[s]; p.binding {
		return "change " + p.name
	}
	return "allow it with " + l.Knob(s)
}
