// Package hint adds to an error what its user can do about it.
package hint

import (
	"errors"
	"fmt"
)

// hinted is an error with a hint.
type hinted struct {
	err  error
	hint string
}

func (e *hinted) Error() string { return e.err.Error() }
func (e *hinted) Unwrap() error { return e.err }
func (e *hinted) Hint() string  { return e.hint }

// With says what can be done about err, whose message stays as it is: the result has a
// method Hint. A nil err stays nil.
func With(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// Of is what an error, or one that it wraps, says can be done about it. It is false where
// none of them says anything.
func Of(err error) (said string, ok bool) {
	var hinted interface{ Hint() string }
	if errors.As(err, &hinted) {
		return hinted.Hint(), true
	}
	return "", false
}
