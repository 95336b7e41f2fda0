// Package hint adds to an error what the user can do about it.
package hint

import (
	"errors"
	"fmt"
)

type hinted struct {
	err  error
	hint string
}

func (e *hinted) Error() string { return e.err.Error() }
func (e *hinted) Unwrap() error { return e.err }
func (e *hinted) Hint() string  { return e.hint }

// With adds a hint to err, whose message does not change: the result has a method Hint. A nil err
// stays nil.
func With(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// kinded is an error of a kind that its message does not name.
type kinded struct{ err, kind error }

func (e *kinded) Error() string   { return e.err.Error() }
func (e *kinded) Unwrap() []error { return []error{e.err, e.kind} }

// Kind lets an error match a kind by errors.Is. Its message does not change.
func Kind(kind, err error) error { return &kinded{err, kind} }

// Of returns the hint of an error, or of one that it wraps; false if there is none.
func Of(err error) (said string, ok bool) {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint(), true
	}
	return "", false
}
