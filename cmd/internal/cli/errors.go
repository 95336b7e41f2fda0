package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/pmctl/pmctl/internal/hint"
	"github.com/pmctl/pmctl/internal/jsonfilter"
	"github.com/pmctl/pmctl/wallet"
)

// classed is an error of a class that is known to commands alone.
type classed struct {
	class wallet.Class
	text  string
}

func (e *classed) Error() string { return e.text }

// Is puts it into its class.
func (e *classed) Is(target error) bool { return target == e.class }

// usageError is a fault of the command line.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }

func (e *usageError) Unwrap() error { return e.err }

// Is puts it into its class.
func (e *usageError) Is(target error) bool { return target == wallet.ClassUsage }

// Usage is err as the command line's fault.
func Usage(err error) error { return &usageError{err} }

// Usagef is a new error that is the command line's fault.
func Usagef(format string, args ...any) error {
	return Usage(fmt.Errorf(format, args...))
}

// WithHint says what can be done about err. A nil err stays nil.
func WithHint(err error, format string, args ...any) error { return hint.With(err, format, args...) }

// interruptedError is the error of a command that a signal ended. The cause names the signal, which
// says no more.
type interruptedError struct{ err, cause error }

func (e *interruptedError) Error() string {
	switch {
	case errors.Is(e.err, ErrCancelled):
		return e.err.Error()
	case e.err.Error() == context.Canceled.Error(), e.err.Error() == e.cause.Error():
		return "interrupted"
	}
	return "interrupted: " + e.err.Error()
}

func (e *interruptedError) Unwrap() []error { return []error{context.Canceled, e.err} }

// endedError is an error that ends with Go's words for a context that has ended, and is to end with
// pmctl's.
type endedError struct {
	err         error
	last, words string
}

func (e *endedError) Error() string { return strings.TrimSuffix(e.err.Error(), e.last) + e.words }
func (e *endedError) Unwrap() error { return e.err }

// timedOut is err with the flag that gives it more time, if it says no more than that the time is up.
func timedOut(err error) error {
	last := context.DeadlineExceeded.Error()
	if err == nil || !strings.HasSuffix(err.Error(), last) {
		return err
	}
	return WithHint(&endedError{err, last, "no result within --timeout"}, "pass a longer --timeout; --verbose shows each request")
}

// ErrCancelled is returned when the user said no, or pressed Ctrl-C at a prompt.
var ErrCancelled error = &classed{wallet.ClassCancelled, "cancelled: nothing was done"}

// errKeyInput is returned when what a descriptor gives is no key.
var errKeyInput error = &classed{wallet.ClassLocked, "no key to sign with"}

// unreportedError is a result that could not be written.
type unreportedError struct {
	// what is done.
	what string
	err  error
}

func (e *unreportedError) Error() string {
	if errors.As(e.err, new(*jsonfilter.Error)) {
		return fmt.Sprintf("%s, but %v", e.what, e.err)
	}
	return fmt.Sprintf("%s, but its result cannot be written: %v", e.what, e.err)
}

func (e *unreportedError) Unwrap() error { return e.err }

// Is puts it into its class.
func (e *unreportedError) Is(target error) bool { return target == wallet.ClassUnreported }

// Hint warns against the second time.
func (e *unreportedError) Hint() string {
	return "do not run the command again for its output: it has taken effect"
}

// errOutClosed is returned before anything is done when its result would be lost.
var errOutClosed = WithHint(errors.New("stdout is closed: there is nowhere to write the result to"),
	"redirect stdout to a file, or to /dev/null if you do not need the output")

// WithSource says which file, URL or "-" for stdin bad input came from. A nil err stays nil.
func WithSource(source string, err error) error {
	switch {
	case err == nil:
		return nil
	case source == "-":
		source = "stdin"
	}
	return fmt.Errorf("%s: %w", source, err)
}
